"""One look after another at a live namespace: complete, in order, and honest about what it cannot see."""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from bot.playground.cluster.faults import Fault
from core.cluster.watching.reflector import Reflector
from core.cluster.watching.watch import LOOKING, NamespaceWatch
from core.errors import Denied, Unreachable
from core.records.bundle import Ref
from core.records.desired_state import DesiredState
from core.records.intent import Intent
from core.records.line import Line
from core.records.observation import Observation, Readiness
from tests.core.cluster.live import HOME, WEB, Live, live
from tests.fakes import NO_SECRETS


class Looks:
    """Collects what a watch tells until something is so."""

    def __init__(self, watch: NamespaceWatch) -> None:
        self.watch = watch
        self.lines: list[Line] = []
        self.seen: list[Observation] = []

    async def until(self, so: Callable[[Observation], bool]) -> Observation:
        async with asyncio.timeout(30):
            while True:
                look = await self.watch.next(1.0)
                self.lines += look.lines
                self.seen.append(look)
                if so(look):
                    return look

    def texts(self, of: str) -> list[str]:
        return [line.text for line in self.lines if line.object == of]


def synced(look: Observation) -> bool:
    return look.synced


def blind(look: Observation) -> bool:
    return not look.synced


def ready(look: Observation) -> bool:
    return bool(look.services) and all(s.readiness is Readiness.READY for s in look.services)


def troubled(look: Observation) -> bool:
    return any(s.diagnoses for s in look.services)


async def rolled(on: Live, image: str = "web:1") -> tuple[DesiredState, Intent]:
    """Apply a release with two pods; return what to aim at, and the baseline from before."""
    bundle = on.bundle(image)
    intent = await on.cluster.read_baseline("myapp", bundle.refs)
    on.simulated.freeze_controllers()  # so that no replica set of one pod comes between apply and scale
    applied = await on.apply(bundle)
    await on.cluster.scale("myapp", WEB, 2, token=1)
    on.simulated.thaw_controllers()
    return DesiredState(release=bundle.release, bundle=bundle, applied=applied), intent


async def test_a_good_rollout_is_told_from_the_first_replica_set_to_the_last_start():
    async with live() as on:
        target, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            last = await looks.until(ready)
        (state,) = last.services
        assert (state.name, state.desired, len(state.pods), state.ready) == ("web", 2, 2, 2)
        (scaled,) = looks.texts("web")
        replica_set = scaled.split()[4]
        assert scaled == f"Scaled up replica set {replica_set} to 2"
        created = looks.texts(replica_set)
        assert len(created) == 2
        for pod in (text.removeprefix("Created pod: ") for text in created):
            texts = looks.texts(pod)
            assert texts[0].startswith(f"Successfully assigned convox-myapp/{pod} to node-")
            assert texts[-2:] == ["Created container main", "Started container main"]
        keys = [line.key for line in looks.lines]
        assert len(keys) == len(set(keys)), "nothing is told twice"


async def test_looks_go_from_blind_over_progressing_to_ready():
    async with live() as on:
        target, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
        story = ["blind" if not o.synced else o.services[0].readiness for o in looks.seen]
        assert list(dict.fromkeys(story))[-2:] == [Readiness.PROGRESSING, Readiness.READY]
        assert story == sorted(story, key=["blind", Readiness.PROGRESSING, Readiness.READY].index)


async def test_a_bad_rollout_names_its_trouble_and_tells_it_once():
    async with live() as on:
        target, intent = await rolled(on, "web:notfound")
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            last = await looks.until(troubled)
            diagnosis = last.services[0].diagnoses[0]
            for _ in range(5):
                await looks.until(synced)
        assert diagnosis.kind == "image"
        assert last.services[0].readiness is Readiness.PROGRESSING
        image_lines = [
            line for line in looks.lines if line.key.startswith("trouble:web:image:") and "×" not in line.text
        ]
        assert len(image_lines) == 1
        assert image_lines[0].object == diagnosis.pod


async def test_what_existed_before_is_not_told_again():
    async with live() as on:
        target, intent = await rolled(on, "web:1")
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            await Looks(watch).until(ready)
        again = await on.cluster.read_baseline("myapp", [WEB])
        async with on.cluster.watch("myapp", again, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
        assert looks.lines == []


async def test_a_second_life_tells_the_same_lines_under_the_same_keys():
    async with live() as on:
        target, intent = await rolled(on)
        keys = []
        for _ in range(2):
            async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
                watch.aim(target)
                looks = Looks(watch)
                await looks.until(ready)
                keys.append({line.key for line in looks.lines})
        assert keys[1] <= keys[0], "the store drops what it knows"


async def test_a_cut_connection_is_blind_until_the_watch_is_open_again_and_loses_nothing():
    async with live() as on:
        target, intent = await rolled(on, "web:1")
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
            on.simulated.drop_watches()
            assert (await looks.until(blind)).blind
            bundle = on.bundle("web:2")
            applied = await on.apply(bundle)
            watch.aim(DesiredState(release=bundle.release, bundle=bundle, applied=applied))
            await looks.until(synced)
            await looks.until(ready)
        old, new = dict.fromkeys(text.split()[4] for text in looks.texts("web") if "Scaled up" in text)
        assert f"Scaled up replica set {new} to 2" in looks.texts("web")
        assert f"Scaled down replica set {old} to 0" in looks.texts("web")


async def test_an_expired_history_is_read_again_and_tells_what_vanished():
    async with live() as on:
        target, intent = await rolled(on, "web:1")
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
            on.simulated.drop_watches()
            await on.admin.delete(HOME.at("Deployment", "web"), {})
            on.simulated.expire_history()
            last = await looks.until(lambda o: o.synced and o.services[0].readiness is Readiness.FAILED)
        assert "deleted" in last.services[0].sentence


async def test_a_deployment_that_was_gone_before_we_came_is_noticed():
    async with live() as on:
        target, intent = await rolled(on)
        await on.admin.delete(HOME.at("Deployment", "web"), {"propagationPolicy": "Background"})
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            last = await Looks(watch).until(synced)
        assert last.services[0].readiness is Readiness.FAILED
        assert last.services[0].sentence == "its Deployment was deleted by somebody"


async def test_a_removal_lists_what_is_still_there_services_and_secrets_too():
    async with live() as on:
        target, intent = await rolled(on, "web:deaf")
        assert target.bundle is not None
        refs = target.bundle.refs
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(DesiredState(release=target.release, bundle=None, absent=refs))
            looks = Looks(watch)
            first = await looks.until(synced)
            assert {s.name for s in first.services} == {str(r) for r in refs}
            uids = {a.ref: a.uid for a in target.applied}
            for ref in refs:
                await on.cluster.delete("myapp", ref, uid=uids[ref], token=1)
            await looks.until(lambda o: o.synced and not o.services)
        assert any(o.services and o.services[0].name == "Deployment/web" for o in looks.seen)


async def test_a_missing_right_makes_blind_says_why_and_heals_by_itself():
    async with live() as on:
        target, intent = await rolled(on)
        on.simulated.access.deny = lambda verb, resource, _: (verb, resource) == ("list", "pods")
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            refused = await looks.until(lambda o: o.blind not in ("", LOOKING))
            assert "the bot may not list pods in namespace convox-myapp" in refused.blind
            assert refused.services == ()
            on.simulated.access.deny = None
            await looks.until(ready)


async def test_a_cluster_that_does_not_answer_a_question_of_ours_is_not_believed():
    async with live() as on:
        target, intent = await rolled(on)
        assert target.bundle is not None
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            looks = Looks(watch)
            await looks.until(synced)
            on.simulated.access.deny = lambda verb, resource, _: (verb, resource) == ("get", "secrets")
            watch.aim(DesiredState(release=target.release, bundle=None, absent=target.bundle.refs))
            refused = await looks.until(blind)
        assert "may not get secrets" in refused.blind


async def test_without_a_target_there_are_lines_and_no_judgement():
    async with live() as on:
        _, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            looks = Looks(watch)
            await looks.until(lambda o: any("Started" in line.text for line in looks.lines))
        assert all(o.services == () for o in looks.seen)


async def test_a_look_without_patience_returns_at_once():
    async with live() as on:
        _, intent = await rolled(on)
        on.simulated.freeze_controllers()
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            await Looks(watch).until(synced)
            before = on.clock.monotonic()
            await watch.next(0.0)
            assert on.clock.monotonic() - before < 20


async def test_leaving_the_block_closes_every_watch():
    async with live() as on:
        _, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            await Looks(watch).until(synced)
            assert on.simulated.open_watches == 4
        async with asyncio.timeout(10):
            while on.simulated.open_watches:
                await on.clock.sleep(0.1)
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert not [name for name in names if name.startswith("watch ")]


async def test_what_the_block_raises_comes_out_as_it_is():
    async with live() as on:
        _, intent = await rolled(on)
        with pytest.raises(LookupError, match="mine"):
            async with on.cluster.watch("myapp", intent, NO_SECRETS):
                raise LookupError("mine")


async def test_a_defect_of_a_watch_is_raised_not_waited_out(monkeypatch: pytest.MonkeyPatch):
    async def defect(_: Any) -> NoReturn:
        raise ZeroDivisionError("a defect")

    async with live() as on:
        monkeypatch.setattr(Reflector, "run", defect)
        async with on.cluster.watch("myapp", Intent(namespace_uid="", objects=()), NO_SECRETS) as watch:
            with pytest.raises(ZeroDivisionError):
                await watch.next(60.0)


async def test_a_namespace_watch_looks_at_its_own_app_only():
    async with live() as on:
        target, intent = await rolled(on)
        foreign = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "debug"},
            "spec": {"containers": [{"name": "shell", "image": "registry.example/shell"}]},
        }
        await on.make(foreign)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
        assert looks.texts("debug") == []
        assert Ref("Pod", "debug") not in [a.ref for a in target.applied]


async def crashed(on: Live) -> None:
    """Wait until a pod has been restarted, whatever the watches say."""
    async with asyncio.timeout(30):
        while True:
            pods, _ = await on.admin.list(HOME.at("Pod"))
            if any(s["restartCount"] for p in pods for s in p["status"].get("containerStatuses", ())):
                return
            await on.clock.sleep(0.5)


async def test_a_fresh_look_sees_what_a_dead_watch_does_not():
    async with live() as on:
        target, intent = await rolled(on, "web:crash-late")
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
            on.simulated.stall_watches()
            await crashed(on)
            assert not troubled(await watch.next(0.0)), "the watch has not told it"
            seen = await watch.fresh()
            assert seen.synced
            assert [t.kind for t in seen.services[0].diagnoses] == ["crash"]
            after = await watch.next(0.0)
            assert troubled(after), "no watch brings back what was before"
            on.simulated.stall_watches(stalled=False)
            bundle = on.bundle("web:2")
            applied = await on.apply(bundle)
            watch.aim(DesiredState(release=bundle.release, bundle=bundle, applied=applied))
            await looks.until(ready)


async def test_a_fresh_look_tells_its_lines_as_any_other():
    async with live() as on:
        target, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
            on.simulated.stall_watches()
            await on.admin.delete(HOME.at("Deployment", "web"), {"propagationPolicy": "Background"})
            seen = await watch.fresh()
        assert seen.services[0].sentence == "its Deployment was deleted by somebody"


@pytest.mark.parametrize("resource", ["deployments", "pods"])
async def test_a_fresh_look_that_cannot_be_had_is_not_believed(resource: str):
    async with live() as on:
        target, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            await Looks(watch).until(ready)
            gone = Fault(matches=lambda verb, path: verb == "list" and path.endswith(resource), status=503)
            on.simulated.faults.order(gone)
            seen = await watch.fresh()
            assert not seen.synced
            assert f"cannot list {resource} now" in seen.blind
            assert (await watch.fresh()).synced


async def test_until_the_first_lists_are_there_nothing_is_said_to_be_wrong():
    async with live() as on:
        target, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            assert (await watch.next(0.0)).blind == "looking at the cluster"


async def test_a_broken_watch_of_events_stops_no_verdict():
    async with live() as on:
        target, intent = await rolled(on)
        on.simulated.access.deny = lambda _, resource, __: resource == "events"
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            await Looks(watch).until(ready)


async def test_crashes_from_before_the_promotion_are_no_trouble_of_it():
    async with live() as on:
        target, intent = await rolled(on, "web:crash-twice")
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            last = await Looks(watch).until(lambda o: ready(o) and min(o.services[0].restarts.values()) == 2)
        assert troubled(last)
        again = await on.cluster.read_baseline("myapp", [WEB])
        async with on.cluster.watch("myapp", again, NO_SECRETS) as watch:
            watch.aim(target)
            assert not troubled(await Looks(watch).until(ready))


async def test_a_server_that_stands_still_is_blind_from_its_last_word_on():
    async with live() as on:
        target, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
            on.simulated.freeze_server()
            frozen = on.clock.monotonic()
            seen = await looks.until(blind)
            passed = on.clock.monotonic() - frozen
            assert seen.silent > 15
            assert passed > 15 - 11, "it may have been silent already"
            on.simulated.thaw_server()
            await looks.until(ready)


async def test_a_watch_in_which_nothing_happens_is_not_blind():
    async with live() as on:
        target, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            looks = Looks(watch)
            await looks.until(ready)
            began = on.clock.monotonic()
            on.simulated.faults.order(Fault(matches=lambda verb, _: verb == "list", delay=0.0))
            await looks.until(lambda _: on.clock.monotonic() > began + 40)
            assert on.simulated.faults.pending == 1, "it is heard of without a list"
        assert {o.blind for o in looks.seen if not o.synced} <= {LOOKING}


async def test_the_first_sight_is_of_every_collection_that_is_followed():
    async with live() as on:
        _, intent = await rolled(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            await watch.wait_for_sync()
            assert (await watch.next(0.0)).synced
            assert on.simulated.open_watches == 4


@pytest.mark.parametrize("resource", ["deployments", "replicasets", "pods", "events"])
async def test_a_right_that_the_first_sight_lacks_is_named_and_may_come_later(resource: str):
    async with live() as on:
        _, intent = await rolled(on)
        on.simulated.access.deny = lambda verb, what, _: (verb, what) == ("watch", resource)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            for _ in range(2):
                with pytest.raises(
                    Denied, match=f"the bot may not watch {resource} in namespace convox-myapp"
                ):
                    await watch.wait_for_sync()
            on.simulated.access.deny = None
            await watch.wait_for_sync()


async def test_a_first_sight_that_does_not_come_is_no_refusal():
    async with live() as on:
        _, intent = await rolled(on)
        on.simulated.freeze_server()
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            with pytest.raises(Unreachable, match="no first look at"):
                await watch.wait_for_sync()
            on.simulated.thaw_server()
            await watch.wait_for_sync()

"""Writing to a namespace: fenced by the token, never adopting, never overwriting unasked, twice the same as once."""

import asyncio
from typing import Any

import pytest

from bot.playground.cluster.faults import Fault
from core.cluster.api.address import Address
from core.cluster.api.client import KubeClient
from core.cluster.kinds.config_map import ANCHOR
from core.cluster.labels import MANAGED_LABEL, SCALE_MANAGER, TOKEN_ANNOTATION
from core.cluster.ownership import RESTARTED
from core.errors import Rejected, Unreachable
from core.records.bundle import Ref
from core.records.claim import Claim
from core.records.observation import Diagnosis, DiagnosisKind
from tests.core.cluster.live import HOME, MANIFEST, WEB, Live, app, claim, counted, live
from tests.fakes import NO_SECRETS

NOON = "2026-11-24T12:00:00+00:00"


def foreign_service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80}], "selector": {"x": "y"}},
    }


def anchor_with(data: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ANCHOR.name}, "data": data}


def deny(on: Live, verb: str, resource: str) -> None:
    on.simulated.access.deny = lambda v, r, _namespace: (v, r) == (verb, resource)


async def pod_name(on: Live, release: str) -> str:
    """Wait for a pod of a release, and return its name."""
    async with asyncio.timeout(20):
        while True:
            pods, _ = await on.admin.list(HOME.at("Pod"), label_selector=f"release={release}")
            if pods:
                return str(pods[0]["metadata"]["name"])
            await on.clock.sleep(0.2)


# -- looking -----------------------------------------------------------------------------------------------


async def test_a_look_at_a_fresh_namespace_finds_nothing_but_its_uid():
    async with live() as on:
        bundle = on.bundle()
        intent = await on.cluster.read_baseline("myapp", bundle.refs)
        namespace = await on.admin.get(HOME.itself)
        assert namespace is not None
        assert intent.namespace_uid == namespace["metadata"]["uid"]
        assert [o.ref for o in intent.objects] == list(bundle.refs)
        assert not any(o.existed for o in intent.objects)
        assert intent.pods == {}


async def test_a_look_remembers_what_a_way_back_needs():
    async with live() as on:
        bundle = on.bundle()
        await on.apply(bundle)
        await on.cluster.scale("myapp", WEB, 3, token=1)
        await pod_name(on, bundle.release)
        intent = await on.cluster.read_baseline("myapp", bundle.refs)
        found, there = intent.of(WEB), await on.get(WEB)
        assert found is not None
        assert (found.existed, found.uid, found.replicas) == (True, there["metadata"]["uid"], 3)
        assert found.generation == there["metadata"]["generation"]
        assert intent.pods
        assert {count for _, count in intent.replica_sets.values()} == {3}


async def test_a_look_counts_what_has_crashed_before():
    async with live() as on:
        bundle = on.bundle("web:crash")
        await on.apply(bundle)
        async with asyncio.timeout(10):
            while not any((await on.cluster.read_baseline("myapp", [WEB])).pods.values()):
                await on.clock.sleep(0.2)


async def test_what_is_on_its_way_out_did_not_exist_and_is_made_anew_once_it_has_gone():
    async with live() as on:
        bundle = on.bundle()
        old = {a.ref: a.uid for a in await on.apply(bundle)}[WEB]
        await pod_name(on, bundle.release)
        on.simulated.freeze_controllers()
        await on.cluster.delete("myapp", WEB, uid=old, token=1)
        found = (await on.cluster.read_baseline("myapp", [WEB])).of(WEB)
        assert found is not None
        assert (found.existed, found.uid, found.replicas) == (False, "", None)
        await on.cluster.preflight("myapp", bundle, token=1, force=False)
        with pytest.raises(Unreachable, match="Deployment/web is still being removed; it is made anew once"):
            await on.cluster.apply("myapp", bundle, WEB, token=1, force=True)
        on.simulated.thaw_controllers()
        async with asyncio.timeout(30):
            while await on.admin.get(HOME.at("Deployment", "web")) is not None:
                await on.clock.sleep(0.2)
        assert (await on.cluster.apply("myapp", bundle, WEB, token=1, force=False)).uid != old


async def test_a_missing_namespace_is_refused_with_the_command_that_makes_it():
    async with live(namespace=False) as on:
        with pytest.raises(
            Rejected, match=r"namespace convox-myapp does not exist; .*convox-bot app-manifest myapp"
        ):
            await on.cluster.read_baseline("myapp", [])


async def test_a_namespace_on_its_way_out_is_refused():
    async with live() as on:
        await on.apply(on.bundle())
        on.simulated.freeze_controllers()
        await on.admin.delete(HOME.itself, {})
        with pytest.raises(Rejected, match="namespace convox-myapp is being deleted"):
            await on.cluster.read_baseline("myapp", [])


# -- applying ----------------------------------------------------------------------------------------------


async def test_every_object_carries_the_token_and_no_pod_template_does():
    async with live() as on:
        bundle = on.bundle()
        await on.apply(bundle, token=7)
        for ref in bundle.refs:
            assert (await on.get(ref))["metadata"]["annotations"][TOKEN_ANNOTATION] == "7"
        template = (await on.get(WEB))["spec"]["template"]
        assert TOKEN_ANNOTATION not in template["metadata"].get("annotations", {})


async def test_applying_twice_changes_nothing_though_the_token_rises():
    async with live() as on:
        bundle = on.bundle()
        first = await on.apply(bundle, token=1)
        again = await on.apply(bundle, token=2)
        assert all(a.changed for a in first)
        assert not any(a.changed for a in again), "an immutable Secret among them"
        assert [a.uid for a in first] == [a.uid for a in again]


async def test_another_release_changes_the_deployment():
    async with live() as on:
        first = await on.apply(on.bundle("web:1"))
        second = await on.apply(on.bundle("web:2"))
        changed = {a.ref.kind: a.changed for a in second}
        assert changed == {
            "Secret": True,
            "Service": False,
            "PodDisruptionBudget": False,
            "Deployment": True,
        }
        assert second[-1].generation > first[-1].generation


async def test_who_was_overtaken_writes_no_more():
    async with live() as on:
        bundle = on.bundle()
        await on.apply(bundle, token=5)
        for attempt in (
            on.cluster.apply("myapp", bundle, WEB, token=4, force=True),
            on.cluster.scale("myapp", WEB, 0, token=4),
            on.cluster.preflight("myapp", bundle, token=4, force=False),
        ):
            with pytest.raises(Rejected, match=r"a newer promotion has already written .* \(its number is 5"):
                await attempt


async def test_a_foreign_object_is_never_adopted_not_even_by_force():
    async with live() as on:
        await on.make(foreign_service())
        bundle = on.bundle()
        for force in (False, True):
            with pytest.raises(
                Rejected, match="Service/web exists already and is not the bot's own: delete or"
            ):
                await on.cluster.apply("myapp", bundle, Ref("Service", "web"), token=1, force=force)
        assert (await on.get(Ref("Service", "web")))["spec"]["selector"] == {"x": "y"}


async def test_an_object_that_was_handed_over_is_taken():
    async with live() as on:
        body = foreign_service()
        body["metadata"]["labels"] = {MANAGED_LABEL: "convox-bot"}
        body["spec"] = {"ports": [{"name": "mine", "port": 80}]}
        await on.make(body)
        applied = await on.cluster.apply("myapp", on.bundle(), Ref("Service", "web"), token=1, force=True)
        assert applied.changed


async def test_a_field_of_another_tool_stops_a_promotion_and_not_a_rollback():
    async with live() as on:
        bundle = on.bundle("web:1")
        await on.apply(bundle)
        template = {"spec": {"containers": [{"name": "main", "image": "registry.example/web:hand"}]}}
        await on.make(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web"},
                "spec": {"template": template},
            },
            manager="kubectl-set",
        )
        owned = r"Deployment/web: another tool owns .*image \(set by kubectl-set\)"
        with pytest.raises(Rejected, match=owned):
            await on.cluster.preflight("myapp", bundle, token=1, force=False)
        await on.cluster.preflight("myapp", bundle, token=1, force=True)
        with pytest.raises(Rejected, match=owned):
            await on.cluster.apply("myapp", bundle, WEB, token=1, force=False)
        await on.cluster.apply("myapp", bundle, WEB, token=1, force=True)
        image = (await on.get(WEB))["spec"]["template"]["spec"]["containers"][0]["image"]
        assert image == "registry.example/web:1"


def by_hand(**spec: Any) -> dict[str, Any]:
    """What somebody else applies to the Deployment."""
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def containers(*items: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"containers": list(items)}}


async def test_what_others_have_added_refuses_and_a_forced_apply_really_takes_it_away():
    """Engine rule 45: server-side apply alone would keep it for ever, forced or not."""
    async with live() as on:
        bundle = on.bundle("web:1")
        await on.apply(bundle)
        first = (await on.get(WEB))["spec"]["template"]
        extra = {"name": "main", "env": [{"name": "DEBUG", "value": "1"}]}
        await on.make(
            by_hand(template=containers(extra, {"name": "shell", "image": "shell:1"})), manager="edit"
        )
        owned = r'env\[name="DEBUG"\], .*containers\[name="shell"\] \(set by edit\)'
        for attempt in (
            on.cluster.preflight("myapp", bundle, token=1, force=False),
            on.cluster.apply("myapp", bundle, WEB, token=1, force=False),
        ):
            with pytest.raises(Rejected, match=owned):
                await attempt
        before = (await on.get(WEB))["metadata"]["generation"]
        applied = await on.cluster.apply("myapp", bundle, WEB, token=1, force=True)
        after = await on.get(WEB)
        assert after["spec"]["template"] == first
        assert after["metadata"]["generation"] == before + 1, "one change, so one rollout"
        assert applied.overwrote.endswith("(set by edit)")
        assert (await on.cluster.apply("myapp", bundle, WEB, token=1, force=True)).overwrote == ""


async def test_whose_fields_were_taken_is_told_though_the_apply_lost_a_race():
    async with live() as on:
        bundle = on.bundle("web:1")
        await on.apply(bundle)
        extra = {"name": "main", "env": [{"name": "DEBUG", "value": "1"}]}
        await on.make(by_hand(template=containers(extra)), manager="edit")
        passed: list[str] = []

        def second(verb: str, path: str) -> bool:
            if verb == "patch" and path.endswith("deployments/web"):
                passed.append(path)
            return len(passed) == 2

        on.simulated.faults.order(Fault(matches=second, status=409))
        applied = await on.cluster.apply("myapp", bundle, WEB, token=1, force=True)
        assert on.simulated.faults.pending == 0
        assert applied.overwrote.endswith("(set by edit)")


async def test_what_others_own_with_our_value_is_no_conflict_and_ours_alone_afterwards():
    """Engine rule 46."""
    async with live() as on:
        await on.apply(on.bundle("web:1"))
        same = {"name": "main", "image": "registry.example/web:1"}
        await on.make(by_hand(minReadySeconds=5, template=containers(same)), manager="argocd")
        second = on.bundle("web:2")
        await on.cluster.preflight("myapp", second, token=1, force=False)
        await on.apply(second)
        managers = {entry["manager"] for entry in (await on.get(WEB))["metadata"]["managedFields"]}
        assert "argocd" not in managers


async def test_a_conflict_beside_what_is_shared_is_still_one():
    async with live() as on:
        await on.apply(on.bundle("web:1"))
        same = {"name": "main", "image": "registry.example/web:1"}
        await on.make(by_hand(minReadySeconds=99, template=containers(same)), manager="argocd")
        with pytest.raises(Rejected, match=r"minReadySeconds \(set by argocd\)"):
            await on.cluster.preflight("myapp", on.bundle("web:2"), token=1, force=False)


async def test_a_rollout_that_somebody_has_paused_is_refused_before_it_begins():
    async with live() as on:
        bundle = on.bundle("web:1")
        await on.apply(bundle)
        await on.make(by_hand(paused=True), manager="kubectl-rollout")
        for force in (False, True):
            with pytest.raises(
                Rejected, match="kubectl-rollout has paused the rollout of web: `kubectl rollout"
            ):
                await on.cluster.preflight("myapp", bundle, token=1, force=force)


async def test_a_lost_race_reads_again_and_still_checks_the_token():
    async with live() as on:
        bundle = on.bundle()
        await on.apply(bundle, token=1)
        race = Fault(
            matches=lambda verb, path: verb == "patch" and path.endswith("deployments/web"),
            status=409,
            times=2,
        )
        on.simulated.faults.order(race)
        await on.cluster.apply("myapp", on.bundle("web:2"), WEB, token=1, force=False)
        assert on.simulated.faults.pending == 0


async def test_a_race_that_is_lost_for_ever_is_unreachable_not_a_loop():
    async with live() as on:
        bundle = on.bundle()
        on.simulated.faults.order(Fault(matches=lambda verb, _: verb == "patch", status=409, times=100))
        with pytest.raises(Unreachable):
            await on.cluster.apply("myapp", bundle, WEB, token=1, force=False)
        assert on.simulated.faults.pending > 80


async def test_an_apply_whose_answer_was_lost_is_sent_again_without_harm():
    async with live() as on:
        bundle = on.bundle()
        cut = Fault(matches=lambda verb, _: verb == "patch", status=0, after_effect=True)
        on.simulated.faults.order(cut)
        with pytest.raises(Unreachable):
            await on.cluster.apply("myapp", bundle, WEB, token=1, force=False)
        again = await on.cluster.apply("myapp", bundle, WEB, token=1, force=False)
        assert again.generation == 1


async def test_a_missing_right_names_what_an_administrator_applies():
    async with live() as on:
        deny(on, "patch", "deployments")
        bundle = on.bundle()
        with pytest.raises(
            Rejected, match=r"may not patch deployments in namespace convox-myapp; .*app-manifest myapp"
        ):
            await on.cluster.apply("myapp", bundle, WEB, token=1, force=False)


# -- preflight ---------------------------------------------------------------------------------------------


async def test_a_preflight_keeps_nothing():
    async with live() as on:
        bundle = on.bundle()
        await on.cluster.preflight("myapp", bundle, token=1, force=False)
        intent = await on.cluster.read_baseline("myapp", bundle.refs)
        assert not any(o.existed for o in intent.objects)


async def test_a_preflight_names_every_reason_at_once():
    async with live() as on:
        await on.make(foreign_service())
        deny(on, "patch", "deployments")
        with pytest.raises(Rejected) as caught:
            await on.cluster.preflight("myapp", on.bundle(), token=1, force=False)
        assert "Service/web exists already" in str(caught.value)
        assert "may not patch deployments" in str(caught.value)


async def test_a_preflight_that_loses_a_race_with_a_controller_looks_again():
    async with live() as on:
        bundle = on.bundle()
        await on.apply(bundle)
        on.simulated.faults.order(Fault(matches=lambda verb, _: verb == "patch", status=409, times=3))
        await on.cluster.preflight("myapp", bundle, token=1, force=False)
        assert on.simulated.faults.pending == 0


async def test_a_preflight_says_a_shared_reason_once():
    async with live(namespace=False) as on:
        with pytest.raises(Rejected) as caught:
            await on.cluster.preflight("myapp", on.bundle(), token=1, force=False)
        assert str(caught.value).count("does not exist") == 1


async def test_a_preflight_finds_an_immutable_secret_with_other_values():
    async with live() as on:
        await on.apply(on.bundle(environment={"COLOUR": "blue"}))
        on.sequence -= 1
        with pytest.raises(Rejected, match=r"Secret/env-web-\w+: .*immutable"):
            await on.cluster.preflight(
                "myapp", on.bundle(environment={"COLOUR": "red"}), token=1, force=False
            )


# -- scaling -----------------------------------------------------------------------------------------------


async def test_a_count_survives_every_apply():
    async with live() as on:
        await on.apply(on.bundle("web:1"))
        scaled = await on.cluster.scale("myapp", WEB, 4, token=1)
        assert scaled.changed
        for force in (False, True):
            await on.apply(on.bundle("web:2"), force=force)
            assert (await on.get(WEB))["spec"]["replicas"] == 4


async def test_a_count_set_by_hand_survives_applies_and_loses_to_a_scale():
    async with live() as on:
        await on.apply(on.bundle("web:1"))
        await on.cluster.scale("myapp", WEB, 2, token=1)
        by_hand = {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {"name": "web"},
            "spec": {"replicas": 5},
        }
        await on.admin.apply(HOME.at("Deployment", "web", "scale"), by_hand, manager="kubectl", force=True)
        await on.apply(on.bundle("web:2"), force=True)
        assert (await on.get(WEB))["spec"]["replicas"] == 5
        await on.cluster.scale("myapp", WEB, 3, token=1)
        assert (await on.get(WEB))["spec"]["replicas"] == 3


async def test_a_count_that_was_applied_under_our_name_survives_an_apply_that_leaves_it_out():
    async with live() as on:
        bundle = on.bundle("web:1")
        await on.apply(bundle)
        await on.make(counted(bundle, 3), manager="convox-bot")
        assert (await on.get(WEB))["spec"]["replicas"] == 3
        for image in ("web:2", "web:3"):
            await on.apply(on.bundle(image))
            assert (await on.get(WEB))["spec"]["replicas"] == 3


async def test_who_is_overtaken_while_it_gives_a_count_away_writes_no_more(monkeypatch: pytest.MonkeyPatch):
    async with live() as on:
        bundle = on.bundle("web:1")
        await on.apply(bundle)
        await on.make(counted(bundle, 3), manager="convox-bot")
        on.simulated.freeze_controllers()  # else a lost race would have the object read and checked once more
        newer, plain = on.bundle("web:2"), KubeClient.apply

        async def overtaken(self: KubeClient, at: Address, body: Any, **how: Any) -> Any:
            answer = await plain(self, at, body, **how)
            if at.subresource == "scale":
                monkeypatch.undo()
                await on.cluster.apply("myapp", newer, WEB, token=9, force=True)
            return answer

        monkeypatch.setattr(KubeClient, "apply", overtaken)
        with pytest.raises(Rejected, match="a newer promotion has already written Deployment/web"):
            await on.cluster.apply("myapp", bundle, WEB, token=1, force=True)
        image = (await on.get(WEB))["spec"]["template"]["spec"]["containers"][0]["image"]
        assert image == "registry.example/web:2"


async def test_counts_belong_to_the_scale_manager_alone():
    async with live() as on:
        await on.apply(on.bundle())
        applied = await on.cluster.scale("myapp", WEB, 0, token=1)
        there = await on.get(WEB)
        books = {b["manager"]: b["fieldsV1"] for b in there["metadata"]["managedFields"]}
        assert books[SCALE_MANAGER] == {"f:spec": {"f:replicas": {}}}
        assert "f:replicas" not in books["convox-bot"]["f:spec"]
        assert applied.generation == there["metadata"]["generation"]


async def test_the_note_of_a_restart_survives_the_next_apply_and_is_taken_back():
    async with live() as on:
        bundle = on.bundle()
        await on.apply(bundle)
        assert (await on.cluster.read_baseline("myapp", [WEB])).objects[0].restarted == ""
        noted = await on.cluster.restart("myapp", WEB, NOON, token=1)
        there = await on.get(WEB)
        assert there["spec"]["template"]["metadata"]["annotations"] == {RESTARTED: NOON}
        assert (noted.changed, noted.generation) == (True, there["metadata"]["generation"])
        assert not (await on.cluster.restart("myapp", WEB, NOON, token=1)).changed
        assert (await on.cluster.read_baseline("myapp", [WEB])).objects[0].restarted == NOON

        again = (await on.apply(bundle, token=2))[-1]
        assert (again.changed, again.template) == (False, noted.template), (
            "the template is the release's all the same"
        )
        await on.apply(on.bundle("web:2"), token=3, force=True)
        assert (await on.get(WEB))["spec"]["template"]["metadata"]["annotations"] == {RESTARTED: NOON}

        await on.cluster.restart("myapp", WEB, "", token=3)
        assert "annotations" not in (await on.get(WEB))["spec"]["template"]["metadata"]


async def test_the_note_of_somebody_else_is_replaced_and_put_back():
    async with live() as on:
        await on.apply(on.bundle())
        notes = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: "by hand"}}}}}
        await on.admin.merge(on.home.at(WEB.kind, WEB.name), notes, manager="kubectl-rollout")
        await on.cluster.restart("myapp", WEB, NOON, token=1)
        await on.cluster.restart("myapp", WEB, "by hand", token=1)
        assert (await on.get(WEB))["spec"]["template"]["metadata"]["annotations"] == {RESTARTED: "by hand"}


async def test_a_restart_is_fenced_as_any_other_write():
    async with live() as on:
        with pytest.raises(Rejected, match="Deployment/web does not exist in namespace convox-myapp"):
            await on.cluster.restart("myapp", WEB, NOON, token=1)
        await on.apply(on.bundle(), token=5)
        with pytest.raises(Rejected, match="a newer promotion has already written Deployment/web"):
            await on.cluster.restart("myapp", WEB, NOON, token=4)
        assert "annotations" not in (await on.get(WEB))["spec"]["template"]["metadata"]


async def test_scaling_to_the_same_count_changes_nothing():
    async with live() as on:
        await on.apply(on.bundle())
        await on.cluster.scale("myapp", WEB, 2, token=1)
        assert not (await on.cluster.scale("myapp", WEB, 2, token=1)).changed


async def test_what_is_not_there_cannot_be_scaled():
    async with live() as on:
        with pytest.raises(Rejected, match="Deployment/web does not exist in namespace convox-myapp"):
            await on.cluster.scale("myapp", WEB, 1, token=1)


# -- removing ----------------------------------------------------------------------------------------------


async def test_removing_is_done_once_and_again_without_harm():
    async with live() as on:
        bundle = on.bundle()
        applied = {a.ref: a for a in await on.apply(bundle)}
        for _ in range(2):
            for ref in bundle.refs:
                await on.cluster.delete("myapp", ref, uid=applied[ref].uid, token=1)
        async with asyncio.timeout(20):
            while any(o.existed for o in (await on.cluster.read_baseline("myapp", bundle.refs)).objects):
                await on.clock.sleep(0.5)


async def test_an_object_that_was_made_anew_is_left_alone():
    async with live() as on:
        await on.apply(on.bundle())
        await on.cluster.delete("myapp", Ref("Service", "web"), uid="another", token=1)
        assert (await on.get(Ref("Service", "web")))["metadata"]["name"] == "web"


async def test_an_object_whose_creation_was_never_confirmed_is_removed_all_the_same():
    async with live() as on:
        await on.apply(on.bundle())
        await on.cluster.delete("myapp", Ref("Service", "web"), uid="", token=1)
        assert await on.admin.get(HOME.at("Service", "web")) is None


async def test_nothing_that_is_not_ours_is_removed():
    async with live() as on:
        made = await on.make(foreign_service())
        with pytest.raises(Rejected, match="is not the bot's own"):
            await on.cluster.delete("myapp", Ref("Service", "web"), uid=made["metadata"]["uid"], token=1)
        labelled = foreign_service()
        labelled["metadata"]["labels"] = {MANAGED_LABEL: "convox-bot"}
        await on.make(labelled)
        with pytest.raises(Rejected, match="was not applied by the bot"):
            await on.cluster.delete("myapp", Ref("Service", "web"), uid="", token=1)
        assert (await on.get(Ref("Service", "web")))["spec"]["selector"] == {"x": "y"}


async def test_nothing_newer_is_removed():
    async with live() as on:
        applied = await on.apply(on.bundle(), token=9)
        with pytest.raises(Rejected, match="a newer promotion"):
            await on.cluster.delete("myapp", WEB, uid=applied[-1].uid, token=8)


# -- the anchor --------------------------------------------------------------------------------------------


async def test_an_anchor_is_claimed_once_and_checked_by_its_owner():
    async with live() as on:
        await on.cluster.check_anchor(app(), claim("one", 1))
        first = await on.cluster.claim_anchor(app(), claim("one", 1))
        again = await on.cluster.claim_anchor(app(), claim("one", 1))
        assert (first.changed, again.changed) == (True, False)
        assert first.uid == again.uid
        data = (await on.get(ANCHOR))["data"]
        namespace = await on.admin.get(HOME.itself)
        assert namespace is not None
        uid = namespace["metadata"]["uid"]
        assert data == {"installation": "one", "token": "1", "promotion": "P1", "namespace-uid": uid}


async def test_an_anchor_keeps_what_it_does_not_know():
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 1))
        await on.make(anchor_with({"audit-head": "abc"}))
        await on.cluster.claim_anchor(app(), claim("one", 2))
        data = (await on.get(ANCHOR))["data"]
        assert (data["token"], data["audit-head"]) == ("2", "abc")


@pytest.mark.parametrize(
    ("asking", "record", "words"),
    [
        (claim("two", 3), app(), "belongs to another installation of convox-bot: either a second bot"),
        (
            claim("one", 2),
            app(),
            r"newer number \(3\) than this database knows \(2\): either the database was restored",
        ),
        (
            claim("one", 3, "P9", touched=True),
            app(),
            r"the same number \(3\) by another promotion \(P3\): either the database was restored",
        ),
        (claim("one", 3), app(namespace_uid="gone"), "is not the one that myapp was rolled out to before"),
    ],
    ids=["a second bot", "a restored database", "a database one promotion behind", "another namespace"],
)
async def test_a_namespace_of_somebody_else_is_not_written_to(asking: Claim, record: Any, words: str):
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 3))
        for method in (on.cluster.check_anchor, on.cluster.claim_anchor):
            with pytest.raises(Rejected, match=words):
                await method(record, asking)
        assert (await on.get(ANCHOR))["data"]["token"] == "3"


async def test_an_anchor_that_names_nobody_is_that_of_whoever_has_begun_to_write():
    """Claimed by a version that named no promotion; one that has written nothing has a number of its own."""
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 3))
        await on.make(anchor_with({"promotion": ""}))
        with pytest.raises(Rejected, match=r"by another promotion \(its name was not kept\)"):
            await on.cluster.check_anchor(app(), claim("one", 3))
        await on.cluster.claim_anchor(app(), claim("one", 3, touched=True))
        assert (await on.get(ANCHOR))["data"]["promotion"] == "P3"


async def test_of_two_promotions_with_one_number_the_second_claims_nothing():
    """Two bots on copies of one database have started at once: each has seen an anchor that is older."""
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 1))
        results = await asyncio.gather(
            *(on.cluster.claim_anchor(app(), claim("one", 2, name, touched=True)) for name in ("PA", "PB")),
            return_exceptions=True,
        )
        assert len([r for r in results if isinstance(r, Rejected)]) == 1
        winner = "PA" if isinstance(results[1], Rejected) else "PB"
        assert (await on.get(ANCHOR))["data"]["promotion"] == winner


async def test_an_anchor_that_was_copied_into_another_namespace_is_noticed():
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 3))
        await on.make(anchor_with({"namespace-uid": "elsewhere"}))
        with pytest.raises(
            Rejected, match="was made for another namespace of that name: it was copied or restored"
        ):
            await on.cluster.check_anchor(app(), claim("one", 3))


async def test_of_two_who_claim_at_once_the_older_one_loses():
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 1))
        results = await asyncio.gather(
            *(on.cluster.claim_anchor(app(), claim("one", t)) for t in (2, 3)),
            return_exceptions=True,
        )
        assert (await on.get(ANCHOR))["data"]["token"] == "3"
        assert all(isinstance(r, Rejected) for r in results if isinstance(r, BaseException))


async def test_a_claim_that_loses_every_race_is_unreachable_not_a_loop():
    async with live() as on:
        matches = lambda verb, path: verb == "create" and path.endswith("configmaps")  # noqa: E731
        on.simulated.faults.order(Fault(matches=matches, status=409, times=100))
        with pytest.raises(Unreachable, match="changes faster than it can be claimed"):
            await on.cluster.claim_anchor(app(), claim("one", 1))


async def test_a_claim_that_the_cluster_refuses_is_refused():
    async with live() as on:
        deny(on, "create", "configmaps")
        with pytest.raises(Rejected, match="may not create configmaps in namespace convox-myapp"):
            await on.cluster.claim_anchor(app(), claim("one", 1))


async def test_a_claim_that_lost_its_race_reads_again():
    async with live() as on:
        matches = lambda verb, path: verb == "create" and path.endswith("configmaps")  # noqa: E731
        on.simulated.faults.order(Fault(matches=matches, status=409))
        assert (await on.cluster.claim_anchor(app(), claim("one", 1))).changed


# -- evidence ----------------------------------------------------------------------------------------------


async def test_the_evidence_of_a_crash_is_the_end_of_its_log():
    async with live() as on:
        bundle = on.bundle("web:crash")
        await on.apply(bundle)
        name = await pod_name(on, bundle.release)
        async with asyncio.timeout(20):
            while not (
                text := await on.cluster.evidence("myapp", diagnosis(name, previous=True), NO_SECRETS)
            ):
                await on.clock.sleep(0.5)
        assert "No such file or directory: '/etc/app/settings.toml'" in text
        assert len(text.splitlines()) <= 20


async def test_there_is_no_evidence_where_nothing_ran():
    async with live() as on:
        bundle = on.bundle("web:notfound")
        await on.apply(bundle)
        name = await pod_name(on, bundle.release)
        assert await on.cluster.evidence("myapp", diagnosis(name), NO_SECRETS) == ""
        assert await on.cluster.evidence("myapp", diagnosis(""), NO_SECRETS) == ""
        assert await on.cluster.evidence("myapp", diagnosis("gone"), NO_SECRETS) == ""


async def test_a_missing_right_to_logs_costs_the_evidence_and_nothing_else():
    async with live() as on:
        deny(on, "get", "pods/log")
        assert await on.cluster.evidence("myapp", diagnosis("web-1"), NO_SECRETS) == ""


def diagnosis(name: str, *, previous: bool = False) -> Diagnosis:
    return Diagnosis(kind=DiagnosisKind.CRASH, sentence="", pod=name, container="main", previous=previous)


# -- namespaces --------------------------------------------------------------------------------------------


async def test_a_namespace_is_made_where_the_bot_may():
    async with live(namespace=False) as on:
        assert await on.cluster.create_namespace("myapp") is None
        namespace = await on.admin.get(HOME.itself)
        assert namespace is not None
        assert namespace["metadata"]["labels"]["convox.com/app"] == "myapp"
        assert await on.cluster.create_namespace("myapp") is None, "an existing one is fine"


def may_only(on: Live, *allowed: tuple[str, str]) -> None:
    always = {("get", "namespaces"), ("create", "selfsubjectaccessreviews")}
    on.simulated.access.deny = lambda verb, resource, _namespace: (
        (verb, resource) not in always | set(allowed)
    )


async def test_without_the_right_the_answer_is_the_command_for_an_administrator():
    async with live(namespace=False) as on:
        may_only(on)
        assert (
            await on.cluster.create_namespace("myapp") == "convox-bot app-manifest myapp | kubectl apply -f -"
        )
        assert await on.admin.get(HOME.itself) is None


async def test_a_namespace_that_nobody_may_look_at_counts_as_missing():
    async with live(namespace=False) as on:
        on.simulated.access.deny = lambda _verb, resource, _: resource != "selfsubjectaccessreviews"
        assert (
            await on.cluster.create_namespace("myapp") == "convox-bot app-manifest myapp | kubectl apply -f -"
        )


async def test_an_administrators_namespace_gets_only_the_rights_that_are_missing():
    async with live() as on:
        may_only(on, ("create", "rolebindings"))
        assert await on.cluster.create_namespace("myapp") is None
        assert await on.cluster.create_namespace("myapp") is None, "the binding exists by now"
        assert await on.admin.get(HOME.at("RoleBinding", "convox-bot")) is not None


async def test_a_cluster_wide_grant_without_the_right_to_namespaces_needs_an_administrator():
    async with live(namespace=False) as on:
        may_only(on, ("patch", "deployments"))
        assert (
            await on.cluster.create_namespace("myapp") == "convox-bot app-manifest myapp | kubectl apply -f -"
        )


async def test_rights_in_the_namespace_are_given_to_the_bots_own_account():
    async with live(namespace=False) as on:
        may_only(on, ("create", "namespaces"), ("create", "rolebindings"))
        assert await on.cluster.create_namespace("myapp") is None
        binding = await on.admin.get(
            Address(kind="RoleBinding", namespace=HOME.namespace, name="convox-bot", app="myapp")
        )
        assert binding is not None
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": "convox-bot", "namespace": "convox-system"}
        ]


async def test_a_binding_that_the_cluster_refuses_is_left_to_an_administrator():
    async with live(namespace=False) as on:
        may_only(on, ("create", "namespaces"), ("create", "rolebindings"))
        on.simulated.faults.order(
            Fault(matches=lambda v, p: v == "create" and p.endswith("rolebindings"), status=403)
        )
        assert (
            await on.cluster.create_namespace("myapp") == "convox-bot app-manifest myapp | kubectl apply -f -"
        )


async def test_a_manifest_of_two_services_is_applied_whole():
    async with live() as on:
        manifest = MANIFEST + "  worker:\n    image: registry.example/worker\n"
        bundle = on.bundle(manifest=manifest)
        await on.cluster.preflight("myapp", bundle, token=1, force=False)
        applied = await on.apply(bundle)
        assert {a.ref for a in applied} == set(bundle.refs)
        assert Ref("Deployment", "worker") in bundle.refs

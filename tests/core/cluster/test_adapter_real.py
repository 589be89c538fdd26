"""The same promises on a real API server, with the rights that `deploy/` gives and no others."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.clock import SystemClock
from core.cluster.adapter import KubernetesCluster
from core.cluster.annotating import annotated
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_file
from core.cluster.fencing import AppNamespace
from core.cluster.kinds.config_map import ANCHOR
from core.cluster.labels import CHANGE_CAUSE_ANNOTATION, SCALE_MANAGER, TOKEN_ANNOTATION
from core.errors import Rejected
from core.records.bundle import Ref
from core.records.change_cause import ChangeCause
from core.records.cluster_event import ClusterEvent
from core.records.desired_state import DesiredState
from core.records.intent import Intent
from core.records.line import Line
from core.records.observation import Readiness, ServiceState
from tests.core.cluster.live import WEB, Bench, claim, counted
from tests.fakes import NO_SECRETS


@pytest.fixture
async def bench(control_plane, app_namespace) -> AsyncIterator[Bench]:
    clock = SystemClock()
    home = AppNamespace("convox", (await app_namespace()).removeprefix("convox-"))
    bot = KubeClient(from_file(str(control_plane.kubeconfig("convox-bot"))), clock=clock)
    admin = KubeClient(from_file(str(control_plane.kubeconfig())), clock=clock)
    async with bot, admin:
        yield Bench(
            clock=clock, admin=admin, cluster=KubernetesCluster(bot, rack="convox", clock=clock), home=home
        )


async def test_a_release_is_checked_applied_scaled_watched_and_applied_again(bench: Bench, kubelet):
    app, bundle = bench.home.app, bench.bundle()
    intent = await bench.cluster.read_baseline(app, bundle.refs)
    await bench.cluster.preflight(app, bundle, token=1, force=False)
    assert not any(o.existed for o in (await bench.cluster.read_baseline(app, bundle.refs)).objects)
    async with bench.cluster.watch(app, intent, NO_SECRETS) as watch:
        applied = await bench.apply(bundle)
        scaled = await bench.cluster.scale(app, WEB, 2, token=1)
        watch.aim(DesiredState(release=bundle.release, bundle=bundle, applied=applied))
        lines: list[Line] = []
        services: tuple[ServiceState, ...] = ()
        async with asyncio.timeout(50):
            while not services or services[0].readiness is not Readiness.READY:
                look = await watch.next(1.0)
                lines += look.lines
                services = look.services
    assert (services[0].desired, services[0].ready) == (2, 2)
    assert [line.text for line in lines if line.object == "web"][-1].endswith("to 2")
    assert sum(line.text == "Started container main" for line in lines) == 2
    again = await bench.apply(bundle, token=2)
    assert not any(a.changed for a in again)
    # A changed annotation alone raises a Deployment's generation on a real API server.
    assert again[-1].generation > scaled.generation
    sets, _ = await bench.admin.list(bench.home.at("ReplicaSet"))
    assert len(sets) == 1, "the token is in no pod template"
    there = await bench.get(WEB)
    assert there["spec"]["replicas"] == 2
    assert there["metadata"]["annotations"][TOKEN_ANNOTATION] == "2"
    books = {b["manager"]: b["fieldsV1"] for b in there["metadata"]["managedFields"]}
    assert books[SCALE_MANAGER] == {"f:spec": {"f:replicas": {}}}


async def test_a_restart_makes_another_replica_set_and_its_way_back_takes_the_one_of_before(
    bench: Bench, kubelet
):
    app, bundle = bench.home.app, bench.bundle()
    await bench.apply(bundle)

    async def sets() -> dict[str, int]:
        found, _ = await bench.admin.list(bench.home.at("ReplicaSet"))
        return {each["metadata"]["name"]: each["spec"]["replicas"] for each in found}

    async with asyncio.timeout(50):
        while len(before := await sets()) != 1:
            await bench.clock.sleep(0.1)
        noted = await bench.cluster.restart(app, WEB, "2026-11-24T12:00:00+00:00", token=1)
        assert noted.changed
        while len(await sets()) != 2:
            await bench.clock.sleep(0.1)
        again = (await bench.apply(bundle, token=2))[-1]
        assert (again.changed, again.template) == (False, noted.template)
        back = await bench.cluster.restart(app, WEB, "", token=2)
        (name,) = before
        while (await sets())[name] != 1:
            await bench.clock.sleep(0.1)
    assert (back.changed, len(await sets())) == (True, 2)
    seen = (await bench.cluster.processes(app)).processes
    assert {(p.service, p.release) for p in seen} == {("web", bundle.release)}


async def test_what_was_made_is_removed_with_its_preconditions(bench: Bench, kubelet):
    app, bundle = bench.home.app, bench.bundle()
    applied = await bench.apply(bundle, token=3)
    with pytest.raises(Rejected, match="a newer promotion"):
        await bench.cluster.delete(app, WEB, uid=applied[-1].uid, token=2)
    await bench.cluster.delete(app, WEB, uid="another", token=3)
    assert (await bench.get(WEB))["metadata"].get("deletionTimestamp") is None
    async with bench.cluster.watch(app, Intent(namespace_uid="", objects=()), NO_SECRETS) as watch:
        watch.aim(DesiredState(release=bundle.release, bundle=None, absent=bundle.refs))
        for one in applied:
            await bench.cluster.delete(app, one.ref, uid=one.uid, token=3)
        async with asyncio.timeout(30):
            while not (look := await watch.next(1.0)).synced or look.services:
                pass
    for one in applied:
        await bench.cluster.delete(app, one.ref, uid=one.uid, token=3)


async def test_an_overtaken_writer_and_a_foreign_object_are_refused(bench: Bench):
    app, bundle = bench.home.app, bench.bundle()
    await bench.apply(bundle, token=5)
    with pytest.raises(Rejected, match=r"a newer promotion has already written Deployment/web"):
        await bench.cluster.apply(app, bundle, WEB, token=4, force=True)
    manifest = "services:\n  api:\n    image: registry.example/api\n    port: 80\n"
    foreign = {"ports": [{"port": 80}], "selector": {"x": "y"}}
    await bench.make({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api"}, "spec": foreign})
    with pytest.raises(Rejected, match="Service/api exists already and is not the bot's own"):
        await bench.cluster.preflight(app, bench.bundle(manifest=manifest), token=5, force=False)


async def test_another_tools_field_stops_a_promotion_and_not_a_rollback(bench: Bench, control_plane):
    bundle = bench.bundle("web:1")
    await bench.apply(bundle)
    await control_plane.kubectl(
        "set", "image", "deployment/web", "main=registry.example/web:hand", f"-n{bench.home.namespace}"
    )
    with pytest.raises(Rejected, match=r"another tool owns .*main.*\.image \(set by kubectl-set\)"):
        await bench.cluster.preflight(bench.home.app, bundle, token=1, force=False)
    assert "main" in (await bench.apply(bundle, force=True))[-1].overwrote
    container = (await bench.get(WEB))["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example/web:1"


async def test_the_cause_of_a_change_is_told_to_kubectl_and_stands_over_what_was_written_by_hand(
    bench: Bench, control_plane, kubelet
):
    bundle, where = bench.bundle(), f"-n{bench.home.namespace}"
    for number in (1, 2):
        cause = ChangeCause(promotion=f"P{number}", requested_by="@alice", text=f"promotion {number}")
        sent = annotated(bundle, cause)
        await bench.cluster.preflight(bench.home.app, sent, token=number, force=False)
        applied = await bench.apply(sent, token=number)
        assert any(a.changed for a in applied) == (number == 1)
        async with asyncio.timeout(20):
            while f"promotion {number}" not in await control_plane.kubectl(
                "rollout", "history", "deployment/web", where
            ):
                await bench.clock.sleep(0.1)
        await control_plane.kubectl(
            "annotate", "--overwrite", "deployment/web", f"{CHANGE_CAUSE_ANNOTATION}=by hand", where
        )
    sets, _ = await bench.admin.list(bench.home.at("ReplicaSet"))
    assert len(sets) == 1, "no promotion of the same release replaces a pod"
    labels = ",".join(f"app.kubernetes.io/{key}" for key in ("name=web", "version=" + bundle.release))
    assert "deployment.apps/web" in await control_plane.kubectl(
        "get", "deploy,svc", "-oname", "-l", labels, where
    )


async def test_an_event_is_written_once_and_kubectl_shows_it_on_what_it_is_about(bench: Bench, control_plane):
    where = f"-n{bench.home.namespace}"
    await bench.apply(bench.bundle())
    event = ClusterEvent(
        name="web.pabcdefghij.started",
        ref=WEB,
        reason="RolloutStarted",
        action="Promote",
        note="ä" * 1000,
        warning=False,
        at=bench.clock.now(),
    )
    missing = replace(event, name="gone.pabcdefghij.ended", ref=Ref("Deployment", "gone"), warning=True)
    for each in (event, event, missing):
        await bench.cluster.record_event(bench.home.app, each)
    found = await control_plane.kubectl("get", "events", where, "-oname")
    assert found.split().count("event/web.pabcdefghij.started") == 1
    assert "event/gone.pabcdefghij.ended" in found
    described = await control_plane.kubectl("describe", "deployment/web", where)
    assert "RolloutStarted" in described
    assert "convox-bot" in described
    with pytest.raises(Rejected):
        await bench.cluster.record_event(bench.home.app, replace(event, name="Not A Name"))


async def test_a_count_by_hand_survives_and_secrets_stay_as_they_are(bench: Bench, control_plane):
    await bench.apply(bench.bundle("web:1"))
    await bench.cluster.scale(bench.home.app, WEB, 2, token=1)
    await control_plane.kubectl("scale", "deployment/web", "--replicas=5", f"-n{bench.home.namespace}")
    await bench.apply(bench.bundle("web:2"), force=True)
    assert (await bench.get(WEB))["spec"]["replicas"] == 5
    assert (await bench.cluster.scale(bench.home.app, WEB, 0, token=1)).changed
    assert (await bench.get(WEB))["spec"]["replicas"] == 0
    bench.sequence -= 1
    with pytest.raises(Rejected, match=r"Secret/env-web-\w+: .*immutable"):
        await bench.cluster.preflight(
            bench.home.app, bench.bundle(environment={"COLOUR": "red"}), token=1, force=False
        )


async def test_a_count_that_was_applied_under_our_name_survives_an_apply_that_leaves_it_out(bench: Bench):
    bundle = bench.bundle("web:1")
    await bench.apply(bundle)
    await bench.make(counted(bundle, 3), manager="convox-bot")
    for image in ("web:2", "web:3"):
        await bench.apply(bench.bundle(image))
        assert (await bench.get(WEB))["spec"]["replicas"] == 3


async def test_an_anchor_is_claimed_by_one_installation_and_rises(bench: Bench):
    cluster, app = bench.cluster, bench.app()
    first = await cluster.claim_anchor(app, claim("one", 1))
    assert not (await cluster.claim_anchor(app, claim("one", 1))).changed
    results = await asyncio.gather(
        *(cluster.claim_anchor(app, claim("one", t)) for t in (2, 3)), return_exceptions=True
    )
    assert all(isinstance(r, Rejected) for r in results if isinstance(r, BaseException))
    anchor = await bench.get(ANCHOR)
    assert (anchor["data"]["token"], anchor["metadata"]["uid"]) == ("3", first.uid)
    with pytest.raises(Rejected, match="belongs to another installation"):
        await cluster.claim_anchor(app, claim("two", 9))
    with pytest.raises(Rejected, match=r"the same number \(3\) by another promotion \(P3\)"):
        await cluster.claim_anchor(app, claim("one", 3, "P9", touched=True))
    with pytest.raises(Rejected, match="newer number"):
        await cluster.check_anchor(app, claim("one", 2))


async def test_a_namespace_without_rights_says_what_an_administrator_applies(bench: Bench):
    command = "convox-bot app-manifest nobody | kubectl apply -f -"
    assert await bench.cluster.create_namespace("nobody") == command
    with pytest.raises(
        Rejected, match=r"the bot may not get namespaces in namespace convox-nobody; .*app-manifest nobody"
    ):
        await bench.cluster.read_baseline("nobody", [])
    assert await bench.cluster.create_namespace(bench.home.app) is None


async def test_what_others_have_set_in_a_pod_template_is_really_taken_away(bench: Bench, control_plane):
    """Engine rule 45: server-side apply alone would keep it for ever, forced or not."""
    bundle = bench.bundle("web:1")
    await bench.apply(bundle)
    first = (await bench.get(WEB))["spec"]["template"]
    namespace = f"-n{bench.home.namespace}"
    await control_plane.kubectl("set", "env", "deployment/web", "DEBUG=1", namespace)
    extra = {
        "containers": [
            {"name": "shell", "image": "registry.example/shell", "env": [{"name": "A", "value": "b"}]}
        ]
    }
    await bench.make(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"template": {"spec": extra}},
        },
        manager="injector",
    )
    for attempt in (
        bench.cluster.preflight(bench.home.app, bundle, token=1, force=False),
        bench.cluster.apply(bench.home.app, bundle, WEB, token=1, force=False),
    ):
        with pytest.raises(Rejected, match=r"env\[name=\"DEBUG\"\] \(set by kubectl-set\)") as refused:
            await attempt
        assert 'containers[name="shell"] (set by injector)' in str(refused.value)
    before = (await bench.get(WEB))["metadata"]["generation"]
    applied = (await bench.apply(bundle, force=True))[-1]
    live = await bench.get(WEB)
    assert live["spec"]["template"] == first
    assert live["metadata"]["generation"] == before + 1, "one change, so one rollout"
    assert "(set by kubectl-set)" in applied.overwrote
    assert (await bench.apply(bench.bundle("web:2")))[-1].overwrote == ""


async def test_after_an_undo_and_a_rollback_promotions_go_on(bench: Bench, control_plane, kubelet):
    """Engine rule 46: a forced apply of equal values shared the fields, and every promotion after it was refused."""
    app, first = bench.home.app, bench.bundle("web:1")
    await bench.apply(first)
    await bench.apply(bench.bundle("web:2"))
    async with asyncio.timeout(30):
        while len((await bench.admin.list(bench.home.at("ReplicaSet")))[0]) < 2:
            await bench.clock.sleep(0.2)
    await control_plane.kubectl("rollout", "undo", "deployment/web", f"-n{bench.home.namespace}")
    third = bench.bundle("web:3")
    with pytest.raises(Rejected, match=r"set by kubectl\)"):
        await bench.cluster.preflight(app, third, token=1, force=False)
    await bench.cluster.preflight(app, first, token=1, force=True)
    await bench.apply(first, force=True)
    await bench.cluster.preflight(app, third, token=1, force=False)
    await bench.apply(third)
    books = (await bench.get(WEB))["metadata"]["managedFields"]
    assert {b["manager"] for b in books if not b.get("subresource")} == {"convox-bot"}


async def test_what_others_own_with_the_same_value_is_no_conflict(bench: Bench):
    bundle = bench.bundle("web:1")
    await bench.apply(bundle)
    same = {"containers": [{"name": "main", "image": "registry.example/web:1"}]}
    spec = {"minReadySeconds": 5, "template": {"spec": same}}
    await bench.make(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec},
        manager="argocd",
    )
    second = bench.bundle("web:2")
    await bench.cluster.preflight(bench.home.app, second, token=1, force=False)
    await bench.apply(second)
    assert not [b for b in (await bench.get(WEB))["metadata"]["managedFields"] if b["manager"] == "argocd"]

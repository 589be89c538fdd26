"""A count that a person sets: refused where it is not theirs to set, and neither forgotten nor set twice by a crash."""

import json
from dataclasses import replace

import pytest

from core import failpoints
from core.errors import Busy, Conflict, NotFound, Rejected, Unavailable, Unreachable
from core.promotion import Phase
from core.records.bundle import Ref
from core.sentence import Sentence
from core.usecases.scaler import Scaler
from tests.chain import audit_rows
from tests.core.world import ALICE, BOB, World, by, manifest, until
from tests.fakes import progressing

CHANNEL = by(BOB, "C1")


async def audited(w: World) -> list[tuple[str, str, dict[str, object]]]:
    """Return what the audit has of counts: action, subject, details."""
    rows = await audit_rows(w.store)
    return [
        (r["action"], r["subject"], json.loads(r["detail"]))
        for r in rows
        if r["action"].startswith("service.")
    ]


async def told(w: World) -> list[tuple[str, Sentence]]:
    due = await w.store.outbox.notices.due()
    return [(each.channel, each.said) for each in due if each.kind != "build"]


async def test_a_count_is_set_audited_and_said_in_the_apps_channel(w: World):
    await w.good()
    made = await w.scaler.scale(by(BOB, "C9"), "myapp", "web", 5)
    assert (made.before, made.count, w.cluster.replicas["web"]) == (2, 5, 5)
    assert w.cluster.requests[-3:] == ["processes", "check anchor", "scale web 5"]
    both = {"app": "myapp", "object": "Deployment/web"}
    assert await audited(w) == [
        ("service.scale", "myapp/web", {**both, "from": 2, "to": 5}),
        ("service.scaled", "myapp/web", {"app": "myapp", "to": 5}),
    ]
    assert await told(w) == [("C1", Sentence.of(BOB, " scaled web of myapp from 2 to 5"))]
    assert await w.store.read.scale_jobs() == []


async def test_it_survives_the_next_release_and_is_what_a_removed_deployment_comes_back_with(w: World):
    await w.good()
    await w.scaler.scale(CHANNEL, "myapp", "web", 5)
    counts = await w.store.read.workload_counts("myapp")
    assert {(ref.name, each.count, each.replicas) for ref, each in counts.items()} == {("web", 2, 5)}
    await w.promote((await w.build()).release.id)
    assert w.cluster.replicas["web"] == 5


async def test_0_is_a_count(w: World):
    await w.good()
    assert (await w.scaler.scale(CHANNEL, "myapp", "web", 0)).before == 2
    assert w.cluster.replicas["web"] == 0


async def test_the_count_that_it_has_already_is_neither_sent_nor_audited_nor_told(w: World):
    await w.good()
    made = await w.scaler.scale(CHANNEL, "myapp", "web", 2)
    assert (made.before, made.count) == (2, 2)
    assert not [r for r in w.cluster.requests if r == "scale web 2"][1:]
    assert (await audited(w), await told(w)) == ([], [])


async def test_an_app_without_a_channel_has_its_audit_row_and_no_message(w: World):
    await w.registrar.create_app(by(ALICE), "quiet")
    await w.good("quiet")
    await w.scaler.scale(by(BOB), "quiet", "web", 3)
    assert [action for action, _, _ in await audited(w)] == ["service.scale", "service.scaled"]
    assert await told(w) == []


async def test_while_a_rollout_runs_it_is_refused_with_who_and_since_when(w: World):
    await w.good()
    slow = (await w.build(text=manifest(digit="1"))).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    flying = (await w.ask(slow)).promotion
    await until(w, flying.id, Phase.UPDATING)
    with pytest.raises(Busy, match="^app is currently updating: @u01alice promotes R") as refused:
        await w.scaler.scale(CHANNEL, "myapp", "web", 5)
    assert refused.value.hint == "scale it when that has ended: a rollout keeps the count that web has"
    assert await audited(w) == []


async def test_a_count_that_an_autoscaler_owns_is_not_a_persons_to_set(w: World):
    await w.good(text=manifest().replace("scale: 2", "scale: {count: 2-5, targets: {cpu: 70}}"))
    with pytest.raises(Conflict, match="^web is scaled by its autoscaler, which would undo it$") as refused:
        await w.scaler.scale(CHANNEL, "myapp", "web", 5)
    assert refused.value.hint == "its limits are under `scale` in convox.yml: change them there"
    assert await audited(w) == []


async def test_before_the_first_release_there_is_nothing_to_scale(w: World):
    with pytest.raises(NotFound, match="^no release for app: myapp$"):
        await w.scaler.scale(CHANNEL, "myapp", "web", 5)


async def test_an_unknown_service_is_named_with_the_one_that_was_meant(w: World):
    await w.good()
    with pytest.raises(NotFound, match="^no such service: wbe$") as refused:
        await w.scaler.scale(CHANNEL, "myapp", "wbe", 5)
    assert refused.value.hint == "did you mean web? myapp has web"


async def test_a_deployment_that_somebody_has_removed_is_said(w: World):
    release = await w.good()
    for ref in [ref for ref in w.cluster.live if ref.name == "web"]:
        del w.cluster.live[ref]
    with pytest.raises(Conflict, match="^there is no Deployment/web in the cluster") as refused:
        await w.scaler.scale(CHANNEL, "myapp", "web", 5)
    assert str(refused.value.hint) == f"`releases promote {release} -a myapp` makes it anew"


async def test_what_runs_once_on_every_node_has_no_count(w: World, monkeypatch: pytest.MonkeyPatch):
    await w.good()
    every = replace(w.cluster.traits(Ref("Deployment", "web")), counted=False)
    monkeypatch.setattr(w.cluster, "traits", lambda _ref: every)
    with pytest.raises(Conflict, match="^web has no count to set: it runs as a Deployment"):
        await w.scaler.scale(CHANNEL, "myapp", "web", 5)


async def test_on_a_full_disk_nothing_is_set(w: World):
    full = Scaler(
        w.store, w.cluster, w.scaler._access, w.announcer, why_not_startable=lambda: "the disk is full"
    )
    with pytest.raises(Unavailable, match="^the disk is full$"):
        await full.scale(CHANNEL, "myapp", "web", 5)


@pytest.mark.parametrize(
    ("error", "at", "kind", "said"),
    [
        (Unreachable("no answer"), "processes", Unavailable, "the cluster cannot be asked now: no answer"),
        (Rejected("no right"), "processes", Conflict, "the cluster does not tell: no right"),
        (Rejected("not ours"), "check anchor", Conflict, "the cluster refuses to scale it: not ours"),
        (Unreachable("no answer"), "scale web 5", Unavailable, "the cluster did not answer: no answer"),
    ],
)
async def test_what_the_cluster_does_not_do_is_said_and_never_tried_again_by_itself(
    w: World, error: Exception, at: str, kind: type[Exception], said: str
):
    await w.good()

    def refuse(request: str) -> None:
        if request == at:
            raise error

    w.cluster.refuse = refuse
    with pytest.raises(kind, match=f"^{said}$"):
        await w.scaler.scale(CHANNEL, "myapp", "web", 5)
    begun = at != "processes"
    assert [action for action, _, _ in await audited(w)] == ["service.scale", "service.unscaled"] * begun
    assert await w.store.read.scale_jobs() == []
    assert await told(w) == []


class DeathError(Exception):
    pass


@pytest.mark.parametrize("point", ["scale.after_request", "scale.after_effect"])
async def test_a_crash_in_the_middle_ends_with_the_count_set_and_said_once(w: World, point: str):
    await w.good()

    def die(name: str) -> None:
        if name == point:
            raise DeathError

    failpoints.arm(die)
    try:
        with pytest.raises(DeathError):
            await w.scaler.scale(CHANNEL, "myapp", "web", 5)
    finally:
        failpoints.arm(None)
    await w.scaler.resume()
    await w.scaler.resume()
    assert w.cluster.replicas["web"] == 5
    assert [action for action, _, _ in await audited(w)] == ["service.scale", "service.scaled"]
    assert len(await told(w)) == 1


async def test_what_is_refused_after_a_restart_is_in_the_log_and_the_audit(
    w: World, caplog: pytest.LogCaptureFixture
):
    await w.good()
    failpoints.arm(lambda name: (_ for _ in ()).throw(DeathError) if name == "scale.after_request" else None)
    try:
        with pytest.raises(DeathError):
            await w.scaler.scale(CHANNEL, "myapp", "web", 5)
    finally:
        failpoints.arm(None)

    def refuse(request: str) -> None:
        raise Rejected("a newer promotion has already written Deployment/web")

    w.cluster.refuse = refuse
    await w.scaler.resume()
    assert [action for action, _, _ in await audited(w)] == ["service.scale", "service.unscaled"]
    assert (
        "web of myapp was not scaled to 5: the cluster refuses to scale it: a newer promotion" in caplog.text
    )
    assert await w.store.read.scale_jobs() == []

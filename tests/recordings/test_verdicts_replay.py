"""The verdict itself, replayed: what a real kubelet did, judged at every instant as a rollout would judge it."""

from dataclasses import dataclass, replace
from functools import cache

import pytest
import yaml

from core.cluster.snapshot import Snapshot
from core.cluster.watching.readiness import service_state
from core.promotion import PromotionEvent
from core.records.bundle import Bundle
from core.records.observation import Observation, ServiceState
from core.records.progress import Limits, Progress
from core.rollout.verdict import judge
from tests.recordings.load import ARCHIVE, JUDGED, Recording, recordings

EXPECTED = yaml.safe_load(ARCHIVE.with_name("expected.yaml").read_text(encoding="utf-8"))
LOOK = 250  # ms between two looks where nothing changes
GOOD = sorted(
    name
    for name in recordings()
    if name.split("/")[-1].startswith(
        ("good", "slow-good", "env-only", "min-ready", "crash-twice-then-good", "pull-slow", "pull-transient",
         "missing-secret-then-made", "init-slow", "prestop", "surge-0-1", "surge-2-0", "no-op")
    )
    or name.split("/")[-1] == "surge-25-25"
)  # fmt: skip
# These become complete and break later: the settle window is what catches them.
COMPLETE_THEN_BROKEN = ("crash-late", "oom", "oom-child", "liveness-failing")
# Not the release's fault: old pods that cannot go, a lost node, pods evicted and replaced (engine rule 34).
DISRUPTED = frozenset({"finalizer", "node-lost", "node-lost-only-node", "evicted"})
BAD = sorted(EXPECTED["trouble"].keys() - set(GOOD) - DISRUPTED)


@dataclass(frozen=True)
class Ending:
    event: PromotionEvent
    after: float  # seconds after the apply
    cause: str


@cache
def verdict(name: str, phase: str = "v2", deadline: float = 3600.0) -> Ending | None:
    return judged(recordings()[name], phase, deadline)


def judged(
    recording: Recording, phase: str = "v2", deadline: float = 3600.0, *, rest: float = 0.0
) -> Ending | None:
    """Return the first verdict after the apply of a phase, looking at every change and four times a second.

    The recordings end some seconds after a rollout is complete. With `rest` it is looked on for so many seconds as if nothing
    happened any more.
    """
    applied = recording.applied(phase)
    begin = recording.applied_at(phase)
    service = recording.service
    bundle = Bundle(release=recording.release(phase), app="shop", objects=(), services=(service,), digest="")
    limits = Limits(deadline=deadline, longest=3600.0)
    snapshot, progress, last = Snapshot(), Progress(), begin
    state: ServiceState | None = None

    def look(at: int) -> Ending | None:
        nonlocal progress, last, state
        state = state or service_state(snapshot, service, applied, recording.release(phase))
        said = judge(
            progress,
            Observation(synced=True, services=(state,)),
            bundle=bundle,
            limits=limits,
            elapsed=(at - last) / 1000,
        )
        progress, last = said.progress, at
        return Ending(said.event, (at - begin) / 1000, said.cause) if said.event else None

    for step in recording.steps:
        if step.at > begin and step.phase == phase:
            for at in range(last + LOOK, step.at, LOOK):
                if found := look(at):
                    return found
        elif step.at > begin:
            break
        if step.delta is not None:
            snapshot, state = snapshot.after(step.delta), None
        if step.at >= begin and step.phase == phase and (found := look(step.at)):
            return found
    ticks = range(last + LOOK, last + int(rest * 1000), LOOK)
    return next((found for at in ticks if (found := look(at))), None)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_rollout_is_never_called_broken(name: str):
    ending = verdict(name)
    assert ending is None or ending.event is PromotionEvent.VERIFIED, ending


@pytest.mark.parametrize(
    "name", sorted(n for n, e in EXPECTED["trouble"].items() if e.get("permanent") and e["kind"] == "image")
)
def test_a_bad_image_is_broken_within_15_seconds_of_the_first_report(name: str):
    ending = verdict(name)
    assert ending is not None
    assert ending.event is PromotionEvent.BROKEN
    assert ending.after <= EXPECTED["trouble"][name]["first"] / 1000 + 15


@pytest.mark.parametrize("name", BAD)
def test_no_bad_rollout_is_ever_called_verified(name: str):
    ending = verdict(name)
    assert ending is None or ending.event is not PromotionEvent.VERIFIED, ending


@pytest.mark.parametrize("name", COMPLETE_THEN_BROKEN)
def test_what_breaks_after_it_was_complete_is_caught_by_the_window(name: str):
    ending = verdict(name)
    assert ending is not None
    assert ending.event is PromotionEvent.BROKEN, ending


@pytest.mark.parametrize("name", ["crash", "crash-message", "crash-quiet", "crash-one-replica", "exit-zero"])
def test_a_crash_at_start_is_broken_before_a_minute_is_over(name: str):
    ending = verdict(name)
    assert ending is not None
    assert ending.event is PromotionEvent.BROKEN
    assert ending.after < 60


@pytest.mark.parametrize(
    "name", ["never-ready", "deadline-10", "deadline-10-deaf", "deadline-10-one-replica"]
)
def test_what_never_becomes_ready_ends_at_our_own_deadline_with_its_cause(name: str):
    ending = verdict(name, deadline=9.0)
    assert ending is not None
    assert ending.event is PromotionEvent.OVERDUE
    assert ending.cause.startswith("no progress for 9 s: ")


@pytest.mark.parametrize(
    "name",
    sorted(n for n in recordings() if n.startswith(("deadline-10", "image-", "crash", "oom", "pull-"))),
)
def test_a_rollback_right_after_a_failure_is_never_called_broken(name: str):
    """The sticky ProgressDeadlineExceeded of the failed release is still there: kubernetes-rollouts, race 2."""
    ending = verdict(name, "rollback")
    assert ending is None or ending.event is PromotionEvent.VERIFIED, ending


def test_the_replay_would_notice_a_verdict_at_the_first_complete_status():
    """Without the settle window `crash-late` would be called good: the test above can fail."""
    recording = recordings()["crash-late"]
    complete = recording.at("complete", "v2")
    broken = verdict("crash-late")
    assert complete is not None
    assert broken is not None
    assert (complete - recording.applied_at("v2")) / 1000 < broken.after
    assert replace(broken, after=0.0).event is PromotionEvent.BROKEN


# What kubelets write, and what any machine of the cluster does.
NODES, EVERYBODY = ("Pod", "Event"), JUDGED
# Of the others the API server refused the second release, so there is nothing to judge.
ROLLED_OUT = sorted(
    name
    for name, recording in recordings().items()
    if any(each["phase"] == "v2" for each in recording.applies)
)


@pytest.mark.parametrize("machines", [NODES, EVERYBODY], ids=["nodes", "cluster"])
@pytest.mark.parametrize("seconds", [-120, -30, 30, 120])
def test_no_clock_of_another_machine_changes_a_verdict(seconds: int, machines: tuple[str, ...]):
    """Engine rule 51: two minutes ahead of the bot made the settle window of seven of these vanish."""
    for name in ROLLED_OUT:
        rest = 60.0 if name in GOOD else 0.0
        then = judged(recordings()[name].shifted(seconds, *machines), rest=rest)
        now = judged(recordings()[name], rest=rest)
        assert then == now, name


@pytest.mark.parametrize("name", GOOD)
def test_a_good_rollout_is_said_to_be_good_20_s_after_its_start_or_10_s_after_it_is_ready(name: str):
    """Engine rule 55; the recorded ones start within a tenth of a second, and some become ready much later."""
    recording = recordings()[name]
    ending = judged(recording, rest=60.0)
    assert ending is not None
    assert ending.event is PromotionEvent.VERIFIED, ending
    if (completed := recording.at("complete", "v2")) is not None:
        since = ending.after - (completed - recording.applied_at("v2")) / 1000
        assert 5 <= since <= 20, (
            "it was complete after min_ready, and the first pod may have stood its window by then"
        )

"""Which looks are kept: each change of a short rollout, few of a long one, and always the last of a stage."""

from datetime import timedelta
from typing import Any

from core.promotion import Phase
from core.records.observation import PodObservation, Readiness, ServiceState
from core.records.pod_sample import PodSample, ServicePods
from core.rollout.sampling import Sampler, counts_of, stage_of
from tests.fakes import START


def sample(second: float, ready: int = 0, stage="forward") -> PodSample:
    counts = {"web": ServicePods(new=2, new_ready=ready, wanted=2)}
    return PodSample(at=START + timedelta(seconds=second), stage=stage, services=counts)


def seconds(sampler: Sampler) -> list[float]:
    return [(each.at - START).total_seconds() for each in sampler.waiting]


def state(name="web", *, ready=1, pods=2, other_ready=1, **changes: Any) -> ServiceState:
    found = tuple(PodObservation(uid=f"u{n}", ready=n < ready) for n in range(pods))
    return ServiceState(
        name=name,
        readiness=Readiness.PROGRESSING,
        sentence="",
        desired=2,
        pods=found,
        other_ready=other_ready,
        **changes,
    )


def test_the_phase_says_which_way_it_goes():
    assert stage_of(Phase.UPDATING) == "forward"
    assert stage_of(Phase.COUNTDOWN) == "countdown"
    assert {stage_of(p) for p in (Phase.ERROR, Phase.CANCELLED, Phase.ROLLBACK)} == {"back"}


def test_pods_that_are_aimed_at_are_the_new_ones_and_on_the_way_back_the_old_ones():
    assert counts_of([state()], "forward") == {"web": ServicePods(new=2, new_ready=1, old_ready=1, wanted=2)}
    assert counts_of([state()], "back") == {"web": ServicePods(new=1, new_ready=1, old_ready=1, wanted=2)}


def test_what_runs_no_release_or_cannot_be_seen_is_not_counted():
    assert counts_of([state("db", released=False), state("web", seen=False)], "forward") == {}


def test_the_first_look_is_kept_and_then_changes_only():
    sampler = Sampler()
    for second, ready in ((0, 0), (3, 0), (6, 1), (9, 1)):
        sampler.see(sample(second, ready))
    assert seconds(sampler) == [0, 6]


def test_a_change_too_soon_after_another_is_kept_a_moment_later():
    sampler = Sampler()
    for second, ready in ((0, 0), (0.5, 1), (1.2, 1)):
        sampler.see(sample(second, ready))
    assert seconds(sampler) == [0, 1.2]


def test_the_last_look_of_a_stage_is_kept_once_and_so_is_the_first_of_the_next():
    sampler = Sampler()
    sampler.close()
    sampler.see(sample(0))
    sampler.see(sample(7))
    sampler.close()
    sampler.close()
    sampler.see(sample(7.1, stage="back"))
    assert seconds(sampler) == [0, 7, 7.1]
    sampler.stored()
    assert seconds(sampler) == []


def test_a_rollout_that_flaps_for_an_hour_leaves_few_rows():
    sampler = Sampler()
    for second in range(3600):
        sampler.see(sample(second, second % 2))
    assert len(sampler.waiting) < 500

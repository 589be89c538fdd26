"""Which of many looks are kept as samples: every change of a short rollout, and of a long one no more than can be drawn."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from core.promotion import GOING_BACK, Phase
from core.records.observation import ServiceState
from core.records.pod_sample import PodSample, SampleStage, ServicePods

# A change is kept at once in the first minutes. Later the gap grows with what has passed, so that the number of samples grows
# with its logarithm: 440 in the 50 minutes that a rollout may take by default.
LEAST_GAP, GAPS = 1.0, 100.0


def stage_of(phase: Phase) -> SampleStage:
    """Return which way a promotion in this phase goes."""
    if phase is Phase.COUNTDOWN:
        return "countdown"
    return "back" if phase in GOING_BACK else "forward"


def counts_of(services: Sequence[ServiceState], stage: SampleStage) -> Mapping[str, ServicePods]:
    """Return the pods of each service; on the way back the pods that are aimed at are the old ones."""
    return MappingProxyType({s.name: _counts(s, stage) for s in services if s.released and s.seen})


def _counts(state: ServiceState, stage: SampleStage) -> ServicePods:
    if stage == "back":
        return ServicePods(
            new=state.other_ready, new_ready=state.other_ready, old_ready=state.ready, wanted=state.desired
        )
    return ServicePods(
        new=len(state.pods), new_ready=state.ready, old_ready=state.other_ready, wanted=state.desired
    )


class Sampler:
    """Keeps what is worth a sample until a transaction stores it; it outlives the stages of one drive."""

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._kept: PodSample | None = None
        self._newest: PodSample | None = None
        self._waiting: list[PodSample] = []

    def see(self, sample: PodSample) -> None:
        """Take in what one look has counted."""
        self._first = self._first or sample.at
        self._newest = sample
        if self._kept is None or self._is_due(sample, self._kept, self._first):
            self._keep(sample)

    def _is_due(self, sample: PodSample, kept: PodSample, first: datetime) -> bool:
        if sample.stage != kept.stage:
            return True
        gap = max(LEAST_GAP, (sample.at - first).total_seconds() / GAPS)
        return sample.services != kept.services and (sample.at - kept.at).total_seconds() >= gap

    def _keep(self, sample: PodSample) -> None:
        self._kept = sample
        self._waiting.append(sample)

    @property
    def waiting(self) -> Sequence[PodSample]:
        """What is not stored yet."""
        return tuple(self._waiting)

    def close(self) -> None:
        """Keep the last look of a stage, whenever it was: that is the moment at which it ended."""
        if self._newest is not None and self._newest is not self._kept:
            self._keep(self._newest)

    def stored(self) -> None:
        """Forget what a transaction has stored, once it is committed."""
        self._waiting.clear()

"""How a rollout went, over time: without it a thread of a hundred lines is all there is to look at afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from core.ports.store import Transaction
from core.promotion import Phase, Promotion
from core.records.pod_sample import PodSample, SampleStage, ServicePods

# Ends that a person may want to see, unless a person made them.
FAILED = frozenset({Phase.REVERTED, Phase.FAILURE, Phase.STOPPED})
# A success is worth a picture when it took so many times what is usual, by at least so many earlier ones.
UNUSUAL, ENOUGH, EARLIER = 3, 3, 20
# More in one picture could not be read on a phone.
MOST_SERVICES = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which a rollout went one way, in seconds since it began."""

    stage: SampleStage
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Track:
    """The pods of one service: each count holds from its second until the next."""

    service: str
    points: tuple[tuple[float, ServicePods], ...]

    def at(self, second: float) -> ServicePods:
        """Return what there was at a moment; before the first point nothing is known, so the first has to do."""
        earlier = [counts for when, counts in self.points if when <= second]
        return earlier[-1] if earlier else self.points[0][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What one picture tells.

    Attributes:
        seconds: from the beginning to the end of the rollout.
        spans: which way it went, in order and without gaps.
        tracks: the services, those that were not complete when it failed first.
        left_out: how many services are in none of them.
        failed_at: when the way forward failed; None of a success.
    """

    seconds: float
    spans: tuple[Span, ...]
    tracks: tuple[Track, ...]
    left_out: int
    failed_at: float | None


async def add_picture_if_unusual(tx: Transaction, promotion: Promotion) -> None:
    """Ask for a picture of a promotion that has just ended, if it is worth one and there is a thread for it."""
    if promotion.channel is None or promotion.touched_at is None:
        return
    succeeded = promotion.phase is Phase.RUNNING
    earlier = await tx.succeeded(promotion.app, limit=EARLIER, but=promotion.id) if succeeded else []
    if is_unusual(promotion, [settled - started for started, settled in earlier]):
        await tx.add_picture(promotion.id)


def is_unusual(promotion: Promotion, earlier: Sequence[timedelta]) -> bool:
    """Tell whether an ended promotion failed, or took much longer than usual.

    Args:
        promotion: settled.
        earlier: how long the app's last successful ones took.
    """
    if promotion.phase in FAILED:
        return promotion.cancelled_by is None
    if promotion.phase is not Phase.RUNNING or len(earlier) < ENOUGH:
        return False
    usual = median(each.total_seconds() for each in earlier)
    return _took(promotion).total_seconds() > UNUSUAL * usual


def _took(promotion: Promotion) -> timedelta:
    assert promotion.started_at is not None, "it has ended after it began"
    assert promotion.settled_at is not None, "it has ended"
    return promotion.settled_at - promotion.started_at


def timeline(promotion: Promotion, samples: Sequence[PodSample]) -> Timeline | None:
    """Return what there is to draw of an ended promotion, None where too little was seen.

    Args:
        promotion: settled, and worth a picture.
        samples: oldest first.
    """
    began = promotion.started_at
    names = list(dict.fromkeys(name for sample in samples for name in sample.services))
    if began is None or not names:
        return None
    seconds = _took(promotion).total_seconds()
    failed_at = _failed_at(promotion, samples, began)
    tracks = [Track(name, _points(name, samples, began)) for name in names]
    # Sorting is stable: of equals the order of the manifest stays.
    tracks.sort(key=lambda track: not _is_late(track, seconds if failed_at is None else failed_at))
    return Timeline(
        seconds=seconds,
        spans=_spans(samples, began, seconds, failed_at),
        tracks=tuple(tracks[:MOST_SERVICES]),
        left_out=max(0, len(tracks) - MOST_SERVICES),
        failed_at=failed_at,
    )


def _failed_at(promotion: Promotion, samples: Sequence[PodSample], began: datetime) -> float | None:
    """Return when it failed: the last look on the way forward is the one that was judged."""
    if promotion.phase is Phase.RUNNING:
        return None
    forward = [sample.at for sample in samples if sample.stage == "forward"]
    return _since(began, forward[-1] if forward else samples[0].at)


def _points(
    name: str, samples: Sequence[PodSample], began: datetime
) -> tuple[tuple[float, ServicePods], ...]:
    found: list[tuple[float, ServicePods]] = []
    for sample in samples:
        counts = sample.services.get(name)
        if counts is not None and (not found or found[-1][1] != counts):
            found.append((_since(began, sample.at), counts))
    return tuple(found)


def _is_late(track: Track, second: float) -> bool:
    counts = track.at(second)
    return counts.new_ready < counts.wanted


def _spans(
    samples: Sequence[PodSample], began: datetime, seconds: float, failed_at: float | None
) -> tuple[Span, ...]:
    """Return the stretches; each lasts until the next begins."""
    bounds: list[tuple[SampleStage, float]] = [("forward", 0.0)]
    for sample in samples:
        if sample.stage != bounds[-1][0]:
            # The verdict turns it: what follows begins then, though its first look came a moment later.
            first = failed_at if len(bounds) == 1 else None
            bounds.append((sample.stage, _since(began, sample.at) if first is None else first))
    ends = [start for _, start in bounds[1:]] + [seconds]
    return tuple(Span(stage, start, end) for (stage, start), end in zip(bounds, ends, strict=True))


def _since(began: datetime, at: datetime) -> float:
    return max(0.0, (at - began).total_seconds())

"""How an app is delivered, in the four numbers that DORA asks for: how often, how fast, how often it fails, how soon it is mended.

As https://dora.dev/guides/dora-metrics-four-keys/ means them. What a person cancelled, what was taken over before it ended, a
restart, and what ended for a reason that is not its release's, is none of them: nobody would have called it a change that failed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from core.promotion import Phase, PromotionEntry

# What `stats` and the metrics look back on.
STATS_DAYS = 30
FAILED = frozenset({Phase.REVERTED, Phase.FAILURE, Phase.STOPPED})
ENDED = FAILED | {Phase.RUNNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStats:
    """The numbers of one app over some time.

    Attributes:
        deployments: rollouts of a release that went live or failed.
        failed: those of them that failed, or were rolled back later by a person.
        lead_seconds: median from a commit, or the build where its commit's time is not known, to being live; None without any.
        restored: how many of the failed ones are mended, and `restore_seconds` the median of how long that took.
    """

    since: datetime
    until: datetime
    deployments: int
    failed: int
    lead_seconds: float | None
    restored: int
    restore_seconds: float | None

    @property
    def failure_rate(self) -> float | None:
        """The share of the deployments that failed, from 0 to 1; None without any."""
        return self.failed / self.deployments if self.deployments else None

    @property
    def per_week(self) -> float:
        return self.deployments / max((self.until - self.since) / timedelta(weeks=1), 1 / 7)


def delivery_stats(
    ended: Sequence[PromotionEntry], made: Mapping[str, datetime], since: datetime, until: datetime
) -> DeliveryStats:
    """Return the numbers.

    Args:
        ended: what has touched the cluster and ended in that time, in the order in which it ended.
        made: release → when its commit was made, or its build.
        since: the beginning of the time.
        until: its end.
    """
    changes = [number for number, each in enumerate(ended) if _is_change(each)]
    first_lives = {ended[n].release: ended[n] for n in reversed(changes) if ended[n].phase is Phase.RUNNING}
    leads = [
        (live.settled_at - made[release]).total_seconds()
        for release, live in first_lives.items()
        if live.settled_at is not None and release in made
    ]
    failures = [number for number in changes if _failed(ended, number)]
    mended = [seconds for number in failures if (seconds := _restoring(ended, number)) is not None]
    return DeliveryStats(
        since=since,
        until=until,
        deployments=len(changes),
        failed=len(failures),
        lead_seconds=median(leads) if leads else None,
        restored=len(mended),
        restore_seconds=median(mended) if mended else None,
    )


def _is_change(promotion: PromotionEntry) -> bool:
    return (
        promotion.kind == "promote"
        and not promotion.restarts
        and promotion.phase in ENDED
        and promotion.cancelled_by is None
        and not promotion.blameless
    )


def _failed(ended: Sequence[PromotionEntry], number: int) -> bool:
    return ended[number].phase in FAILED or _rolled_back_by(ended, number) is not None


def _rolled_back_by(ended: Sequence[PromotionEntry], number: int) -> PromotionEntry | None:
    """Return the rollback by which a person took a live release back: the next that went live after it."""
    if ended[number].phase is not Phase.RUNNING:
        return None
    lives = (each for each in ended[number + 1 :] if each.phase is Phase.RUNNING and not each.restarts)
    after = next(lives, None)
    return after if after is not None and after.kind == "rollback" else None


def _restoring(ended: Sequence[PromotionEntry], number: int) -> float | None:
    """Return for how many seconds a failure was felt: from the first write, or from being live, until something good ran again."""
    failure = ended[number]
    if back := _rolled_back_by(ended, number):
        return _between(failure.settled_at, back.settled_at)
    if failure.phase is Phase.REVERTED:
        return _between(failure.touched_at, failure.settled_at)
    good = (each for each in ended[number + 1 :] if each.phase in {Phase.RUNNING, Phase.REVERTED})
    mended = next(good, None)
    return _between(failure.touched_at, mended.settled_at) if mended else None


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start is not None and end is not None else None

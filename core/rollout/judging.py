"""One look towards a verdict: what ends anything is seen twice, the second time by asking the API server."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from core.ports.cluster import Watch
from core.promotion import PromotionEvent
from core.records.desired_state import DesiredState
from core.records.observation import Observation
from core.records.progress import Limits, Progress
from core.rollout.settling import NO_EARLIER_PODS, EarlierPods
from core.rollout.verdict import Verdict, judge
from core.rollout.watched_time import WatchedTime

# One look a second at least: a cancel is noticed, the clocks are moved on, and nothing is polled but our own row.
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What stays the same in every look at one target.

    Attributes:
        earlier_pods: pods of the target that had stood their settle window before.
        unchanged: the applies changed nothing.
    """

    watch: Watch
    time: WatchedTime
    target: DesiredState
    limits: Limits
    earlier_pods: EarlierPods = field(default_factory=lambda: NO_EARLIER_PODS)
    unchanged: bool = False

    async def look(
        self, progress: Progress, *, only: Collection[PromotionEvent] = tuple(PromotionEvent)
    ) -> tuple[Verdict, Observation]:
        """Return what is seen next and what it means.

        Args:
            progress: what earlier looks left.
            only: what may end it now; whatever else it means is left to itself.

        Whatever a watch has told may be old by now. Before a verdict the API server is asked once more, and what it says is
        judged: no release is good or bad by hearsay (engine rule 48).
        """
        seen = await self.watch.next(LOOK_SECONDS)
        elapsed = self.time.since_the_last(seen)
        verdict = self._judge(progress, seen, elapsed)
        if verdict.event not in only:
            return replace(verdict, event=None), seen
        lines, seen = seen.lines, await self.watch.fresh()
        seen = replace(seen, lines=(*lines, *seen.lines))
        verdict = self._judge(progress, seen, elapsed + self.time.since_the_last(seen))
        return verdict if verdict.event in only else replace(verdict, event=None), seen

    def _judge(self, progress: Progress, seen: Observation, elapsed: float) -> Verdict:
        return judge(
            progress,
            seen,
            bundle=self.target.bundle,
            limits=self.limits,
            elapsed=elapsed,
            earlier_pods=self.earlier_pods,
            unchanged=self.unchanged,
        )

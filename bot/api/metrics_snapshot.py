"""What `/metrics` tells of, as one look at the process and its database; `bot/api/metrics.py` puts it into words of Prometheus."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata

from bot.api.delivery_tracker import DeliveryTracker, NewestPromotions
from bot.slack.connection import SlackState
from core.clock import Clock
from core.histogram import Histogram
from core.lifecycle.delivery_stats import DeliveryStats
from core.ports.outbox import Backlog
from core.ports.retention import Aging, DatabasePages
from core.promotion import Phase
from core.records.build import BuildCounts
from core.records.milestone import Milestone, RolloutTimes
from core.records.outgoing_event import EventBacklog, SubscriptionKind
from core.rollout.watched_time import BlindTime


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSnapshot:
    """One look at the process.

    Attributes:
        promotions: phase → promotions in it, over all apps and times.
        endings: how a promotion ended and why → how many did, over all apps and times.
        times: milestone → how long rollouts took to it, over all apps and times.
        builds: of the cluster: how many wait, run, and have ended how.
        waiting: kind (cards, lines, posts) → how many of them Slack is still to be told.
        oldest: age of the longest waiting of them in seconds, 0 without one.
        longest_approval: seconds that the longest waiting approval has waited, 0 without one.
        limited: how often Slack has said "not so fast", since the process began.
        blind: seconds that rollouts went unseen, since the process began.
        size: of the database in bytes; `free`: how much of its disk is free, 0 to 1.
        spare: bytes of the database that hold nothing, and are written next.
        aged: kind of records → rows that were deleted for their age.
        policy_refused: the policy file is bad, and the last good one rules in its place.
        lag: how late the event loop was, since the process began.
        database: kind of work → how long it took, since the process began.
        webhooks: (vendor, outcome) → deliveries of webhooks, since the process began.
        events: how somebody is told (webhook, kubernetes, github) → what waits, and what became of the others, over all times.
        event_ages: likewise → for how many seconds the longest has waited.
        delivered: app → its four numbers of DORA, as of the last minutes.
        last: how the last promotion of each app ended.
        rack: its name; `command`: how it is called in Slack, with its slash. By these alerts tell several racks apart.
    """

    promotions: Mapping[Phase, int]
    endings: Mapping[tuple[Phase, str], int]
    times: Mapping[Milestone, RolloutTimes]
    builds: BuildCounts
    waiting: Mapping[str, int]
    oldest: float
    longest_approval: float
    connected: bool
    limited: int
    blind: float
    size: int
    free: float
    spare: int
    aged: Mapping[Aging, int]
    policy_refused: bool
    lag: Histogram
    database: Mapping[str, Histogram]
    webhooks: Mapping[tuple[str, str], int]
    events: Mapping[SubscriptionKind, EventBacklog]
    event_ages: Mapping[SubscriptionKind, float]
    delivered: Mapping[str, DeliveryStats]
    last: NewestPromotions
    rack: str
    command: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSource:
    """Whom is asked for a snapshot: what the database counts, so that a restart changes no number, and the process itself."""

    phases: Callable[[], Awaitable[Mapping[Phase, int]]]
    endings: Callable[[], Awaitable[Mapping[tuple[Phase, str], int]]]
    times: Callable[[], Awaitable[Mapping[Milestone, RolloutTimes]]]
    builds: Callable[[], Awaitable[BuildCounts]]
    oldest_awaiting: Callable[[], Awaitable[datetime | None]]
    backlog: Callable[[], Awaitable[Backlog]]
    size: Callable[[], int]
    free: Callable[[], float]
    pages: Callable[[], Awaitable[DatabasePages]]
    aged: Callable[[], Awaitable[Mapping[Aging, int]]]
    policy_refused: Callable[[], bool]
    slack: SlackState
    blind: BlindTime
    lag: Histogram
    database: Callable[[], Mapping[str, Histogram]]
    webhooks: Mapping[tuple[str, str], int]
    events: Callable[[], Awaitable[Mapping[SubscriptionKind, EventBacklog]]]
    deliveries: DeliveryTracker
    rack: str
    command: str
    clock: Clock

    async def snapshot(self) -> MetricsSnapshot:
        """Look. Raises Unavailable where the database cannot be read."""
        left, asked, pages = await self.backlog(), await self.oldest_awaiting(), await self.pages()
        events, endings = await self.events(), await self.endings()
        return MetricsSnapshot(
            promotions=await self.phases(),
            endings=endings,
            times=await self.times(),
            builds=await self.builds(),
            waiting={"cards": left.cards, "lines": left.lines, "posts": left.posts},
            oldest=self._age(left.oldest),
            longest_approval=self._age(asked),
            connected=self.slack.ready,
            limited=self.slack.limited,
            blind=self.blind.seconds,
            size=self.size(),
            free=self.free(),
            spare=pages.free * pages.size,
            aged=await self.aged(),
            policy_refused=self.policy_refused(),
            lag=self.lag,
            database=self.database(),
            webhooks=dict(self.webhooks),
            events=events,
            event_ages={kind: self._age(each.oldest) for kind, each in events.items()},
            delivered=self.deliveries.of_apps,
            last=await self.deliveries.last(frozenset(endings.items()), self.clock.now()),
            rack=self.rack,
            command=self.command,
            version=version(),
        )

    def _age(self, since: datetime | None) -> float:
        return max(0.0, (self.clock.now() - since).total_seconds()) if since else 0.0


@cache
def version() -> str:
    """Return the version of the installed package."""
    try:
        return metadata.version("convox-bot")
    except metadata.PackageNotFoundError:
        return "unknown"

"""`GET /metrics`: what an operator needs to see in a graph to know that promotions end and Slack is told."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from bot.loop_lag import LoopLag
from bot.slack.connection import SlackState
from core.build_run import ENDED
from core.clock import Clock
from core.lifecycle.measuring import REASONS
from core.ports.outbox import Backlog
from core.promotion import IN_FLIGHT, Phase
from core.records.build import BuildCounts
from core.records.milestone import Milestone, RolloutTimes
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
        policy_refused: the policy file is bad, and the last good one rules in its place.
        lag: how late the event loop was, since the process began.
        webhooks: (vendor, outcome) → deliveries of webhooks, since the process began.
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
    policy_refused: bool
    lag: LoopLag
    webhooks: Mapping[tuple[str, str], int]
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
    policy_refused: Callable[[], bool]
    slack: SlackState
    blind: BlindTime
    lag: LoopLag
    webhooks: Mapping[tuple[str, str], int]
    clock: Clock

    async def snapshot(self) -> MetricsSnapshot:
        """Look. Raises Unavailable where the database cannot be read."""
        left, asked = await self.backlog(), await self.oldest_awaiting()
        return MetricsSnapshot(
            promotions=await self.phases(),
            endings=await self.endings(),
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
            policy_refused=self.policy_refused(),
            lag=self.lag,
            webhooks=dict(self.webhooks),
            version=version(),
        )

    def _age(self, since: datetime | None) -> float:
        return max(0.0, (self.clock.now() - since).total_seconds()) if since else 0.0


class MetricsCollector:
    """One scrape's metrics, as a collector of the client library."""

    def __init__(self, facts: MetricsSnapshot) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        yield _endings(facts.endings)
        yield _times(facts.times)
        yield _builds(facts.builds)
        yield _webhooks(facts.webhooks)
        waiting = GaugeMetricFamily(
            "convox_outbox_waiting",
            "What Slack is still to be told: cards to post or edit, lines in no message, messages unsent.",
            labels=["kind"],
        )
        for kind, count in facts.waiting.items():
            waiting.add_metric([kind], count)
        yield waiting
        yield from self._gauges()
        yield CounterMetricFamily(
            "convox_slack_rate_limited", "Calls that Slack put off (HTTP 429).", facts.limited
        )
        yield CounterMetricFamily(
            "convox_blind_seconds",
            "How long rollouts went unseen: their clocks stood still meanwhile.",
            facts.blind,
            unit="seconds",
        )
        yield HistogramMetricFamily(
            "convox_event_loop_lag_seconds",
            "How late the process came to what was due, ten samples a second.",
            buckets=list(facts.lag.buckets().items()),
            sum_value=facts.lag.total,
        )
        yield InfoMetricFamily("convox_bot", "The version that runs.", {"version": facts.version})

    def _gauges(self) -> Iterator[Metric]:
        facts = self._facts
        flying = sum(facts.promotions.get(phase, 0) for phase in IN_FLIGHT)
        values = {
            "convox_promotions_in_flight": ("Promotions that may touch the cluster now.", flying),
            "convox_promotions_awaiting_approval": (
                "Promotions that wait for people.",
                facts.promotions.get(Phase.AWAITING_APPROVAL, 0),
            ),
            "convox_builds_waiting": ("Builds that wait for their turn.", facts.builds.waiting),
            "convox_builds_running": ("Builds that the cluster makes now.", facts.builds.running),
            "convox_approval_oldest_seconds": (
                "How long the promotion that has waited longest for people has waited.",
                facts.longest_approval,
            ),
            "convox_outbox_oldest_seconds": ("How long Slack has been owed the oldest of it.", facts.oldest),
            "convox_slack_connected": ("Whether commands can come in from Slack.", float(facts.connected)),
            "convox_policy_refused": (
                "Whether the policy file is bad, so that the last good one rules in its place.",
                float(facts.policy_refused),
            ),
            "convox_database_bytes": ("The database with its write-ahead log.", facts.size),
            "convox_database_free_ratio": (
                "How much of the database's disk is free; under 0.1 nothing new starts.",
                facts.free,
            ),
        }
        for name, (help_text, value) in values.items():
            yield GaugeMetricFamily(name, help_text, value)


def _endings(counted: Mapping[tuple[Phase, str], int]) -> Metric:
    family = CounterMetricFamily(
        "convox_promotions_settled",
        "Promotions that have ended, by ending and why.",
        labels=["ending", "reason"],
    )
    known = [(phase, reason) for phase, reasons in REASONS.items() for reason in reasons]
    for phase, reason in sorted({*known, *counted}):
        family.add_metric([phase, reason], counted.get((phase, reason), 0))
    return family


def _builds(counted: BuildCounts) -> Metric:
    family = SummaryMetricFamily(
        "convox_build_seconds",
        "Builds of the cluster that have ended, by ending, and how long they ran.",
        labels=["ending"],
    )
    for ending in sorted(ENDED):
        count, seconds = counted.endings.get(ending, (0, 0.0))
        family.add_metric([ending], count_value=count, sum_value=seconds)
    return family


def _webhooks(counts: Mapping[tuple[str, str], int]) -> Metric:
    found = CounterMetricFamily(
        "convox_webhooks",
        "Deliveries of GitHub and GitLab, by what became of them.",
        labels=["vendor", "outcome"],
    )
    for labels, count in sorted(counts.items()):
        found.add_metric(list(labels), count)
    return found


def _times(counted: Mapping[Milestone, RolloutTimes]) -> Metric:
    family = HistogramMetricFamily(
        "convox_rollout_seconds",
        "How long rollouts took from their start to each milestone.",
        labels=["milestone"],
    )
    for milestone, times in counted.items():
        family.add_metric([milestone], buckets=list(times.buckets().items()), sum_value=times.seconds)
    return family


def exposition(facts: MetricsSnapshot) -> bytes:
    """Return the text that Prometheus reads; a registry of its own, so that nothing of the process leaks in."""
    registry = CollectorRegistry()
    registry.register(MetricsCollector(facts))
    return generate_latest(registry)


def version() -> str:
    """Return the version of the installed package."""
    try:
        return metadata.version("convox-bot")
    except metadata.PackageNotFoundError:
        return "unknown"

"""`GET /metrics`: what an operator needs to see in a graph to know that promotions end and Slack is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from bot.loop_lag import LoopLag
from core.promotion import IN_FLIGHT, SETTLED, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSnapshot:
    """One look at the process.

    Attributes:
        promotions: phase → promotions in it, over all apps and times.
        waiting: kind (cards, lines, posts) → how many of them Slack is still to be told.
        oldest: age of the longest waiting of them in seconds, 0 without one.
        lag: how late the event loop was, since the process began.
    """

    promotions: Mapping[Phase, int]
    waiting: Mapping[str, int]
    oldest: float
    connected: bool
    lag: LoopLag
    version: str


class MetricsCollector:
    """One scrape's metrics, as a collector of the client library."""

    def __init__(self, facts: MetricsSnapshot) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        settled = CounterMetricFamily(
            "convox_promotions_settled", "Promotions that have ended, by ending.", labels=["ending"]
        )
        for phase in sorted(SETTLED):
            settled.add_metric([phase], facts.promotions.get(phase, 0))
        waiting = GaugeMetricFamily(
            "convox_outbox_waiting",
            "What Slack is still to be told: cards to post or edit, lines in no message, messages unsent.",
            labels=["kind"],
        )
        for kind, count in facts.waiting.items():
            waiting.add_metric([kind], count)
        yield settled
        yield waiting
        yield from self._gauges()
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
            "convox_outbox_oldest_seconds": ("How long Slack has been owed the oldest of it.", facts.oldest),
            "convox_slack_connected": ("Whether commands can come in from Slack.", float(facts.connected)),
        }
        for name, (help_text, value) in values.items():
            yield GaugeMetricFamily(name, help_text, value)


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

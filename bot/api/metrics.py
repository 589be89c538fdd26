"""`GET /metrics`: what an operator needs to see in a graph to know that promotions end and Slack is told."""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics_exposition

from bot.api.app_metrics import delivery_metrics, known_reason, last_metrics
from bot.api.metrics_snapshot import MetricsSnapshot
from bot.api.webhooks.endpoint import OUTCOMES, VENDORS
from core.build_run import ENDED
from core.histogram import Histogram
from core.lifecycle.measuring import REASONS
from core.ports.retention import AGING, Aging
from core.promotion import IN_FLIGHT, Phase
from core.records.build import BuildCounts
from core.records.milestone import Milestone, RolloutTimes
from core.records.outgoing_event import DROP_REASONS

# Those of OpenMetrics that a gauge of ours has.
UNITS = frozenset({"bytes", "ratio", "seconds"})


class MetricsCollector:
    """One scrape's metrics, as a collector of the client library."""

    def __init__(self, facts: MetricsSnapshot) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        yield _endings(facts.endings)
        yield from delivery_metrics(facts.delivered)
        yield from last_metrics(facts.last)
        yield _times(facts.times)
        yield _builds(facts.builds)
        yield _webhooks(facts.webhooks)
        yield _aged(facts.aged)
        yield from _events(facts)
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
            unit="seconds",
        )
        yield _database(facts.database)
        yield InfoMetricFamily(
            "convox_bot",
            "The version that runs, the rack's name, and how its command is called in Slack.",
            {"version": facts.version, "rack": facts.rack, "command": facts.command},
        )

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
            "convox_database_spare_bytes": (
                "What of the database holds nothing: it is written next, or given back.",
                facts.spare,
            ),
            "convox_database_free_ratio": (
                "How much of the database's disk is free; under 0.1 nothing new starts.",
                facts.free,
            ),
        }
        for name, (help_text, value) in values.items():
            yield GaugeMetricFamily(name, help_text, value, unit=_unit(name))


def _endings(counted: Mapping[tuple[Phase, str], int]) -> Metric:
    family = CounterMetricFamily(
        "convox_promotions_settled",
        "Promotions that have ended, by ending and why.",
        labels=["ending", "reason"],
    )
    known = [(phase, reason) for phase, reasons in REASONS.items() for reason in reasons]
    counts = Counter(dict.fromkeys(known, 0))
    for (phase, reason), count in counted.items():
        counts[phase, known_reason(phase, reason)] += count
    for (phase, reason), count in sorted(counts.items()):
        family.add_metric([phase, reason], count)
    return family


def _database(times: Mapping[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(
        "convox_database_seconds",
        "How long the database was busy with each kind of work, or one waited for its turn to write (queue).",
        labels=["kind"],
        unit="seconds",
    )
    for kind, found in times.items():
        family.add_metric([kind], buckets=list(found.buckets().items()), sum_value=found.total)
    return family


def _unit(name: str) -> str:
    """Return the unit that a name ends with, as OpenMetrics wants it told, "" without one."""
    unit = name.rpartition("_")[2]
    return unit if unit in UNITS else ""


def _builds(counted: BuildCounts) -> Metric:
    family = SummaryMetricFamily(
        "convox_build_seconds",
        "Builds of the cluster that have ended, by ending, and how long they ran.",
        labels=["ending"],
        unit="seconds",
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
    known = {(vendor, outcome): 0 for vendor in VENDORS for outcome in OUTCOMES}
    for labels, count in sorted({**known, **counts}.items()):
        found.add_metric(list(labels), count)
    return found


def _aged(counted: Mapping[Aging, int]) -> Metric:
    found = CounterMetricFamily(
        "convox_rows_aged", "Rows that were deleted for their age, by what they were of.", labels=["records"]
    )
    for records in AGING:
        found.add_metric([records], counted.get(records, 0))
    return found


def _events(facts: MetricsSnapshot) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "convox_events_waiting",
        "Events that somebody else than Slack is still to be told.",
        labels=["receiver"],
    )
    oldest = GaugeMetricFamily(
        "convox_events_oldest_seconds",
        "For how long the longest waiting of them has waited.",
        labels=["receiver"],
        unit="seconds",
    )
    ended = CounterMetricFamily(
        "convox_events",
        "Events that were delivered, or given up, and why.",
        labels=["receiver", "outcome", "reason"],
    )
    for kind, backlog in facts.events.items():
        waiting.add_metric([kind], backlog.waiting)
        oldest.add_metric([kind], facts.event_ages[kind])
        ended.add_metric([kind, "delivered", ""], backlog.delivered)
        dropped: dict[str, int] = {**dict.fromkeys(DROP_REASONS, 0), **backlog.dropped}
        for reason, count in sorted(dropped.items()):
            ended.add_metric([kind, "dropped", reason], count)
    yield from (waiting, oldest, ended)


def _times(counted: Mapping[Milestone, RolloutTimes]) -> Metric:
    family = HistogramMetricFamily(
        "convox_rollout_seconds",
        "How long rollouts took from their start to each milestone.",
        labels=["milestone"],
        unit="seconds",
    )
    for milestone, times in counted.items():
        family.add_metric([milestone], buckets=list(times.buckets().items()), sum_value=times.seconds)
    return family


def wants_openmetrics(accept: str) -> bool:
    """Tell whether a header `Accept` names OpenMetrics, as Prometheus' does."""
    return "application/openmetrics-text" in accept


def exposition(facts: MetricsSnapshot, *, openmetrics: bool = False) -> tuple[bytes, str]:
    """Return the text that Prometheus reads, or the same as OpenMetrics, and its type.

    A registry of its own, so that nothing of the process leaks in.
    """
    registry = CollectorRegistry()
    registry.register(MetricsCollector(facts))
    if openmetrics:
        text = openmetrics_exposition.generate_latest(registry)  # type: ignore[no-untyped-call]
        return text, openmetrics_exposition.CONTENT_TYPE_LATEST
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4

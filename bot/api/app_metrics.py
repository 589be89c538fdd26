"""Metrics with the name of an app: how it is delivered, and how its last promotions ended; one series an app at a time."""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

from bot.api.delivery_tracker import NewestPromotions
from core.lifecycle.delivery_stats import STATS_DAYS, DeliveryStats
from core.lifecycle.measuring import REASONS
from core.promotion import Phase, PromotionEntry

# Why, where it ended before reasons were noted or a later version has noted one that is not known here.
UNKNOWN = "unknown"


def known_reason(phase: Phase, reason: str) -> str:
    """Return a reason that a graph may know of: there is an end to their number, whatever the database holds."""
    return reason if reason in REASONS.get(phase, ()) else UNKNOWN


def delivery_metrics(of_apps: Mapping[str, DeliveryStats]) -> Iterator[Metric]:
    """Tell the four numbers of DORA of each app; a median of nothing is not told."""
    past = f"of the last {STATS_DAYS} days"
    deployments = GaugeMetricFamily(
        "convox_app_deployments", f"Releases that went live or failed, {past}.", labels=["app"]
    )
    failed = GaugeMetricFamily(
        "convox_app_deployments_failed", f"Those that failed or were rolled back, {past}.", labels=["app"]
    )
    lead = _seconds("convox_app_lead_time_seconds", f"Median from a commit, or its build, to live, {past}.")
    restore = _seconds("convox_app_restore_time_seconds", f"Median of how long failures were felt, {past}.")
    for app, stats in sorted(of_apps.items()):
        deployments.add_metric([app], stats.deployments)
        failed.add_metric([app], stats.failed)
        if stats.lead_seconds is not None:
            lead.add_metric([app], stats.lead_seconds)
        if stats.restore_seconds is not None:
            restore.add_metric([app], stats.restore_seconds)
    yield from (deployments, failed, lead, restore)


def last_metrics(last: NewestPromotions) -> Iterator[Metric]:
    """Tell which promotion of each app ended last, how and why, and which failed last."""
    yield _ends("convox_app_last_promotion_timestamp_seconds", "When the last promotion ended.", last.ended)
    yield _ends(
        "convox_app_last_failure_timestamp_seconds", "When the last one that failed did.", last.failed
    )


def _ends(name: str, help_text: str, ends: Sequence[PromotionEntry]) -> Metric:
    labels = ["app", "promotion", "release", "ending", "reason"]
    family = GaugeMetricFamily(name, f"{help_text} Unix time.", labels=labels, unit="seconds")
    for end in ends:
        if end.settled_at is not None:
            why = known_reason(end.phase, end.cause_kind)
            family.add_metric([end.app, end.id, end.release, end.phase, why], end.settled_at.timestamp())
    return family


def _seconds(name: str, help_text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, labels=["app"], unit="seconds")

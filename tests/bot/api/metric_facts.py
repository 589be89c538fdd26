"""One look at a process in which everything that can be told is told, for what compares names of metrics."""

from datetime import timedelta
from typing import Any

from bot.api.delivery_tracker import NewestPromotions
from bot.api.metrics_snapshot import MetricsSnapshot
from core.histogram import Histogram
from core.lifecycle.delivery_stats import STATS_DAYS, DeliveryStats
from core.promotion import Phase, PromotionEntry
from core.records.build import BuildCounts
from core.records.milestone import Milestone, RolloutTimes
from core.records.outgoing_event import EventBacklog
from storage.timing import DatabaseTimes
from tests.fakes import START

DELIVERED = DeliveryStats(
    since=START - timedelta(days=STATS_DAYS),
    until=START,
    deployments=14,
    failed=2,
    lead_seconds=7800.0,
    restored=2,
    restore_seconds=72.0,
)


def promotion_entry(phase=Phase.REVERTED, reason="crash", **changes):
    """How one ended."""
    values: dict[str, Any] = {
        "id": "PABCDEFGHIJ",
        "app": "myapp",
        "release": "RABCDEFGHIJ",
        "kind": "promote",
    } | changes
    values = {"restarts": (), "cancelled_by": None, "blameless": False} | values
    return PromotionEntry(
        **({"phase": phase, "cause_kind": reason, "touched_at": START, "settled_at": START} | values)
    )


def metric_facts(**changes):
    """A snapshot of a process in which all is well, but for what is said."""
    values: dict[str, Any] = {
        "promotions": {},
        "endings": {},
        "times": {milestone: RolloutTimes(counts={}, seconds=0.0) for milestone in Milestone},
        "waiting": {"cards": 0, "lines": 0, "posts": 0},
        "oldest": 0.0,
        "longest_approval": 0.0,
        "connected": True,
        "limited": 0,
        "blind": 0.0,
        "size": 0,
        "free": 1.0,
        "spare": 0,
        "aged": {},
        "policy_refused": False,
        "lag": Histogram(),
        "database": DatabaseTimes().kinds,
        "builds": BuildCounts(waiting=0, running=0, endings={}),
        "webhooks": {},
        "events": {"webhook": EventBacklog(waiting=0, oldest=None, delivered=0, dropped={})},
        "event_ages": {"webhook": 0.0},
        "delivered": {"myapp": DELIVERED},
        "last": NewestPromotions(ended=[promotion_entry()], failed=[promotion_entry()]),
        "rack": "staging",
        "command": "/convox-staging",
        "version": "1",
    }
    return MetricsSnapshot(**(values | changes))

"""The four numbers of DORA: what counts as a deployment, as a failure of it, and how long it was felt."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.lifecycle.delivery_stats import delivery_stats
from core.promotion import Phase, PromotionEntry
from tests.core.world import ALICE
from tests.fakes import START

WEEK = START + timedelta(days=7)


def ended(minute: int, release: str, phase: Phase = Phase.RUNNING, **changes) -> PromotionEntry:
    at = START + timedelta(minutes=minute)
    values: dict[str, Any] = {
        "kind": "promote",
        "restarts": (),
        "cancelled_by": None,
        "blameless": False,
    } | changes
    return PromotionEntry(
        id=f"P{minute}",
        app="myapp",
        release=release,
        phase=phase,
        cause_kind="",
        touched_at=at,
        settled_at=at + timedelta(minutes=1),
        **values,
    )


def stats(*promotions, made=()):
    return delivery_stats(promotions, dict(made), START, WEEK)


def test_without_a_deployment_there_is_nothing_to_divide():
    none = stats()
    assert (none.deployments, none.failure_rate, none.lead_seconds, none.restore_seconds) == (
        0,
        None,
        None,
        None,
    )
    assert none.per_week == 0


def test_what_went_live_or_failed_is_a_deployment_and_nothing_else():
    counted = stats(
        ended(1, "R1"),
        ended(2, "R2", Phase.REVERTED),
        ended(3, "R2", Phase.REVERTED, cancelled_by=ALICE),
        ended(4, "R3", Phase.SUPERSEDED),
        ended(5, "R1", restarts=("web",)),
        ended(6, "R3", Phase.REVERTED, blameless=True),
    )
    assert (counted.deployments, counted.failed, counted.per_week) == (2, 1, 2)
    assert counted.failure_rate == 0.5


def test_the_lead_of_a_release_ends_when_it_is_live_for_the_first_time():
    counted = stats(
        ended(1, "R1", Phase.REVERTED),
        ended(9, "R1"),
        ended(30, "R1"),
        ended(31, "R2"),
        ended(40, "R3"),
        made={"R1": START, "R2": START + timedelta(minutes=30), "R9": START},
    )
    assert counted.lead_seconds == (10 * 60 + 2 * 60) / 2


def test_a_release_that_somebody_rolled_back_later_was_felt_until_then():
    rolled_back = stats(
        ended(1, "R1"),
        ended(10, "R2"),
        ended(12, "R2", restarts=("web",)),
        ended(15, "R3", kind="rollback"),
    )
    assert (rolled_back.deployments, rolled_back.failed) == (2, 1)
    assert (rolled_back.restored, rolled_back.restore_seconds) == (1, 5 * 60)
    assert stats(ended(1, "R1"), ended(2, "R2")).failed == 0


def test_what_went_back_by_itself_was_felt_from_its_first_write():
    assert stats(ended(1, "R1", Phase.REVERTED)).restore_seconds == 60


def test_what_needed_a_person_was_felt_until_something_good_ran():
    needed = ended(1, "R1", Phase.FAILURE)
    assert (stats(needed).failed, stats(needed).restored) == (1, 0)
    assert (
        stats(needed, ended(5, "R2", Phase.STOPPED), ended(8, "R3")).restore_seconds == (8 * 60 + 4 * 60) / 2
    )
    assert stats(replace(needed, touched_at=None), ended(8, "R3")).restored == 0

"""`stats` in words and for programs."""

from datetime import timedelta

from bot.views.stats import stats_document, stats_text
from core.lifecycle.delivery_stats import DeliveryStats
from tests.fakes import START


def stats(**changes):
    values = {"deployments": 14, "failed": 2, "lead_seconds": 7800.0, "restored": 2, "restore_seconds": 72.0}
    return DeliveryStats(since=START, until=START + timedelta(days=30), **(values | changes))


def test_the_four_numbers_say_what_they_are_made_of():
    assert stats_text("myapp", stats()) == (
        "Deployments          14 in the last 30 days, 3.3 a week\n"
        "Lead time            median 2 h 10 min from a commit, or its build, to live\n"
        "Change failure rate  14% (2 of 14 failed or were rolled back)\n"
        "Time to restore      median 1 min 12 s of 2"
    )


def test_what_there_is_nothing_of_is_said():
    none = stats(deployments=0, failed=0, lead_seconds=None, restored=0, restore_seconds=None)
    assert stats_text("myapp", none) == "myapp was not deployed in the last 30 days"
    assert stats_document("myapp", none)["failure-rate"] is None
    hour = DeliveryStats(
        since=START, until=START + timedelta(hours=1), deployments=1, failed=1, lead_seconds=None,
        restored=0, restore_seconds=None,
    )  # fmt: skip
    assert stats_text("myapp", hour) == (
        "Deployments          1 in the last 1 h, 7.0 a week\n"
        "Lead time            nothing went live\n"
        "Change failure rate  100% (1 of 1 failed or were rolled back)\n"
        "Time to restore      nothing had to be restored\n"
        "Still broken         1, with nothing that runs after it"
    )

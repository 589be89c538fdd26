"""The bench's arithmetic and its tables."""

import math

import pytest

from tests.bench.figures import difference, milliseconds, percentile, quantile, seconds
from tests.bench.tables import Goal, Table, kept


def test_a_percentile_is_a_value_that_was_measured():
    values = [float(n) for n in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0, 0.0)] == [50.0, 99.0, 100.0, 1.0]
    assert percentile([7.0], 0.99) == 7.0
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


def test_a_quantile_lies_in_the_bucket_that_holds_it():
    buckets = {0.01: 50.0, 0.05: 90.0, 0.1: 100.0, math.inf: 100.0}
    assert quantile(buckets, 0.25) == pytest.approx(0.005)
    assert quantile(buckets, 0.9) == pytest.approx(0.05)
    assert quantile(buckets, 0.95) == pytest.approx(0.075)


def test_what_lies_beyond_every_bound_counts_as_the_largest():
    assert quantile({0.1: 0.0, math.inf: 10.0}, 0.99) == 0.1
    assert quantile({0.1: 0.0, math.inf: 0.0}, 0.99) == 0.0


def test_a_histogram_of_a_while_leaves_out_what_was_before():
    assert difference({0.1: 5.0, math.inf: 9.0}, {0.1: 4.0, math.inf: 4.0}) == {0.1: 1.0, math.inf: 5.0}


def test_times_have_three_figures_at_most():
    assert [milliseconds(0.00123), milliseconds(0.0456), milliseconds(2.0)] == ["1.2", "46", "2,000"]
    assert [seconds(1.234), seconds(87.04)] == ["1.23", "87.0"]


@pytest.mark.parametrize(
    ("found", "how", "met"), [(0.049, "<", True), (0.05, "<", False), (0.05, "≤", True), (None, "≤", False)]
)
def test_a_goal_is_met_by_what_was_measured_and_by_nothing_else(found, how, met):
    goal = Goal(what="p99", found=found, limit=0.05, unit="ms", how=how)
    assert goal.met is met
    assert ("missed" in goal.cells[3]) is not met


def test_a_section_replaces_that_of_its_table_only():
    page = "# P\n\n<!-- table: a -->\nold\n<!-- end -->\n\n<!-- table: b -->\nother\n<!-- end -->\n"
    table = Table(name="a", title="A", columns=["x", "long name"], rows=[["1", "\\2"]], notes="Note.")
    written = kept(page, {"a": table.markdown(stamp="Today.")})
    assert "old" not in written
    assert (
        "## A\n\nToday.\n\nNote.\n\n| x   | long name |\n|-----|-----------|\n| 1   | \\2        |" in written
    )
    assert "<!-- table: b -->\nother\n<!-- end -->" in written
    assert kept(written, {"a": table.markdown(stamp="Today.")}) == written
    with pytest.raises(KeyError, match="no place for the table c"):
        kept(page, {"c": ""})

"""Where something was deleted for its age, its reader is told that, and by which rule."""

from datetime import UTC, datetime

from core.lifecycle.retention import line_not_kept, not_kept
from core.policy.retention import DAY

AT = datetime(2026, 5, 14, 15, 0, tzinfo=UTC)


def test_what_is_deleted_for_its_age_names_the_rule():
    line = line_not_kept("lines", AT, 30 * DAY)
    assert (line.at, line.object, line.key) == (AT, "retention", "retention")
    assert line.text == (
        "its lines are not kept any more: those of rollouts that ended more than 30 days ago are deleted "
        "(`retention` in the policy)"
    )


def test_what_was_deleted_before_it_was_to_be_kept_for_ever_says_so():
    assert not_kept("lines", "builds", None) == (
        "its lines are not kept any more: they were deleted before the policy kept them for ever"
    )

"""`retention:` of a policy file, and what a reader is told in the place of what is gone."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Invalid
from core.lifecycle.retention import not_kept
from core.policy.authorization import Policy, parse_policy
from core.policy.retention import DAY, RetentionRules

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
MEMBERS = "roles:\n  dev: [view]\nmembers:\n  - {who: [U01ALICE], roles: [dev]}\n"


def retention(text: str) -> RetentionRules:
    return parse_policy(f"{MEMBERS}retention: {text}\n").retention


def test_half_a_year_is_kept_where_nothing_is_said_and_no_longer_than_slack_repeats():
    assert retention("{}") == Policy.open().retention == RetentionRules()
    assert RetentionRules().ended_before("lines", NOW) == NOW - timedelta(days=180)
    assert RetentionRules().ended_before("inbox", NOW) == NOW - timedelta(hours=25)


def test_each_key_stands_for_itself_and_forever_is_forever():
    found = retention("{lines: 30d, evidence: forever, build_logs: 36h, inbox: 48h}")
    assert found == RetentionRules(lines=30 * DAY, evidence=None, build_logs=1.5 * DAY, inbox=2 * DAY)
    assert found.ended_before("evidence", NOW) is None
    assert found.ended_before("build_logs", NOW) == NOW - timedelta(hours=36)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{lines: 1h}", "line 5: lines must be at least 1d"),
        (
            "{evidence: never}",
            'line 5: evidence must be a duration such as 30s, 10m or 24h, or forever, not "never"',
        ),
        (
            "{build_logs: [1d]}",
            "line 5: build_logs must be a duration such as 30s, 10m or 24h, or forever, not a list",
        ),
        ("{inbox: 24h}", "line 5: inbox must be at least 25h: Slack may repeat for a day what it delivered"),
        ("{inbox: forever}", 'line 5: inbox must be a duration such as 30s, 10m or 24h, not "forever"'),
        ("{audit: 180d}", 'line 5: unknown key "audit" in retention'),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, problem: str):
    with pytest.raises(Invalid) as refused:
        retention(text)
    assert str(refused.value).startswith(problem)


def test_what_is_gone_is_said_with_why():
    assert not_kept("lines", "rollouts", 180 * DAY) == (
        "its lines are not kept any more: those of rollouts that ended more than 180 days ago are deleted (`retention` in the policy)"
    )
    assert "more than 1 day ago" in not_kept("lines", "builds", DAY)
    assert "more than 1.5 days ago" in not_kept("lines", "builds", 1.5 * DAY)
    assert not_kept("logs", "rollouts", None) == (
        "its logs are not kept any more: they were deleted before the policy kept them for ever"
    )

"""The keys of a policy that say who is told, and how loudly."""

import pytest

from core.errors import Invalid
from core.policy.authorization import parse_policy


def rules(text: str):
    return parse_policy(f'apps:\n  - match: ["*"]\n    {text}\n', open_to_all=True).rules("myapp")


def test_what_is_left_out_reminds_nobody_and_announces_builds():
    found = rules("restarts: 0")
    assert (found.ask, found.remind_after, found.announce_builds, found.verbosity) == (
        None,
        None,
        True,
        "normal",
    )


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("ask: C09OPS", "ask", "C09OPS"),
        ('ask: "group:S01LEADS"', "ask", "group:S01LEADS"),
        ("remind_after: 30m", "remind_after", 1800.0),
        ("remind_after: never", "remind_after", None),
        ("announce_builds: false", "announce_builds", False),
        ("verbosity: quiet", "verbosity", "quiet"),
        ("verbosity: verbose", "verbosity", "verbose"),
    ],
)
def test_each_says_what_stands_there(text: str, key: str, value: object):
    assert getattr(rules(text), key) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "ask: U01ALICE",
            "line 3: ask must be a Slack channel id (C…) or group:<user group id>; people stand in from",
        ),
        ("remind_after: 30s", "line 3: remind_after must be at least 1m"),
        ("verbosity: loud", 'line 3: verbosity is quiet, normal or verbose, not "loud"'),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(text: str, problem: str):
    with pytest.raises(Invalid) as refused:
        rules(text)
    assert problem in str(refused.value)


def test_the_members_of_the_group_that_is_asked_are_looked_up():
    policy = parse_policy('apps: [{match: ["*"], ask: "group:S01LEADS"}]', open_to_all=True)
    assert policy.group_ids() == {"S01LEADS"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("approvals: {promote: {seats: []}}", "seats is empty"),
        (
            "approvals: {promote: {count: 1, seats: [{from: [U01ALICE]}]}}",
            "count beside seats of promote: each seat says its own",
        ),
        (
            "rollback_after: 2h",
            "rollback_after is 7200 s, and what failed would stand for longer than 3600 s",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_reason(text: str, problem: str):
    with pytest.raises(Invalid, match=problem):
        rules(text)


def test_what_failed_stands_for_as_long_as_is_said():
    assert rules("rollback_after: 90s").rollback_after == 90.0


def test_what_is_said_of_a_channel_goes_before_what_is_said_of_an_app():
    policy = parse_policy(
        'channels: {C09OPS: {verbosity: quiet}}\napps: [{match: ["*"], verbosity: verbose}]', open_to_all=True
    )
    assert policy.verbosity("myapp", "C09OPS") == "quiet"
    assert policy.verbosity("myapp", "C0OTHER") == policy.verbosity("myapp", None) == "verbose"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'channels: {"#ops": {verbosity: quiet}}',
            'line 1: channels names channels by their ids (C…), not "#ops"',
        ),
        ("channels: {C09OPS: {}}", 'line 1: the channel "C09OPS" says nothing: verbosity is missing'),
        (
            "channels: {C09OPS: {verbosity: loud}}",
            'line 1: verbosity is quiet, normal or verbose, not "loud"',
        ),
        ("channels: {C09OPS: {loudness: 3}}", "line 1: unknown key"),
        ("channels: [C09OPS]", "line 1: channels"),
    ],
)
def test_what_a_channel_cannot_be_told_is_refused_with_its_line(text: str, problem: str):
    with pytest.raises(Invalid) as refused:
        parse_policy(text, open_to_all=True)
    assert problem in str(refused.value)

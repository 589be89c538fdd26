"""Who people are by Slack's word: full members only, asked anew each minute, and unknown means no."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.slack.directory import FRESH_SECONDS, IDENTITY_SECONDS, SlackDirectory, judge_member
from core.errors import Unreachable
from tests.fakes import JumpingClock

HOME = "T0HOME"


def user(**changes: Any) -> dict[str, Any]:
    return {"id": "U01ALICE", "team_id": HOME, "name": "alice", **changes}


def why_not(**changes: Any) -> str:
    person = judge_member(user(**changes), HOME)
    assert person.member == (person.why_not == "")
    return person.why_not


def test_a_full_member_of_our_workspace_is_one():
    assert why_not() == ""
    assert why_not(deleted=False, is_bot=False, is_restricted=False, is_admin=True) == ""


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("deleted", "this account is deactivated"),
        ("is_bot", "bots may not do this"),
        ("is_restricted", "guests may not do this"),
        ("is_ultra_restricted", "guests may not do this"),
        ("is_stranger", "people from other workspaces may not do this"),
    ],
)
def test_everybody_else_is_refused_with_the_reason(flag, says):
    assert why_not(**{flag: True}).startswith(says)


@pytest.mark.parametrize("team", ["T0OTHER", None, ""])
def test_a_member_of_another_workspace_is_a_stranger_even_if_slack_does_not_say_so(team):
    assert why_not(team_id=team) == "people from other workspaces may not do this"


def test_in_an_organisation_its_id_is_home_for_all_of_its_workspaces():
    in_grid = user(team_id="T0ONE", enterprise_user={"enterprise_id": "E0ORG"})
    assert judge_member(in_grid, "E0ORG").member
    assert not judge_member(in_grid, "E0OTHER").member


@pytest.mark.parametrize(
    ("known", "called"),
    [
        ({"profile": {"display_name": "Ali"}, "real_name": "Alice Smith"}, "Ali"),
        ({"profile": {"display_name": ""}, "real_name": "Alice Smith"}, "Alice Smith"),
        ({}, "alice"),
        ({"name": ""}, "U01ALICE"),
    ],
)
def test_people_are_called_as_they_call_themselves(known, called):
    assert judge_member(user(**known), HOME).name == called


class Slack:
    """Answers `api_call`, or fails as it is told to; remembers what it was asked."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def api_call(self, method: str, *, http_verb: str, params: dict[str, Any]) -> dict[str, Any]:
        assert http_verb == "GET"
        self.asked.append((method, params))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(word: str) -> SlackApiError:
    return SlackApiError("no", {"ok": False, "error": word})


def directory(
    *answers: dict[str, Any] | Exception, home: str | None = HOME
) -> tuple[SlackDirectory, Slack, JumpingClock]:
    slack, clock = Slack(*answers), JumpingClock()
    return SlackDirectory(slack, clock, lambda: home), slack, clock  # type: ignore[arg-type]


async def test_an_answer_is_good_for_a_minute_and_no_longer():
    known, slack, clock = directory({"user": user()}, {"user": user(deleted=True)})
    assert (await known.person("U01ALICE")).member
    clock.jump(FRESH_SECONDS - 1)
    assert (await known.person("U01ALICE")).member
    clock.jump(1)
    assert not (await known.person("U01ALICE")).member
    assert slack.asked == [("users.info", {"user": "U01ALICE"})] * 2


@pytest.mark.parametrize("word", ["user_not_found", "user_not_visible"])
async def test_whom_slack_does_not_know_is_no_member_and_is_asked_for_again(word):
    known, slack, _ = directory(refused(word), {"user": user()})
    assert (await known.person("U01ALICE")).why_not == "Slack does not know this user"
    assert (await known.person("U01ALICE")).member
    assert len(slack.asked) == 2


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (refused("ratelimited"), "^Slack says ratelimited$"),
        (TimeoutError(), "^Slack does not answer$"),
        (aiohttp.ClientConnectionError("secret host"), "^Slack does not answer$"),
        (OSError("no route"), "^Slack does not answer$"),
    ],
)
async def test_who_cannot_be_asked_about_is_unknown(error, says):
    known, _, _ = directory(error)
    with pytest.raises(Unreachable, match=says):
        await known.person("U01ALICE")


async def test_before_slack_has_said_who_we_are_nobody_can_be_judged():
    known, slack, clock = directory(home=None)
    with pytest.raises(Unreachable, match="^Slack has not answered since I was started$"):
        await known.person("U01ALICE")
    assert clock.monotonic() == pytest.approx(IDENTITY_SECONDS, abs=0.2)
    assert slack.asked == []


async def test_a_moment_after_a_start_it_waits_for_who_we_are():
    homes = iter([None, None, HOME])
    slack, clock = Slack({"user": user()}), JumpingClock()
    known = SlackDirectory(slack, clock, lambda: next(homes))  # type: ignore[arg-type]
    assert (await known.person("U01ALICE")).member
    assert 0 < clock.monotonic() < 1


async def test_the_members_of_a_group_are_good_for_a_minute():
    known, slack, clock = directory({"users": ["U1", "U2"]}, {"users": []})
    assert await known.group("S01") == {"U1", "U2"}
    clock.jump(FRESH_SECONDS - 1)
    assert await known.group("S01") == {"U1", "U2"}
    clock.jump(1)
    assert await known.group("S01") == frozenset()
    assert slack.asked == [("usergroups.users.list", {"usergroup": "S01"})] * 2


async def test_a_group_that_does_not_exist_has_nobody():
    known, _, _ = directory(refused("no_such_subteam"))
    assert await known.group("S01") == frozenset()


async def test_a_group_that_slack_does_not_tell_is_unknown_and_named():
    known, _, _ = directory(refused("missing_scope"), {})
    with pytest.raises(Unreachable, match="^Slack says missing_scope about group S01$"):
        await known.group("S01")
    assert await known.group("S01") == frozenset()

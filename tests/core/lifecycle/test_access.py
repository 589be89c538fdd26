"""Rights are asked of Slack and the policy at each command and click; unknown means no."""

import pytest

from core.actor import Actor
from core.errors import Forbidden
from core.lifecycle.access import Access
from core.policy.authorization import Policy, parse_policy
from tests.core.world import ALICE, BOB, CAROL
from tests.fakes import FakeDirectory

POLICY = """\
roles:
  developer: [view, promote]
  approver: [approve]
members:
  - {who: [U01ALICE, "token:ci"], roles: [developer]}
  - {who: ["group:S01APPROVERS"], roles: [approver]}
"""
CI = Actor("token", "ci", "ci")


def access(directory: FakeDirectory | None = None, policy: Policy | None = None) -> Access:
    used = policy or parse_policy(POLICY)
    return Access(lambda: used, directory or FakeDirectory())


async def test_who_has_the_right_is_known_by_the_name_that_slack_gives():
    assert await access().require(ALICE, "promote", "myapp") == Actor("slack", "U01ALICE", "u01alice")


async def test_who_lacks_the_right_is_told_what_would_give_it():
    with pytest.raises(Forbidden, match=r"^you may not promote myapp: that needs the role developer"):
        await access().require(BOB, "promote", "myapp")


async def test_a_guest_may_nothing_whatever_the_policy_says():
    guests = FakeDirectory(guests=frozenset({"U01ALICE"}))
    with pytest.raises(Forbidden, match="^guests may not do this$"):
        await access(guests).require(ALICE, "view", "myapp")


async def test_a_token_is_not_looked_up_in_slack():
    directory = FakeDirectory(down=True)
    opened = access(directory, Policy.open())
    assert await opened.require(CI, "promote", "myapp") == CI


async def test_while_slack_does_not_answer_nobody_may_and_the_reason_is_said():
    with pytest.raises(Forbidden) as refused:
        await access(FakeDirectory(down=True)).require(ALICE, "promote", "myapp")
    assert str(refused.value) == "I cannot check whether you may promote myapp: Slack does not answer"
    assert refused.value.hint == "try again in a minute"


async def test_a_token_is_in_no_group_and_needs_nothing_of_slack():
    assert await access(FakeDirectory(down=True)).require(CI, "promote", "myapp") == CI


async def test_a_member_of_a_group_has_its_right_for_as_long_as_they_are_in_it():
    directory = FakeDirectory()
    request = access(directory)
    directory.groups = {"S01APPROVERS": frozenset({"U03CAROL"})}
    assert not await request.why_not(CAROL, "approve", "myapp")
    directory.groups = {}
    assert str(await request.why_not(CAROL, "approve", "myapp")).startswith(
        "you may not approve promotions of myapp"
    )


async def test_the_groups_of_the_policy_are_asked_for_and_no_others():
    directory = FakeDirectory()
    directory.groups = {"S01APPROVERS": frozenset({"U1"}), "S02OTHERS": frozenset({"U2"})}
    _, groups = await access(directory).require_in_groups(ALICE, "view", "myapp")
    assert groups == {"S01APPROVERS": frozenset({"U1"})}


async def test_a_policy_that_was_read_again_holds_from_then_on():
    current = [parse_policy(POLICY)]
    request = Access(lambda: current[0], FakeDirectory())
    assert await request.why_not(BOB, "promote", "myapp")
    current[0] = Policy.open()
    assert not await request.why_not(BOB, "promote", "myapp")
    assert request.policy is current[0]


WHOM = """\
roles: {developer: [promote]}
members:
  - {who: [U09GUEST, U03CAROL, "group:S01TEAM", "group:S02GUESTS"], roles: [developer], apps: [other]}
  - {who: [U09GUEST, U03CAROL, "group:S01TEAM", "group:S02GUESTS", "group:S03BOB"], roles: [developer], apps: [myapp]}
"""


async def test_a_refusal_advises_to_ask_only_whoever_can_do_it():
    directory = FakeDirectory(guests=frozenset({"U09GUEST"}))
    directory.groups = {
        "S01TEAM": frozenset({"U09GUEST", "U04DAVE"}),
        "S02GUESTS": frozenset({"U09GUEST"}),
        "S03BOB": frozenset(),
    }
    with pytest.raises(Forbidden) as refused:
        await access(directory, parse_policy(WHOM)).require(BOB, "promote", "myapp")
    assert str(refused.value).endswith("(ask @U03CAROL, group:S01TEAM)")
    with pytest.raises(Forbidden) as refused:
        await access(FakeDirectory(down=True), parse_policy(WHOM)).require(CI, "promote", "myapp")
    assert str(refused.value).endswith("(ask @U09GUEST, @U03CAROL, group:S01TEAM and 2 more)")


async def test_who_asks_is_not_advised_to_ask_themselves_nor_a_group_of_themselves():
    directory = FakeDirectory()
    groups = {"S01": frozenset({BOB.id})}
    unable = await access(directory).unable([BOB.id, CAROL.id, "group:S01"], BOB, groups)
    assert unable == {BOB.id, "group:S01"}


async def test_of_a_large_group_only_some_are_looked_up():
    guests = frozenset(f"U{n:02}" for n in range(30))
    directory = FakeDirectory(guests=guests)
    assert await access(directory).unable(["group:S"], BOB, {"S": guests | {"U99"}}) == {"group:S"}


async def test_a_token_may_only_what_it_was_made_for_whatever_the_policy_gives_it():
    scoped = Actor("token", "ci", "ci", ("shop-*", "myapp"))
    for app in ("myapp", "shop-front"):
        assert await access().require(scoped, "promote", app) == CI
    for opened in (access(), access(policy=Policy.open())):
        with pytest.raises(
            Forbidden, match=r"^you may not promote other: this token is only for shop-\*, myapp$"
        ):
            await opened.require(scoped, "promote", "other")

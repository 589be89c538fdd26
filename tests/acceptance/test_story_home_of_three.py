"""Alice asks, Bob and Carol look at their Home tabs: each sees what concerns them, with the buttons that they may press."""

from itertools import pairwise
from typing import Any

import pytest

from tests.scenarios.arrangement import ALICE, BOB, CAROL, GUEST
from tests.scenarios.harness import Stage

pytestmark = pytest.mark.parametrize("plane", [None])


def words(view: Any) -> str:
    return str([block.get("text") for block in view["blocks"]])


def buttons(view: Any) -> list[str]:
    return [
        e["text"]["text"]
        for block in view["blocks"]
        for e in block.get("elements", ())
        if e["type"] == "button"
    ]


async def home(stage: Stage, user: str) -> Any:
    assert (await stage.slack.views.open_home(user)).ok
    return await stage.until(lambda: stage.slack.views.home(user))


async def test_each_of_three_sees_what_concerns_them_and_one_approves_from_there(stage: Stage):
    first = await stage.running(web="v1")
    stage.rule(approvals="{promote: {count: 1, requester: false}}", unpinned="true")
    promotion = await stage.promote(release := await stage.build(web="v2"))
    alice, bob, carol = [await home(stage, user) for user in (ALICE, BOB, CAROL)]
    assert buttons(alice) == ["Decline…", "Cancel", "Promote…"]
    assert buttons(bob) == ["Approve", "Decline…", "Cancel", "Promote…"]
    assert buttons(carol) == ["Approve", "Decline…"]
    for view in (alice, bob, carol):
        assert "Waiting for approval 0/1" in words(view)
        assert first in words(view)
    guest = await home(stage, GUEST)
    assert "guests may not do this" in words(guest)
    assert buttons(guest) == []

    assert (await stage.slack.views.press(CAROL, carol["id"], "home.approve")).ok
    assert (await stage.ended(promotion)).phase == "Running"
    await stage.until(
        lambda: (
            release in words(stage.slack.views.home(CAROL)) and buttons(stage.slack.views.home(CAROL)) == []
        )
    )
    await stage.until(lambda: buttons(stage.slack.views.home(ALICE)) == ["Promote…", "Roll back…"])
    published = [c for c in stage.slack.calls if c.method == "views.publish"]
    await stage.slack.views.open_home(ALICE)
    await stage.slack.views.open_home(BOB)
    await stage.until(lambda: buttons(stage.slack.views.home(BOB)) == ["Promote…", "Roll back…"])
    shown = [
        str(c.args["view"])
        for c in stage.slack.calls
        if c.method == "views.publish" and c.args["user_id"] == ALICE
    ]
    assert all(one != other for one, other in pairwise(shown)), "an unchanged tab was published"
    assert len(published) < 30

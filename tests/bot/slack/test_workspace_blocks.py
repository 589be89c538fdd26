"""A kind of block that a workspace refuses costs one call, once: the message comes all the same."""

from datetime import timedelta
from typing import Any

import pytest

from bot.slack.connection import SlackState
from bot.slack.web_api import CallResult
from bot.slack.workspace import WorkspaceId
from bot.slack.workspace_blocks import WorkspaceBlocks
from tests.core.world import World


class Workspace:
    """Takes what it knows; keeps what it was sent."""

    def __init__(self, *unknown: str, broken: bool = False) -> None:
        self.unknown, self.broken = set(unknown), broken
        self.sent: list[list[str]] = []

    async def send(self, payload: dict[str, Any]) -> CallResult:
        kinds = [block["type"] for block in payload["blocks"]]
        self.sent.append(kinds)
        bad = self.broken or self.unknown & set(kinds)
        return CallResult(error="invalid_blocks") if bad else CallResult(ts="1.0")


async def render(without: frozenset[str]) -> dict[str, Any]:
    return {"blocks": [{"type": kind} for kind in ("section", "plan") if kind not in without]}


def state_of(team: str) -> SlackState:
    state = SlackState()
    state.workspace = WorkspaceId(team)
    return state


async def test_what_slack_refuses_is_sent_without_and_never_tried_again_there(w: World):
    slack = Workspace("plan")
    support = WorkspaceBlocks(w.store.refused_blocks, state_of("T1"), w.clock)

    assert (await support.sent(render, slack.send)).ts == "1.0"
    assert slack.sent == [["section", "plan"], ["section"]]
    assert (await support.sent(render, slack.send)).ts == "1.0"
    after_a_restart = WorkspaceBlocks(w.store.refused_blocks, state_of("T1"), w.clock)
    assert (await after_a_restart.sent(render, slack.send)).ts == "1.0"
    assert slack.sent[2:] == [["section"], ["section"]]
    elsewhere = WorkspaceBlocks(w.store.refused_blocks, state_of("T2"), w.clock)
    assert await elsewhere.takes("plan")


async def test_a_message_that_is_wrong_by_itself_teaches_nothing(w: World):
    slack = Workspace(broken=True)
    support = WorkspaceBlocks(w.store.refused_blocks, state_of("T1"), w.clock)

    assert (await support.sent(render, slack.send)).error == "invalid_blocks"
    assert await support.takes("plan")


async def test_what_is_no_matter_of_blocks_is_not_sent_twice(w: World):
    calls = []

    async def away(payload: dict[str, Any]) -> CallResult:
        calls.append(payload)
        return CallResult(error="is_archived")

    support = WorkspaceBlocks(w.store.refused_blocks, state_of("T1"), w.clock)
    assert (await support.sent(render, away)).error == "is_archived"
    assert len(calls) == 1


@pytest.mark.parametrize(("days", "takes"), [(29, False), (31, True)])
async def test_what_was_refused_long_ago_is_tried_once_more(w: World, days: int, takes: bool):
    await w.store.refused_blocks.keep("T1", "plan", w.clock.now() - timedelta(days=days))

    assert await WorkspaceBlocks(w.store.refused_blocks, state_of("T1"), w.clock).takes("plan") is takes

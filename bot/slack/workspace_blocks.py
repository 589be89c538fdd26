"""Which newer kinds of blocks this workspace takes: without it a workspace that Slack has not reached yet would see no card at all."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.slack.connection import SlackState
from bot.slack.web_api import CallResult
from core.clock import Clock
from core.ports.refused_blocks import RefusedBlocks

# Both came after 2025, and to some workspaces later than to others.
NEWER = frozenset({"plan", "table"})
# Afterwards it is tried once more.
REMEMBERED = timedelta(days=30)
REFUSED = "invalid_blocks"


class WorkspaceBlocks:
    """Knows what may be sent; everything may until Slack has refused it here once."""

    def __init__(self, memory: RefusedBlocks, state: SlackState, clock: Clock) -> None:
        self._memory = memory
        self._state = state
        self._clock = clock
        self._refused: set[str] | None = None

    async def takes(self, kind: str) -> bool:
        """Tell whether a kind of block may be sent."""
        if self._refused is None:
            since = self._clock.now() - REMEMBERED
            self._refused = set(await self._memory.since(self._team, since))
        return kind not in self._refused

    async def refuse(self, kinds: frozenset[str]) -> None:
        """Remember that this workspace does not take these, also over a restart."""
        for kind in sorted(kinds):
            await self._memory.keep(self._team, kind, self._clock.now())
        self._refused = {*(self._refused or ()), *kinds}

    async def sent(
        self,
        render: Callable[[frozenset[str]], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[CallResult]],
    ) -> CallResult:
        """Send a message, and where Slack refuses its blocks send it without the newer ones, which are remembered if that helps.

        Args:
            render: the payload without these kinds of blocks.
            send: the call; after `invalid_blocks` nothing has come of it.
        """
        without = frozenset({kind for kind in NEWER if not await self.takes(kind)})
        payload = await render(without)
        said = await send(payload)
        newer = kinds_of(payload) & NEWER
        if said.error != REFUSED or not newer:
            return said
        said = await send(await render(without | newer))
        if not said.error:
            await self.refuse(newer)
        return said

    @property
    def _team(self) -> str:
        return self._state.team or ""


def kinds_of(payload: Mapping[str, Any]) -> frozenset[str]:
    """Return the kinds of a message's blocks."""
    return frozenset(str(block.get("type")) for block in payload.get("blocks") or ())

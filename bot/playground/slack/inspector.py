"""How a test looks at the workspace: what stands where, and waiting until something does."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from bot.playground.slack.context import WebApiCall, WorkspaceContext
from bot.playground.slack.state import Message
from bot.playground.slack.store import WorkspaceStore
from bot.playground.slack.users import SimulatedUsers

T = TypeVar("T")


class Inspector:
    """Sees everything and changes nothing."""

    _context: WorkspaceContext
    _users: SimulatedUsers

    @property
    def store(self) -> WorkspaceStore:
        """People, channels and messages, to be read or arranged."""
        return self._context.store

    @property
    def calls(self) -> list[WebApiCall]:
        """Every Web API call and use of a response URL, oldest first."""
        return self._context.calls

    @property
    def violations(self) -> list[str]:
        """What the application sent against Slack's rules or advice, refused or not."""
        return self._context.violations

    def messages(self, channel: str) -> list[Message]:
        """Return a channel's main view, oldest first: no thread replies but broadcast ones."""
        return self.store.top_level(self._users.channel(channel).id)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return the replies to a message, oldest first, without the message itself."""
        return self.store.replies(self._users.channel(channel).id, ts)

    def ephemerals(self, user: str) -> list[Message]:
        """Return what only this person was shown, oldest first."""
        person = self._users.user(user).id
        return [message for message in self.store.ephemerals if message.visible_to == person]

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10.0) -> T:  # noqa: ASYNC109
        """Return the predicate's first true answer, looking again whenever anything happens here.

        Args:
            predicate: Looks at the workspace; a true answer ends the wait.
            timeout: Seconds of the wall's clock, a guard for tests.

        Raises:
            TimeoutError: With what people see at that moment.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._context.feed.until(predicate)
        except TimeoutError:
            shown = self.transcript()
            raise TimeoutError(
                f"nothing of the kind within {timeout} s. The workspace shows:\n{shown}"
            ) from None

    def transcript(self) -> str:
        """Return all messages as text, for error messages."""
        everything = sorted([*self.store.messages, *self.store.ephemerals], key=lambda message: message.ts)
        return "\n".join(_line(message) for message in everything) or "(no messages)"


def _line(message: Message) -> str:
    where = f"{message.channel} thread {message.thread_ts}" if message.is_reply else message.channel
    mark = f" (only {message.visible_to})" if message.visible_to else ""
    return f"{message.ts} {where} {message.user}{mark}: {message.text}"

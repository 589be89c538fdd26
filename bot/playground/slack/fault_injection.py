"""How a test injects faults: failing calls, outages and lost connections."""

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.faults import CallFault, Outage
from bot.playground.slack.server import WorkspaceServer
from bot.playground.slack.socket_mode import SocketMode


class FaultInjector:
    """Lets calls fail, the workspace be away, and connections break."""

    _context: WorkspaceContext
    _server: WorkspaceServer
    _sockets: SocketMode

    def fail_next(
        self,
        method: str,
        failure: str | int,
        *,
        after_effect: bool = False,
        times: int = 1,
        retry_after: int = 1,
    ) -> None:
        """Let the next calls of a method fail.

        Args:
            method: A Web API method, `response_url`, or `*` for any.
            failure: An error code, an HTTP status, `DROP` (connection cut) or `HANG` (no answer).
            after_effect: Whether the call has its effect all the same.
            times: How many calls.
            retry_after: The header of a 429.
        """
        fault = CallFault(
            method=method, failure=failure, after_effect=after_effect, times=times, retry_after=retry_after
        )
        self._context.faults.add(fault)

    def refuse_blocks(self, *kinds: str) -> None:
        """Be a workspace that does not take these kinds of blocks in messages: `invalid_blocks`, with a pointer at each."""
        self._context.refused_blocks = set(kinds)

    async def go_down(self, how: Outage | str = Outage.ERROR) -> None:
        """Be away: Web API and response URLs answer 503, hang up, or refuse connections; sockets are cut."""
        self._context.faults.outage = Outage(how)
        self._sockets.drop()
        if self._context.faults.outage is Outage.REFUSE:
            await self._server.close_port()

    async def come_up(self) -> None:
        """Be back, at the same address; waiting faults are forgotten."""
        self._context.faults.outage = Outage.NONE
        self._context.faults.clear()
        await self._server.open_port()

    def drop_sockets(self) -> None:
        """Cut all Socket Mode connections without a word."""
        self._sockets.drop()

    async def disconnect_sockets(self, reason: str = "refresh_requested") -> None:
        """Ask all Socket Mode connections to be replaced (`warning` only announces it)."""
        await self._sockets.disconnect(reason)

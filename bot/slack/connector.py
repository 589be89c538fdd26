"""Connections that Slack has not closed: a call is never given to one on which nobody reads any more."""

import asyncio
import select
from typing import Any
from weakref import WeakSet

import aiohttp
from aiohttp.connector import Connection


class SlackConnections(aiohttp.TCPConnector):
    """Drops a kept connection that the server has closed, though the event loop has not come to see that yet.

    A loop that has been busy would write a post into it, and nobody could tell whether Slack has it: a minute of silence
    until that is looked up twice (engine rule 40). Here nothing has been sent yet, so another connection is as good. It
    closes the gap up to the moment of writing; what is lost later has an unknown outcome, since a server may have done what it was
    asked for before it went.
    """

    def __init__(self) -> None:
        super().__init__()
        self._used: WeakSet[asyncio.BaseTransport] = WeakSet()

    async def connect(self, *how: Any, **more: Any) -> Connection:
        """Return a connection as aiohttp does; each that is dropped leaves one less to try."""
        while True:
            connection = await super().connect(*how, **more)
            transport = connection.transport
            if transport is None or transport not in self._used or not _has_word(transport):
                if transport is not None:
                    self._used.add(transport)
                return connection
            connection.close()


def _has_word(transport: asyncio.BaseTransport) -> bool:
    """Tell whether something can be read where nothing was asked: HTTP has no other word for that than goodbye.

    Only of a connection that has had an answer before: a new one may still have tickets of TLS to be read.
    """
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))

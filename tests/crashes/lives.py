"""The lives of a bot, as a test holds them: begun, ended, and in between one connection each."""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.controlplane.processes import Process
from tests.crashes.orders import Order

# Importing everything takes three seconds on an idle core.
OPENING_SECONDS = 60.0


@contextmanager
def nursery() -> Iterator[Path]:
    """Have a nursery for as long as the block lasts; yields its socket."""
    # Not pytest's own folder: the path of a Unix socket may have 107 characters and no more.
    with tempfile.TemporaryDirectory(prefix="nursery-") as folder:
        socket, log = Path(folder, "socket"), Path(folder, "log")
        process = Process([sys.executable, "-m", "tests.crashes.nursery", str(socket)], log)
        try:
            deadline = time.monotonic() + OPENING_SECONDS
            while not socket.exists():
                assert process.ended() is None, process.tail()
                assert time.monotonic() < deadline, process.tail()
                time.sleep(0.02)
            yield socket
        finally:
            process.kill()


class Life:
    """One process of the bot."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def obey(self, order: Order) -> None:
        """Begin to live; called once."""
        self._writer.write(order.text())
        await self._writer.drain()

    async def ended(self) -> int:
        """Wait until it has ended; return its exit status, negative for a signal."""
        line = await self._reader.readline()
        assert line, "the nursery has ended"
        return int(json.loads(line))

    async def kill(self) -> None:
        """End it with SIGKILL and wait until it is gone; one that has ended stays so."""
        with contextlib.suppress(OSError):
            self._writer.write_eof()
        await self._reader.read()
        self._writer.close()


@asynccontextmanager
async def life(socket: Path, order: Order) -> AsyncIterator[Life]:
    """Begin a life, which is over when the block is."""
    born = Life(*await asyncio.open_unix_connection(socket))
    try:
        await born.obey(order)
        yield born
    finally:
        await born.kill()

"""The bot as a process of its own, and how the bench looks at it from outside: HTTP, its metrics, /proc."""

import asyncio
import base64
import math
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.bench.machine import Stopwatch, cpu_seconds, memory
from tests.controlplane.processes import Process
from tests.serve.program import MODULE, start, until

BUCKET = re.compile(r'^convox_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)
POLL_SECONDS = 0.02


class RunningBot:
    """One life of the bot.

    Attributes:
        ready_in: seconds from the start of the process to its /readyz.
    """

    def __init__(self, process: Process, session: aiohttp.ClientSession, port: int, token: str) -> None:
        self.process = process
        self.ready_in = 0.0
        self._session = session
        self._url = f"http://127.0.0.1:{port}"
        basic = base64.b64encode(f"convox:{token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}"}

    async def wait(self, stopwatch: Stopwatch) -> None:
        """Wait until /readyz is good."""

        async def ready() -> bool:
            try:
                async with self._session.get(f"{self._url}/readyz") as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False

        while not await ready():
            assert self.process.ended() is None, self.process.tail()
            await asyncio.sleep(POLL_SECONDS)
        self.ready_in = stopwatch.seconds

    async def ask(self, path: str, body: Any) -> dict[str, Any]:
        """POST to the API; anything but success ends the bench with the sentence of the bot."""
        async with self._session.post(self._url + path, json=body, headers=self._headers) as response:
            text = await response.text()
            assert response.status in {200, 201}, f"{path}: {response.status} {text}"
            answer: dict[str, Any] = orjson.loads(text)
            return answer

    async def command(self, text: str) -> dict[str, Any]:
        """Carry a command out as `convox-bot do` does."""
        return await self.ask("/commands", {"text": text})

    async def timed(self, text: str) -> float:
        """Carry a command out and return how long its answer took."""
        stopwatch = Stopwatch()
        await self.command(text)
        return stopwatch.seconds

    async def build(self, app: str, manifest: str, image: str) -> str:
        """Register a build and return its release."""
        answer = await self.ask(f"/apps/{app}/builds", {"manifest": manifest, "images": {"web": image}})
        return str(answer["release"])

    async def lag(self) -> dict[float, float]:
        """Return the histogram of the event loop's lag so far."""
        async with self._session.get(f"{self._url}/metrics") as response:
            text = await response.text()
        return {math.inf if bound == "+Inf" else float(bound): float(n) for bound, n in BUCKET.findall(text)}

    @property
    def cpu(self) -> float:
        return cpu_seconds(self.process.pid)

    def memory(self, field: str = "VmRSS") -> float:
        return memory(self.process.pid, field)


@asynccontextmanager
async def running(
    folder: Path, settings: Mapping[str, str], token: str, *, trace: Path | None = None
) -> AsyncIterator[RunningBot]:
    """Start a bot with these settings and wait until people can reach it; it is gone when the block is left.

    Args:
        folder: where its log goes.
        settings: as environment variables.
        token: for its API.
        trace: a file for the statements that SQLite gets.
    """
    command = MODULE if trace is None else (sys.executable, "-m", "tests.bench.traced", str(trace))
    timeout = aiohttp.ClientTimeout(total=300)
    # A connection of its own for each request costs the bot what `convox-bot do` costs it.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        stopwatch = Stopwatch()
        process = start(folder, settings, *command, log="bot.log")
        try:
            bot = RunningBot(process, session, int(settings["API_PORT"]), token)
            await bot.wait(stopwatch)
            yield bot
        finally:
            process.kill()


async def appears(path: Path, process: Process) -> None:
    """Wait for a file that a process writes once it is ready."""
    await until(path.exists, process)

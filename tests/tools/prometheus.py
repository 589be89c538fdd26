"""A real Prometheus on loopback that scrapes one bot, and its HTTP API; it ends with its test."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.controlplane.processes import Process, free_ports
from tests.tools.programs import needed

LOOPBACK = "127.0.0.1"
# As often as a step of the story, so that rates have something to be taken of within seconds.
SCRAPE_SECONDS = 2.0
# It is ready within a second; a busy machine needs several times that.
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.1


class PrometheusServer:
    """Asks a Prometheus over its HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/)."""

    def __init__(self, url: str, session: aiohttp.ClientSession, process: Process) -> None:
        self.url = url
        self._session = session
        self._process = process

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Return what the expression is now."""
        return await self._series("query", {"query": expression, "time": f"{time.time():.3f}"})

    async def query_range(self, expression: str, *, seconds: float, step: float) -> list[dict[str, Any]]:
        """Return what the expression was for so long, up to this moment.

        Grafana moves both ends back to whole steps; the last point is this moment here, or a bar of an hour would be waited for.
        """
        end = time.time()
        seconds -= seconds % step
        asked = {"query": expression, "start": f"{end - seconds:.3f}", "end": f"{end:.3f}", "step": f"{step}"}
        return await self._series("query_range", asked)

    async def rules(self) -> list[dict[str, Any]]:
        """Return every rule with its health, and of an alert what is on."""
        return [rule for group in (await self._get("rules", {}))["groups"] for rule in group["rules"]]

    async def seen(self, expression: str) -> list[dict[str, Any]]:
        """Wait until the expression holds something, and return that."""
        return await self._until(expression, lambda: self.query(expression))

    async def alert(self, name: str) -> dict[str, Any]:
        """Wait until the alert is on, once, and return it."""

        async def on() -> list[dict[str, Any]]:
            return [each for rule in await self.rules() if rule["name"] == name for each in rule["alerts"]]

        (found,) = await self._until(name, on)
        return found

    async def _until(
        self, what: str, look: Callable[[], Awaitable[list[dict[str, Any]]]]
    ) -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := await look()):
            assert time.monotonic() < deadline, f"{what} holds nothing; {self._process.tail()}"
            await asyncio.sleep(LOOK_SECONDS)
        return found

    async def ready(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self._answers():
                assert self._process.ended() is None, self._process.tail()
                await asyncio.sleep(LOOK_SECONDS)

    async def _answers(self) -> bool:
        try:
            async with self._session.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def _series(self, what: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._get(what, asked))["result"]
        return found

    async def _get(self, what: str, asked: Mapping[str, str]) -> Any:
        async with self._session.get(f"{self.url}/api/v1/{what}", params=asked) as response:
            answer = await response.json()
        assert answer["status"] == "success", (asked, answer)
        # Newer ones say here that what is asked cannot be meant, such as the rate of a gauge.
        assert not answer.get("warnings"), (asked, answer["warnings"])
        assert not answer.get("infos"), (asked, answer["infos"])
        return answer["data"]


@asynccontextmanager
async def prometheus(folder: Path, target: str, rules: Sequence[Path]) -> AsyncIterator[PrometheusServer]:
    """Start one that scrapes `target` (host and port) and holds it against these files of rules."""
    process, url = _start(folder, target, rules)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS)) as session:
            server = PrometheusServer(url, session, process)
            await server.ready()
            yield server
    finally:
        process.kill()


def _start(folder: Path, target: str, rules: Sequence[Path]) -> tuple[Process, str]:
    program = needed("prometheus")
    folder.mkdir()
    every = f"{SCRAPE_SECONDS * 1000:.0f}ms"
    config = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(each) for each in rules],
        "scrape_configs": [{"job_name": "convox-bot", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (port,) = free_ports(1)
    words = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={LOOPBACK}:{port}",
    ]
    return Process([str(program), *words], folder / "prometheus.log"), f"http://{LOOPBACK}:{port}"

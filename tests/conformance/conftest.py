"""Slack's own JavaScript SDK in a process of its own, and the emulated Slack that it takes for Slack."""

import asyncio
import itertools
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.playground.slack import BOT_SCOPES, AppCredentials, SlackWorkspace
from tests.prepare import SDK, find_node, sdk_problem

NODE = find_node()
# Seconds of the wall: a process starts, and reads its packages from a cold disk on a busy machine.
PATIENCE = 60.0
SCOPES = BOT_SCOPES | {"channels:read", "groups:read", "im:write", "reactions:write"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these out where there is no Node; in CI nothing may be left out, there they fail."""
    if NODE is None and "CI" not in os.environ:
        for item in (item for item in items if Path(__file__).parent in item.path.parents):
            item.add_marker(pytest.mark.skip(reason="no Node on this machine"))


class JavaScriptError(Exception):
    """What a promise of the SDK was rejected with."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: str = error["code"]
        self.data: dict[str, Any] = error["data"] or {}
        self.retry_after: int | None = error["retryAfter"]


class JavaScriptApp:
    """The application of `application.mjs`, by what it is told and what it tells."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._numbers = itertools.count()
        self._answers: dict[int, dict[str, Any]] = {}
        self._changed = asyncio.Condition()
        self.delivered: list[dict[str, Any]] = []
        self.connections = 0

    async def listen(self) -> None:
        """Keep what it tells until its end."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            async with self._changed:
                if "id" in said:
                    self._answers[said["id"]] = said
                elif "delivered" in said:
                    self.delivered.append(said)
                elif "connected" in said:
                    self.connections += 1
                else:
                    raise AssertionError(said)
                self._changed.notify_all()

    async def _do(self, deed: str, asked: Any = None) -> Any:
        number = next(self._numbers)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "deed": deed, "with": asked}).encode() + b"\n")
        await self._process.stdin.drain()
        said = await self._until(lambda: self._answers.get(number))
        if "error" in said:
            raise JavaScriptError(said["error"])
        return said["ok"]

    async def _until(self, predicate: Any) -> Any:
        async with asyncio.timeout(PATIENCE), self._changed:
            return await self._changed.wait_for(predicate)

    async def call(self, method: str, **args: Any) -> dict[str, Any]:
        return await self._do("call", {"method": method, "args": args})

    async def upload(self, **args: Any) -> dict[str, Any]:
        return await self._do("upload", args)

    async def connect(self) -> None:
        await self._do("connect")

    async def disconnect(self) -> None:
        await self._do("disconnect")

    async def acknowledge(self, **by_type: Any) -> None:
        """Say what each type is acknowledged with; None is not at all."""
        await self._do("acknowledge", by_type)

    async def take(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many were delivered, and return all."""
        await self._until(lambda: len(self.delivered) >= count)
        return self.delivered

    async def connected(self, count: int) -> None:
        """Wait until it has connected so many times."""
        await self._until(lambda: self.connections >= count)


@pytest.fixture
async def workspace() -> AsyncIterator[SlackWorkspace]:
    made = SlackWorkspace(SystemClock(), credentials=AppCredentials(scopes=SCOPES), rate_limits=False)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def app_token(workspace: SlackWorkspace) -> str:
    return workspace.credentials.app_token


@pytest.fixture
async def app(workspace: SlackWorkspace, app_token: str) -> AsyncIterator[JavaScriptApp]:
    if NODE is None or (problem := sdk_problem()):
        pytest.fail(
            f"Slack's SDK is not installed: {problem if NODE else 'no Node'}; `python -m tests.prepare` does it"
        )
    environ = {
        "PATH": os.environ["PATH"],
        "SLACK_API_URL": workspace.api_url,
        "SLACK_BOT_TOKEN": workspace.credentials.bot_token,
        "SLACK_APP_TOKEN": app_token,
    }
    process = await asyncio.create_subprocess_exec(
        NODE, str(SDK / "application.mjs"), stdin=PIPE, stdout=PIPE, env=environ, limit=2**24
    )
    made = JavaScriptApp(process)
    listening = asyncio.create_task(made.listen(), name="what Slack's SDK tells")
    yield made
    # It has nothing to tidy up, and would wait for its connections.
    process.kill()
    await process.wait()
    await listening

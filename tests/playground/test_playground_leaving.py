"""A browser that is closed and a client that goes away are ordinary events: nothing is logged as an error."""

import asyncio
import logging

import aiohttp
import pytest
from aiohttp import web

from bot.clock import SystemClock
from bot.playground.cluster.simulated import SimulatedCluster
from bot.playground.slack import SlackWorkspace


async def test_a_browser_that_leaves_ends_its_stream_quietly(caplog: pytest.LogCaptureFixture):
    slack = SlackWorkspace(SystemClock())
    await slack.start()
    async with aiohttp.ClientSession() as session:
        response = await session.get(f"{slack.url}/do/events")
        assert (await response.content.readline()).startswith(b"retry:")
        response.close()
    with caplog.at_level(logging.DEBUG, logger="bot.playground.slack.page_api"):
        async with asyncio.timeout(10):
            while "a browser has left" not in caplog.text:
                await slack.say("alice", "deploys", "is anybody there?")
                await asyncio.sleep(0.01)
    await slack.stop()

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_watcher_that_leaves_ends_its_watch_quietly(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    async def gone(self: web.StreamResponse, data: bytes) -> None:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    async with SimulatedCluster(SystemClock()) as cluster, aiohttp.ClientSession() as session:
        monkeypatch.setattr(web.StreamResponse, "write", gone)
        headers = {"Authorization": "Bearer admin"}
        async with session.get(f"{cluster.url}/api/v1/namespaces?watch=1", headers=headers) as response:
            assert response.status == 200
            assert await response.read() == b""
        assert cluster.open_watches == 0

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

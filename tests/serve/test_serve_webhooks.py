"""`convox-bot webhooks` beside a running bot, which is killed while somebody is being told."""

import asyncio
import signal
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.playground.slack import SlackWorkspace
from tests.bot.outgoing.receiving import hook
from tests.serve.conftest import Door, Serve, Settings, rack_url
from tests.serve.program import ended, run, until


async def test_an_event_that_was_under_way_at_a_kill_is_told_again_with_the_same_id(
    tmp_path: Path,
    settings: Settings,
    serve: Serve,
    session: aiohttp.ClientSession,
    slack: SlackWorkspace,
):
    policy = tmp_path / "policy.yml"
    policy.write_text(policy.read_text().replace("cancel, admin]", "cancel, admin, freeze]"))
    settings = settings | {"CONVOX_WEBHOOK_PRIVATE": "1"}
    first = serve(settings)
    await Door(session, settings).answers("/healthz", 200, first)
    token = (await run(tmp_path, settings, "token", "create", "ci")).out.strip()
    async with hook() as to:

        async def hangs() -> web.Response:
            to.told.set()
            await asyncio.Event().wait()
            return web.Response()

        to.answer = hangs
        added = await run(tmp_path, settings, "webhooks", "add", to.url, "--type", "freeze.*")
        assert added.status == 0, added.err
        # The secret is told once; from here on the receiver checks with it.
        to.secret = added.out.partition("Secret: ")[2].split()[0]
        name = added.out.partition("OK, ")[2].split()[0]
        asked = await run(tmp_path, {"RACK_URL": rack_url(settings, token)}, "do", "freeze", "*", "holidays")
        assert asked.status == 0, asked.err
        await until(to.told.is_set, first)
        first.send(signal.SIGKILL)
        await ended(first)
        before = list(to.keys)
        to.answer = None
        second = serve(settings)
        await until(lambda: to.taken, second)
        assert to.refused == 0
        assert [each["id"] for each in to.taken] == before[:1]
        assert to.taken[0]["data"]["reason"] == "holidays"

        tested = await run(tmp_path, settings, "webhooks", "test", name)
        assert (tested.status, tested.out) == (
            0,
            "Testing 127.0.0.1:" + to.url.split(":")[2].split("/")[0] + "... OK, 200\n",
        )
        assert to.types[-1] == "test"
        listed = (await run(tmp_path, settings, "webhooks", "list")).out
        assert name in listed
        assert to.secret not in listed
        assert to.url not in listed
        assert (await run(tmp_path, settings, "webhooks", "remove", name)).status == 0
        gone = await run(tmp_path, settings, "webhooks", "test", name)
        assert (gone.status, gone.out) == (1, "")
        assert "no such webhook" in gone.err

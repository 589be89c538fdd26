"""What a scrape may cost: one look for all who ask at once, an answer in time, and an end to the number of series."""

import asyncio
import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.admin.commands import new_key
from bot.api.delivery_tracker import LAST_SECONDS, MOST_APPS, DeliveryTracker, NewestPromotions
from bot.api.metrics import exposition
from bot.api.scrapes import SCRAPE_SECONDS, MetricsEndpoint
from bot.clock import SystemClock
from core.errors import Unavailable
from storage.keys import Keyring
from storage.store import open_store
from tests.bot.api.metric_facts import DELIVERED, metric_facts, promotion_entry
from tests.fakes import START

PAGE = (Path(__file__).parents[3] / "docs/operations.md").read_text()
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


class Looks:
    """A database that answers when the test says so."""

    def __init__(self):
        self.count = 0
        self.answers = asyncio.Event()

    async def __call__(self):
        self.count += 1
        await self.answers.wait()
        if self.count == 3:
            raise Unavailable("the database cannot be used: its disk is full")
        return metric_facts()


def asked(accept=""):
    return SimpleNamespace(headers={"Accept": accept})


async def test_who_scrapes_at_the_same_time_shares_one_look_and_what_is_wrong_with_it():
    looks = Looks()
    endpoint = MetricsEndpoint(looks)
    first = [asyncio.create_task(endpoint.get(asked())) for _ in range(50)]
    other = asyncio.create_task(endpoint.get(asked(OPENMETRICS)))
    await asyncio.sleep(0)
    first[0].cancel()
    await asyncio.sleep(0)
    looks.answers.set()

    answers = await asyncio.gather(*first[1:], other)

    assert looks.count == 2, "one for each of the two formats"
    assert len({each.body for each in answers}) == 2
    assert "openmetrics" in answers[-1].headers["Content-Type"]
    refused = await asyncio.gather(*(endpoint.get(asked()) for _ in range(5)), return_exceptions=True)
    assert {str(each) for each in refused} == {"the database cannot be used: its disk is full"}
    assert looks.count == 3
    assert (await endpoint.get(asked())).status == 200


async def test_a_look_that_takes_too_long_is_said_and_goes_on_for_the_next_one():
    looks = Looks()
    endpoint = MetricsEndpoint(looks, seconds=0.01)
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"not be read within 0\.01 s: .* The next scrape"):
            await endpoint.get(asked())
    assert looks.count == 1
    await endpoint.stop(None)
    assert [task.cancelled() for task in endpoint._running.values()] == [True]


async def test_how_promotions_ended_last_is_read_anew_once_one_has_ended_and_once_a_minute():
    read = []

    async def ends(limit):
        read.append(limit)
        return []

    tracker = DeliveryTracker(SimpleNamespace(last_ends=ends, last_failures=ends))
    for ended, seconds, times in ((1, 0, 1), (1, 59, 1), (2, 59, 2), (2, 100, 2), (2, 120, 3), (2, -500, 4)):
        await tracker.last(ended, START + timedelta(seconds=seconds))
        assert len(read) == 2 * times, (ended, seconds)
    assert set(read) == {MOST_APPS}
    assert LAST_SECONDS == 60


def test_there_is_an_end_to_the_series_and_the_page_says_how_many():
    apps = [f"app-{n:04}" for n in range(MOST_APPS)]
    ends = [promotion_entry(app=app, id=f"P{app}") for app in apps]
    facts = metric_facts(
        delivered=dict.fromkeys(apps, DELIVERED), last=NewestPromotions(ended=ends, failed=ends)
    )
    series = [line for line in exposition(facts)[0].decode().splitlines() if not line.startswith("#")]
    said = re.search(r"at most ([\d,]+) series", PAGE)
    assert said
    assert 0.9 * (most := int(said[1].replace(",", ""))) < len(series) <= most
    assert f"within {SCRAPE_SECONDS:g} s" in PAGE


async def test_of_more_apps_those_are_named_of_which_something_ended_last(tmp_path):
    key = new_key()
    async with open_store(tmp_path / "convox.db", Keyring([key]), SystemClock()):
        pass
    made, count = START.isoformat(), MOST_APPS + 100
    with sqlite3.connect(tmp_path / "convox.db") as raw:
        raw.executemany(
            "INSERT INTO apps (name, created_at, created_by, token, locked) VALUES (?, ?, '{}', 0, 0)",
            [(f"app-{n:04}", made) for n in range(count)],
        )
        raw.executemany(
            """INSERT INTO promotions (id, app, release, kind, phase, requested_by, requested_at, source, force, limits,
            approvals, settled_at, token, removed, nothing_ran, revision, words, progress, blameless, overwrite, restarts, cause_kind)
            VALUES (?, ?, 'R', 'promote', 'Reverted', '{}', ?, 'slack', 0, '{}', 0, ?, 0, 0, 0, 0, x'', x'', 0, 0, '[]', 'crash')""",
            [
                (f"P{n:010}", f"app-{n:04}", made, (START + timedelta(seconds=n)).isoformat())
                for n in range(count)
            ],
        )
    async with open_store(tmp_path / "convox.db", Keyring([key]), SystemClock()) as store:
        found = await DeliveryTracker(store.read).last(0, START)
    newest = [f"app-{n:04}" for n in reversed(range(100, count))]
    assert [each.app for each in found.ended] == newest
    assert [each.app for each in found.failed] == newest

"""Who is mentioned has a name outside Slack, and no answer waits long for it."""

import asyncio

import pytest

from bot.api.names import Names
from core.ports.people import Person
from tests.fakes import FakeDirectory


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("promoted by <@U01ANA> in <#C01>", "promoted by @u01ana in #C01"),
        ("<@U01ANA|ana> and <@W02BO>, <@U01ANA>", "@u01ana and @w02bo, @u01ana"),
        ("<!channel> <@group> <@U>", "<!channel> <@group> @U"),
        ("", ""),
    ],
)
async def test_people_are_named_and_channels_keep_their_ids(text, shown):
    assert await Names(FakeDirectory()).plain(text) == shown


async def test_without_slack_people_keep_their_ids():
    assert await Names(FakeDirectory(down=True)).plain("ask <@U01ANA>") == "ask @U01ANA"


async def test_a_slack_that_hangs_keeps_no_answer_back(monkeypatch):
    monkeypatch.setattr("bot.api.names.PATIENCE_SECONDS", 0.01)

    class Hanging(FakeDirectory):
        async def person(self, user_id: str) -> Person:
            await asyncio.Event().wait()
            raise AssertionError

    assert await Names(Hanging()).plain("ask <@U01ANA>") == "ask @U01ANA"


async def test_a_name_cannot_write_to_the_terminal():
    class Joker(FakeDirectory):
        async def person(self, user_id: str) -> Person:
            return Person(id=user_id, name="a\x1b[31m\nna", member=True)

    assert await Names(Joker()).plain("ask <@U01ANA>") == "ask @a[31mna"

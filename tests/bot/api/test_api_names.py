"""Who is named in a sentence has a name outside Slack, and no answer waits long for it."""

import asyncio

import pytest

from bot.api.names import Names
from core.actor import Actor
from core.ports.people import Person
from core.sentence import Channel, Sentence, UserGroup
from tests.fakes import FakeDirectory

ANA, BO = Actor("slack", "U01ANA"), Actor("slack", "W02BO", "bo the builder")
ASK = Sentence.of("ask ", ANA)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (Sentence.of("promoted by ", ANA, " in ", Channel("C01")), "promoted by @u01ana in #C01"),
        (Sentence.of(ANA, " and ", BO, ", ", ANA), "@u01ana and @w02bo, @u01ana"),
        (Sentence.of("ask ", UserGroup("S01")), "ask group:S01"),
        (Sentence.of(Actor("token", "ci"), " may not"), "token:ci may not"),
        ("<!channel> <@U01ANA> <#C01>", "<!channel> <@U01ANA> <#C01>"),
        ("", ""),
    ],
)
async def test_people_are_named_channels_keep_their_ids_and_text_is_text(said, shown):
    assert await Names(FakeDirectory()).plain(said) == shown


async def test_nobody_is_asked_for_twice():
    asked = []

    class Counting(FakeDirectory):
        async def person(self, user_id: str) -> Person:
            asked.append(user_id)
            return await super().person(user_id)

    await Names(Counting()).plain(Sentence.of(ANA, BO, ANA))
    assert sorted(asked) == ["U01ANA", "W02BO"]


async def test_without_slack_people_are_called_as_they_were_or_by_their_id():
    names = Names(FakeDirectory(down=True))
    assert await names.plain(Sentence.of("ask ", ANA, " or ", BO)) == "ask @U01ANA or @bo the builder"


async def test_a_slack_that_hangs_keeps_no_answer_back(monkeypatch):
    monkeypatch.setattr("bot.api.names.PATIENCE_SECONDS", 0.01)

    class Hanging(FakeDirectory):
        async def person(self, user_id: str) -> Person:
            await asyncio.Event().wait()
            raise AssertionError

    assert await Names(Hanging()).plain(ASK) == "ask @U01ANA"


async def test_a_name_cannot_write_to_the_terminal():
    class Joker(FakeDirectory):
        async def person(self, user_id: str) -> Person:
            return Person(id=user_id, name="a\x1b[31m\nna", member=True)

    assert await Names(Joker()).plain(ASK) == "ask @a[31mna"
    recorded = Sentence.of("ask ", Actor("slack", "U03", "c\x1b[2Jy"))
    assert await Names(FakeDirectory(down=True)).plain(recorded) == "ask @c[2Jy"

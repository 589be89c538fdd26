"""What had no outcome is looked for, by whatever clock it was sent."""

from datetime import timedelta

import pytest

from bot.slack.lookups import FIRST_LOOK, LONG_AGO, surely_absent
from bot.slack.web_api import Found
from tests.fakes import START, JumpingClock


@pytest.mark.parametrize("tried_at", [None, START + timedelta(days=365)])
async def test_what_was_sent_nobody_knows_when_or_by_a_clock_ahead_is_looked_for_at_once(tried_at):
    asked = []

    async def find(since):
        asked.append(since)
        return Found()

    async def never(_):
        raise AssertionError("it would wait for a year")

    assert await surely_absent(JumpingClock(), tried_at, find=find, found=never, postpone=never)
    assert asked == [START - LONG_AGO]


@pytest.mark.parametrize("ahead", [1, 59])
async def test_a_clock_that_is_set_back_by_seconds_makes_nothing_long_ago(ahead: int):
    later = []

    async def never(_):
        raise AssertionError("it was sent a moment ago")

    async def postpone(until):
        later.append(until)

    sent = START + timedelta(seconds=ahead)
    assert not await surely_absent(JumpingClock(), sent, find=never, found=never, postpone=postpone)
    assert later == [START + timedelta(seconds=FIRST_LOOK)]

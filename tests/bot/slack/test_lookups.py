"""What had no outcome is looked for, by whatever clock it was sent."""

from datetime import timedelta

import pytest

from bot.slack.lookups import LONG_AGO, surely_absent
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

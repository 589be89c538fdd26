"""What the bot does of its own accord about what ages: a little, a breath, a little more, and again in an hour."""

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.background import (
    BREATH_SECONDS,
    DELAYS_SECONDS,
    RETENTION_SECONDS,
    age_out_pushes,
    age_out_sources,
    age_records,
    forget_delays,
)
from core.errors import Unavailable
from core.policy.authorization import Policy
from core.policy.retention import RetentionRules
from core.ports.retention import AGING
from tests.fakes import START


class Clock:
    def __init__(self, sleeps: int) -> None:
        self.slept: list[float] = []
        self._sleeps = sleeps

    def now(self):
        return START

    def monotonic(self):
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == self._sleeps:
            raise asyncio.CancelledError


class Records:
    def __init__(self, left: int = 0, pages: int = 0) -> None:
        self.asked: list[tuple[str, timedelta]] = []
        self.left, self.pages = left, pages
        self.trouble = False
        self.young = ""
        self.mended: list[datetime] = []

    async def mend_marks(self, now) -> None:
        self.mended.append(now)

    async def due(self, records, before) -> bool:
        return records != self.young

    async def age(self, records, before) -> bool:
        if self.trouble:
            self.trouble = False
            raise Unavailable("its disk is full")
        self.asked.append((records, START - before))
        self.left -= 1
        return self.left >= 0

    async def give_back(self) -> bool:
        self.pages -= 1
        return self.pages >= 0


async def run(
    records: Records, clock: Clock, rules: RetentionRules | None = None, confirmed: bool = True
) -> list[bool]:
    policy, asked = Policy(retention=rules or RetentionRules()), []

    async def confirm() -> bool:
        asked.append(confirmed)
        return confirmed

    with pytest.raises(asyncio.CancelledError):
        await age_records(records, lambda: policy, clock, confirm)
    return asked


async def test_each_kind_of_records_ages_by_the_policy_and_what_has_no_key_as_lines_do():
    records, clock = Records(), Clock(1)
    await run(records, clock, RetentionRules(lines=86400.0, evidence=None))
    assert dict(records.asked) == {
        "inbox": timedelta(hours=25),
        "lines": timedelta(days=1),
        "build_logs": timedelta(days=180),
        "notices": timedelta(days=1),
    }
    assert clock.slept == [RETENTION_SECONDS]


async def test_between_two_small_writes_others_have_their_turn():
    records, clock = Records(left=2, pages=1), Clock(4)
    await run(records, clock)
    assert clock.slept == [BREATH_SECONDS] * 3 + [RETENTION_SECONDS]
    assert len(records.asked) == len(AGING) + 2


async def test_a_database_in_trouble_is_tried_again(caplog):
    records, clock = Records(), Clock(2)
    records.trouble = True
    await run(records, clock)
    assert "old records could not be deleted; trying again: its disk is full" in caplog.text
    assert len(records.asked) == len(AGING)


async def test_by_a_clock_that_nobody_confirms_nothing_ages_and_marks_ahead_of_it_are_mended():
    records, clock = Records(pages=1), Clock(2)
    assert await run(records, clock, confirmed=False) == [False]
    assert (records.asked, records.mended) == ([], [START])
    assert clock.slept == [BREATH_SECONDS, RETENTION_SECONDS], "room is given back whatever time it is"


async def test_nobody_is_asked_for_the_time_where_nothing_is_old():
    records, clock = Records(), Clock(1)
    records.young = "lines"
    assert await run(records, clock, RetentionRules(evidence=None)) == [True]
    assert "lines" not in dict(records.asked)

    async def young(kind, before):
        return False

    records, clock = Records(), Clock(1)
    records.due = young
    assert await run(records, clock) == []


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("task", [age_out_sources, age_out_pushes])
async def test_sources_and_pushes_age_by_a_clock_that_is_confirmed(task, confirmed):
    asked = []

    class Aged:
        async def age_out(self, now):
            asked.append(now)
            return 1

    async def confirm():
        return confirmed

    with pytest.raises(asyncio.CancelledError):
        await task(Aged(), Clock(1), confirm)
    assert asked == ([START] if confirmed else [])


async def test_what_waits_for_a_time_that_no_delay_leads_to_is_told_and_said(caplog):
    found, clock = [2, 0], Clock(2)

    async def forget(now):
        return found.pop(0)

    with pytest.raises(asyncio.CancelledError):
        await forget_delays(forget, clock)
    assert caplog.text.count("2 messages waited for a time far ahead of now: the clock has leapt") == 1
    assert clock.slept == [DELAYS_SECONDS] * 2

"""What the bot does of its own accord about what ages: a little, a breath, a little more, and again in an hour."""

import asyncio
from datetime import timedelta

import pytest

from bot.background import BREATH_SECONDS, RETENTION_SECONDS, age_records
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


async def run(records: Records, clock: Clock, rules: RetentionRules | None = None) -> None:
    policy = Policy(retention=rules or RetentionRules())
    with pytest.raises(asyncio.CancelledError):
        await age_records(records, lambda: policy, clock)


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

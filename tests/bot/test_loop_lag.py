"""How late the process came to what was due, as a histogram that adds up."""

import asyncio

import pytest

from bot.loop_lag import SAMPLE_SECONDS, LoopLag
from tests.fakes import JumpingClock


class LateClock(JumpingClock):
    """Every sleep lasts so much longer than asked for as the list says; then time stands still."""

    def __init__(self, late: list[float]) -> None:
        super().__init__()
        self.late = late
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        assert seconds == SAMPLE_SECONDS
        if not self.late:
            self.over.set()
            await asyncio.Event().wait()
        await super().sleep(seconds + self.late.pop(0))


async def test_each_sleep_that_lasted_too_long_is_counted_by_how_much_too_long_it_was():
    clock = LateClock([0.0, 0.004, 0.04, 0.04, 7.0])
    lag = LoopLag(clock)
    sampling = asyncio.create_task(lag.run())
    await clock.over.wait()
    sampling.cancel()

    counts = lag.buckets()
    assert list(counts) == sorted(counts, key=float)
    assert (counts["0.001"], counts["0.005"], counts["0.025"], counts["0.05"]) == (1, 2, 2, 4)
    assert (counts["2.5"], counts["+Inf"]) == (4, 5)
    assert lag.total == pytest.approx(7.084)

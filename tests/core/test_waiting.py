"""Waiting for the first of several: who is cancelled, who is left alone, and that nobody stays behind."""

import asyncio

import pytest

from core.waiting import first_of
from tests.fakes import JumpingClock


async def for_ever(ended: list[str], name: str = "for ever") -> None:
    try:
        await asyncio.Event().wait()
    finally:
        # Whoever is cancelled may need a moment for its own affairs.
        await asyncio.sleep(0)
        ended.append(name)


@pytest.fixture(autouse=True)
async def _nobody_stays_behind():
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}


async def test_the_first_ends_the_wait_and_the_others_are_over_by_then():
    ended: list[str] = []
    event = asyncio.Event()
    event.set()
    await first_of(for_ever(ended, "one"), event.wait(), for_ever(ended, "two"))
    assert sorted(ended) == ["one", "two"]


async def test_an_event_that_is_not_set_is_waited_for_as_long_as_the_clock_says():
    clock, event = JumpingClock(), asyncio.Event()
    await first_of(event.wait(), clock.sleep(30))
    assert (event.is_set(), clock.monotonic()) == (False, 30)


async def test_an_error_of_the_first_is_raised_after_the_others_are_over():
    ended: list[str] = []

    async def fail() -> None:
        raise LookupError("the first has failed")

    with pytest.raises(LookupError, match="the first has failed"):
        await first_of(for_ever(ended), fail())
    assert ended == ["for ever"]


@pytest.mark.parametrize("over", [True, False])
async def test_a_future_stays_its_owners(over):
    future, event = asyncio.get_running_loop().create_future(), asyncio.Event()
    if over:
        future.set_exception(LookupError("for whoever asks the future"))
    else:
        event.set()
    await first_of(future, event.wait())
    assert (future.done(), future.cancelled()) == (over, False)
    if over:
        with pytest.raises(LookupError):
            future.result()


async def test_a_future_that_is_cancelled_is_over():
    ended: list[str] = []
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await first_of(future, for_ever(ended))
    assert ended == ["for ever"]


async def test_who_is_cancelled_while_waiting_takes_along_what_is_its_own():
    ended: list[str] = []
    future = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(first_of(future, for_ever(ended)), name="who waits")
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == ["for ever"]
    assert not future.done()

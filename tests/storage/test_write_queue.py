import asyncio

import pytest

from storage.write_queue import WriteQueue


class Writers:
    """Start writers in order; each says when its turn is, and keeps it until it is let go."""

    def __init__(self):
        self.queue = WriteQueue()
        self.order = []
        self.tasks = {}
        self._go = asyncio.Semaphore(0)

    async def start(self, name, *, urgent=False):
        self.tasks[name] = asyncio.create_task(self._write(name, urgent))
        await settle()

    async def _write(self, name, urgent):
        async with self.queue.turn(urgent=urgent):
            self.order.append(name)
            await self._go.acquire()

    async def finish(self):
        for _ in self.tasks:
            self._go.release()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        return self.order


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def writers():
    return Writers()


async def test_the_urgent_wait_for_the_one_that_writes_only_and_each_kind_keeps_its_order(writers):
    for name in ("a", "b", "c"):
        await writers.start(name)
    for name in ("U", "V"):
        await writers.start(name, urgent=True)
    assert await writers.finish() == ["a", "U", "V", "b", "c"]


async def test_a_turn_whose_holder_fails_is_handed_on(writers):
    async def fail():
        async with writers.queue.turn():
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    await writers.start("a")
    assert await writers.finish() == ["a"]


@pytest.mark.parametrize("urgent", [True, False])
async def test_who_gives_up_waiting_keeps_nobody_waiting(writers, urgent):
    await writers.start("a")
    await writers.start("b", urgent=urgent)
    await writers.start("c")
    writers.tasks["b"].cancel()
    assert await writers.finish() == ["a", "c"]


async def test_who_is_cancelled_as_its_turn_comes_hands_it_on(writers):
    async with writers.queue.turn():
        await writers.start("b")
        await writers.start("c")
    writers.tasks["b"].cancel()  # its turn is given, and it has not run yet
    assert await writers.finish() == ["c"]


async def test_who_is_cancelled_with_a_cancelled_neighbour_is_passed_over(writers):
    await writers.start("a")
    for name in ("b", "c"):
        await writers.start(name)
    await writers.start("d")
    for name in ("a", "b", "c"):
        writers.tasks[name].cancel()
    assert await writers.finish() == ["a", "d"]

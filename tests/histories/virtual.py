"""Time that passes only when nobody has anything to do, so that a day costs what happens in it, and a run can be repeated."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class _Idle(selectors.DefaultSelector):
    """Where a loop would wait for its next timer, time jumps to it: there are no sockets and no threads to wait for."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "everybody waits for something that nobody will ever do"
        self.loop.passed += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is its own.

    Attributes:
        passed: seconds since it was made.
    """

    def __init__(self) -> None:
        self.passed = 0.0
        idle = _Idle()
        idle.loop = self
        super().__init__(idle)
        # A task that ends with the death of its process ends as told; whoever waits for it is dead as well.
        self.set_exception_handler(lambda *_: None)

    def time(self) -> float:
        return self.passed

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Run it at once: a thread would make two runs of the same history differ."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            future.set_exception(error)
        return future


class LoopClock:
    """The time of the loop that runs."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def run_virtually(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it to its end on a loop of its own and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)

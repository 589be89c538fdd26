"""A store that a state machine of hypothesis opens, closes and opens again: the real one on a file."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine

from storage.keys import Keyring
from storage.store import SqliteStore, open_store
from tests.soak import SOAKING
from tests.storage.making import HandClock

# A step is a transaction or several on a real file: so many are what a test run can wait for. What fails is told
# unexplained: to trace the lines of a thousand transactions takes longer than a test may, and hides what failed.
SETTINGS = settings(
    max_examples=1000 if SOAKING else min(20, settings.default.max_examples),
    stateful_step_count=25,
    phases=[phase for phase in Phase if phase is not Phase.explain],
)


class StoreMachine(RuleBasedStateMachine):
    """Rules are plain functions, so each runs what it does to its end on the machine's own loop."""

    store: SqliteStore

    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self._folder = Path(tempfile.mkdtemp(dir=memory))
        self._runner = asyncio.Runner()
        self._key = Keyring.generate()
        self._life = AsyncExitStack()
        self.clock = HandClock()
        self.does(self._open)

    def does(self, work: Callable[..., Awaitable[Any]], *given: Any, **named: Any) -> Any:
        """Carry out what is to be awaited, and return its result."""

        async def doing() -> Any:
            return await work(*given, **named)

        return self._runner.run(doing())

    async def _open(self) -> None:
        opening = open_store(self._folder / "convox.db", Keyring([self._key]), self.clock)
        self.store = await self._life.enter_async_context(opening)

    def reopen(self) -> None:
        """Close the store and open it again, as a restart does."""
        self.does(self._life.aclose)
        self.does(self._open)

    def teardown(self) -> None:
        self.does(self._life.aclose)
        self._runner.close()
        shutil.rmtree(self._folder)

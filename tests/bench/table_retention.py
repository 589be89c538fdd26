"""How long whoever writes waits for what ages: each transaction that deletes, and each that gives pages back."""

import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.clock import SystemClock
from core.ports.retention import AGING
from storage.keys import Keyring
from storage.store import SqliteStore, open_store
from tests.bench.ageing import aged, cache
from tests.bench.figures import milliseconds, percentile
from tests.bench.machine import Stopwatch
from tests.bench.tables import Goal, Table, shown

NAME = "retention"
COLUMNS = ["rollouts that age", "rows", "transactions", "each p50 / p99 / max, ms", "time", "room given back"]
# Whoever waits longest is an acknowledgement to Slack: the goals are those of every other table.
P99_GOAL, MOST_GOAL = 0.150, 1.0
# Later than everything in a history.
EVERYTHING = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class _Row:
    """What it took with so many rollouts; `steps` are the seconds of each transaction."""

    rollouts: int
    rows: int = 0
    steps: list[float] = field(default_factory=list)
    seconds: float = 0.0
    given_back: float = 0.0

    @property
    def cells(self) -> list[str]:
        each = [percentile(self.steps, share) for share in (0.5, 0.99)]
        return [
            f"{self.rollouts:,}",
            f"{self.rows:,}",
            f"{len(self.steps):,}",
            " / ".join(milliseconds(seconds) for seconds in (*each, max(self.steps))),
            shown(self.seconds, "s"),
            shown(self.given_back, "MB"),
        ]


async def measure(*, sizes: Sequence[int] = (100, 1_000), folder: Path | None = None) -> Table:
    """Let everything of histories age at once, with no breath between two transactions."""
    rows = [await _trial(size, folder or cache()) for size in sizes]
    return Table(
        name=NAME,
        title="Records that age",
        columns=COLUMNS,
        rows=[row.cells for row in rows],
        goals=[
            Goal(
                what="a transaction, p99, every row",
                found=max(percentile(row.steps, 0.99) for row in rows),
                limit=P99_GOAL,
                unit="ms",
            ),
            Goal(
                what="the slowest, every row",
                found=max(max(row.steps) for row in rows),
                limit=MOST_GOAL,
                unit="ms",
            ),
        ],
        notes=(
            "Everything of so many rollouts is older than the policy keeps it, all at once: the worst hour, that of the first start with it. Whoever else writes waits for one "
            "transaction and no more; between two the bot takes a breath of 0.1 s, which is left out here."
        ),
    )


async def _trial(size: int, folder: Path) -> _Row:
    history, row = await aged(size, folder), _Row(rollouts=size)
    with TemporaryDirectory() as place:
        database = Path(place) / "convox.db"
        shutil.copy(history.database, database)
        async with open_store(database, Keyring([history.key]), SystemClock()) as store:
            whole, before = Stopwatch(), await _bytes(store)
            for records in AGING:
                await _steps(row.steps, partial(store.retention.age, records, EVERYTHING))
            await _steps(row.steps, store.retention.give_back)
            row.seconds = whole.seconds
            row.given_back = before - await _bytes(store)
            row.rows = sum((await store.retention.aged_rows()).values())
    return row


async def _steps(times: list[float], step: Callable[[], Awaitable[bool]]) -> None:
    more = True
    while more:
        one = Stopwatch()
        more = await step()
        times.append(one.seconds)


async def _bytes(store: SqliteStore) -> int:
    pages = await store.retention.pages()
    return pages.count * pages.size

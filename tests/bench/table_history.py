"""Nothing waits for history: the same questions to apps with a hundred and with a hundred thousand releases."""

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import SystemClock
from bot.rate_settings import RateSettings
from storage.keys import Keyring
from storage.store import open_store
from tests.bench.acks import Acks, somebody_else
from tests.bench.ageing import APP, CHANNEL, aged, cache
from tests.bench.arena import Arena, arena
from tests.bench.bots import RunningBot
from tests.bench.figures import milliseconds, percentile
from tests.bench.machine import Stopwatch, memory
from tests.bench.tables import Goal, Table, shown

NAME = "history"
COLUMNS = [
    "releases", "`releases`, ms", "`releases info`, ms", "`env set`, ms", "promote request, ms",
    "ack of somebody else p50 / p99 / max, ms", "most memory", "ready",
]  # fmt: skip
ACK_EVERY = 0.1
# A promotion that waits for an approval is a request and nothing more: no rollout mixes into the figures.
POLICY = """\
apps:
  - match: ["*"]
    approvals:
      promote: {count: 1}
    unpinned: true
"""
# What takes so long gets no more samples: a table must end.
PATIENCE, FEWEST = 30.0, 3
QUESTIONS = ("releases", "info", "env set", "promote")


@dataclass(slots=True)
class HistoryRow:
    """What was measured with so many releases; times by question."""

    releases: int
    times: dict[str, list[float]] = field(default_factory=dict)
    acks: Acks = field(default_factory=Acks)
    memory: float = 0.0
    ready: float = 0.0

    @property
    def cells(self) -> list[str]:
        return [
            f"{self.releases:,}",
            *(self._two(self.times[question]) for question in QUESTIONS),
            self.acks.cell,
            shown(self.memory, "MB"),
            shown(self.ready, "s"),
        ]

    @staticmethod
    def _two(times: Sequence[float]) -> str:
        return " / ".join(milliseconds(percentile(times, share)) for share in (0.5, 0.99))


async def measure(
    *,
    sizes: Sequence[int] = (100, 1_000, 10_000, 100_000),
    samples: int = 50,
    folder: Path | None = None,
) -> Table:
    """Ask a bot with each history the same things.

    Args:
        sizes: releases of the app, one row each.
        samples: of each question.
        folder: where histories are kept; by default the user's cache.
    """
    rows = []
    for size in sizes:
        row = HistoryRow(size)
        async with arena(policy=POLICY) as made:
            await _give_history(made, size, folder or cache())
            async with made.bot() as bot:
                row.ready = bot.ready_in
                async with somebody_else(made.slack, row.acks, every=ACK_EVERY):
                    await _ask(bot, row, samples)
                row.memory = memory(bot.process.pid, "VmHWM")
        rows.append(row)
    return _table(rows, samples)


async def _give_history(made: Arena, size: int, folder: Path) -> None:
    """Put a history in the place of the arena's database."""
    history = await aged(size, folder)
    made.add_channel(CHANNEL)
    for part in made.folder.glob("convox.db*"):
        part.unlink()
    shutil.copy(history.database, made.database)
    made.settings["CONVOX_KEYS"] = history.key
    async with open_store(made.database, Keyring([history.key]), SystemClock()) as store:
        made.token = await store.tokens.create("bench")


async def _ask(bot: RunningBot, row: HistoryRow, samples: int) -> None:
    releases: list[str] = []

    async def setting(number: int) -> None:
        answer = await bot.command(f"env set NUMBER={number} -a {APP}")
        releases.extend(re.findall(r"\bR[A-Z]{10}\b", answer["text"])[-1:])

    async def promoting(number: int) -> None:
        await bot.command(f"releases promote {releases[number % len(releases)]} -a {APP}")

    async def listing(_: int) -> None:
        await bot.command(f"releases -l 20 -a {APP}")

    async def showing(number: int) -> None:
        await bot.command(f"releases info {releases[number % len(releases)]} -a {APP}")

    # What is set is then looked at and promoted, so the order is not that of the columns.
    for question, ask in (
        ("env set", setting),
        ("promote", promoting),
        ("releases", listing),
        ("info", showing),
    ):
        row.times[question] = await _times(ask, samples)


async def _times(ask: Callable[[int], Awaitable[None]], samples: int) -> list[float]:
    """Return how long each of so many questions took, or of fewer where they take too long together."""
    times, whole = list[float](), Stopwatch()
    while len(times) < samples and (whole.seconds < PATIENCE or len(times) < FEWEST):
        one = Stopwatch()
        await ask(len(times))
        times.append(one.seconds)
        # As often as a token may ask; to wait for that is no part of an answer.
        await asyncio.sleep(max(0.0, 60 / RateSettings().convox_reads_per_minute - one.seconds))
    return times


def _table(rows: Sequence[HistoryRow], samples: int) -> Table:
    few, many = rows[0], rows[-1]
    goals = [
        Goal(what="ack p99, every row", found=max(r.acks.p99 for r in rows), limit=0.150, unit="ms"),
        Goal(what="slowest ack, every row", found=max(r.acks.most for r in rows), limit=1.0, unit="ms"),
    ]
    for question, name in (("env set", "`env set`"), ("promote", "promote request")):
        worst = max(percentile(row.times[question], 0.99) for row in rows)
        growth = percentile(many.times[question], 0.5) / percentile(few.times[question], 0.5)
        goals += [
            Goal(what=f"{name} p99, every row", found=worst, limit=0.050, unit="ms"),
            Goal(
                what=f"{name} p50, {many.releases:,} over {few.releases:,}",
                found=growth,
                limit=1.5,
                unit="×",
                how="≤",
            ),
        ]
    return Table(
        name=NAME,
        title="History",
        columns=COLUMNS,
        rows=[row.cells for row in rows],
        goals=goals,
        notes=(
            f"p50 / p99 of {samples} questions each (fewer where they take more than {PATIENCE:.0f} s together), one after another, over "
            "HTTP with a new connection each, as `convox-bot do` asks. The app has that many releases, each with a build, eight "
            "variables, a bundle and a promotion that was told in Slack. A promote request renders a release that has no bundle yet and "
            "waits for an approval. Meanwhile somebody else types `/convox help` in another channel every "
            f"{ACK_EVERY:g} s. Ready: from the start of the process on that database to `/readyz`."
        ),
    )

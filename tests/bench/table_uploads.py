"""What the source of a build costs the bot while it comes in, and what everybody else feels of it."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.bench.acks import Acks, somebody_else
from tests.bench.arena import LOOPBACK, MANIFEST, Arena, arena
from tests.bench.bots import RunningBot
from tests.bench.machine import Stopwatch, forget_most_memory
from tests.bench.tables import Goal, Table, shown
from tests.controlplane.processes import Process
from tests.serve.program import SCRIPT, environment, until

NAME = "uploads"
COLUMNS = ["uploads × size", "time", "MB a second", "memory more", "ack p50 / p99 / max, ms"]
MEGABYTE = 1_000_000
TRIALS = ((1, 500 * MEGABYTE), (4, 125 * MEGABYTE))
MEMORY_GOAL, ACK_GOAL = 50 * MEGABYTE, 0.150
# In which nobody asks for anything but `/convox help`, to compare the rest with.
IDLE_SECONDS = 10.0
EVERY = 0.1
UPLOADING, UPLOADED = "Uploading source...", "Starting build..."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What one trial showed; `memory` is what the bot had at most over what it had before."""

    what: str
    size: int
    seconds: float
    memory: float
    acks: Acks

    @property
    def cells(self) -> list[str]:
        pace = f"{self.size / MEGABYTE / self.seconds:.0f}"
        return [self.what, shown(self.seconds, "s"), pace, shown(self.memory, "MB"), self.acks.cell]


async def measure(*, trials: Sequence[tuple[int, int]] = TRIALS, idle_seconds: float = IDLE_SECONDS) -> Table:
    """Let so many `convox-bot build` at once upload folders of so many bytes each, which nothing can compress."""
    async with arena() as made:
        made.settings |= {
            "CONVOX_REGISTRY": "registry.example",
            "CONVOX_BUILD_ADDRESS": f"http://{LOOPBACK}:{made.settings['API_PORT']}",
        }
        async with made.bot() as bot:
            # First by itself: what the first commands cost for good is not the upload's.
            idle, rows = Acks(), []
            async with somebody_else(made.slack, idle, every=EVERY):
                await asyncio.sleep(idle_seconds)
            for many, size in trials:
                rows.append(await _trial(made, bot, many, size))
    return Table(
        name=NAME,
        title="Sources coming in",
        columns=COLUMNS,
        rows=[["none", shown(idle_seconds, "s"), "", "", idle.cell], *(row.cells for row in rows)],
        goals=[
            Goal(
                what="memory more, every row", found=max(r.memory for r in rows), limit=MEMORY_GOAL, unit="MB"
            ),
            Goal(what="ack p99, every row", found=max(r.acks.p99 for r in rows), limit=ACK_GOAL, unit="ms"),
            Goal(what="slowest ack, every row", found=max(r.acks.most for r in rows), limit=1.0, unit="ms"),
        ],
        notes=(
            "So many `convox-bot build` at once upload a folder with one file of random bytes, on the same machine and disk as the bot. "
            "From the first byte that is sent until the digest of the last source has been checked. Memory is the most that was resident "
            "(VmHWM) over what was before; meanwhile somebody types `/convox help` in another channel every 0.1 s."
        ),
    )


async def _trial(made: Arena, bot: RunningBot, many: int, size: int) -> _Row:
    acks, clients = Acks(), []
    with ExitStack() as stack:
        for number in range(many):
            app = f"up-{many}-{number}-{len(made.slack.calls)}"
            await bot.command(f"apps create {app}")
            clients.append(_client(made, app, size))
            stack.callback(clients[-1].kill)
        await asyncio.gather(*(until(_says(client, UPLOADING), client, within=300) for client in clients))
        stopwatch, before = Stopwatch(), bot.memory()
        forget_most_memory(bot.process.pid)
        async with somebody_else(made.slack, acks, every=EVERY):
            await asyncio.gather(*(until(_says(client, UPLOADED), client, within=300) for client in clients))
            seconds = stopwatch.seconds
        most = bot.memory("VmHWM")
    what = f"{many} × {size / MEGABYTE:.0f} MB"
    return _Row(what=what, size=many * size, seconds=seconds, memory=most - before, acks=acks)


def _client(made: Arena, app: str, size: int) -> Process:
    """Start `convox-bot build` of a folder of that size."""
    folder = made.folder / app
    folder.mkdir()
    (folder / "convox.yml").write_text(MANIFEST.format(pods=1))
    with (folder / "data").open("wb") as file:
        for _ in range(size // MEGABYTE):
            file.write(os.urandom(MEGABYTE))
    url = f"http://convox:{made.token}@{LOOPBACK}:{made.settings['API_PORT']}"
    settings = [f"{name}={value}" for name, value in environment({"RACK_URL": url}).items()]
    return Process(
        ["env", "-i", *settings, str(SCRIPT), "build", "-a", app, str(folder)], made.folder / f"{app}.log"
    )


def _says(client: Process, words: str) -> Callable[[], bool]:
    return lambda: words in client.log.read_text()

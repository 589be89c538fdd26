"""How long a start takes and what an idle bot costs: every deployment of the bot itself is such a pause."""

import asyncio
import os
import subprocess
import sys
import time
from statistics import median

from tests.bench.arena import arena
from tests.bench.tables import Goal, Table, shown

NAME = "start"
# Nobody listens there: what is measured is how long it takes until a terminal has asked.
NOBODY = "http://convox:t@127.0.0.1:1"
READY_GOAL, MEMORY_GOAL = 1.5, 90_000_000


def asked_in() -> float:
    """Return the seconds that `convox-bot do releases` takes where no answer is waited for."""
    program = "import sys; from bot.cli.main import main; sys.exit(main())"
    began = time.perf_counter()
    words = [sys.executable, "-c", program, "do", "releases", "-a", "myapp"]
    subprocess.run(words, env={**os.environ, "RACK_URL": NOBODY}, capture_output=True, check=False)
    return time.perf_counter() - began


async def measure(*, times: int = 7, idle_seconds: float = 10.0) -> Table:
    """Start a bot that many times on the same empty database; look at the last one after it has been idle."""
    ready, memories, idle = [], [], 0.0
    async with arena() as made:
        for number in range(times):
            async with made.bot() as bot:
                ready.append(bot.ready_in)
                before = bot.cpu
                await asyncio.sleep(idle_seconds if number == times - 1 else 1.0)
                idle = (bot.cpu - before) / idle_seconds
                memories.append(bot.memory())
    terminal = [await asyncio.to_thread(asked_in) for _ in range(times)]
    return Table(
        name=NAME,
        title="Start and idle",
        columns=[
            "starts",
            "ready, median",
            "ready, slowest",
            "idle memory",
            "idle CPU",
            "`do releases`, median",
        ],
        rows=[
            [
                str(times),
                shown(median(ready), "s"),
                shown(max(ready), "s"),
                shown(memories[-1], "MB"),
                f"{idle:.1%}",
                shown(median(terminal), "s"),
            ]
        ],
        goals=[
            Goal(what="ready, median", found=median(ready), limit=READY_GOAL, unit="s", how="≤"),
            Goal(what="idle memory", found=memories[-1], limit=MEMORY_GOAL, unit="MB", how="≤"),
        ],
        notes=(
            "`python -m bot` on an empty database, from the start of the process until `/readyz` says 200. Memory is what is "
            f"resident (RSS) and CPU what was used in {idle_seconds:.0f} s in which nobody asked for anything. "
            "`do releases`: `convox-bot do releases` from its start to its end, where nobody answers it."
        ),
    )

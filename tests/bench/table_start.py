"""How long a start takes and what an idle bot costs: every deployment of the bot itself is such a pause."""

import asyncio
from statistics import median

from tests.bench.arena import arena
from tests.bench.tables import Goal, Table, shown

NAME = "start"
READY_GOAL, MEMORY_GOAL = 1.5, 90_000_000


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
    return Table(
        name=NAME,
        title="Start and idle",
        columns=["starts", "ready, median", "ready, slowest", "idle memory", "idle CPU"],
        rows=[
            [
                str(times),
                shown(median(ready), "s"),
                shown(max(ready), "s"),
                shown(memories[-1], "MB"),
                f"{idle:.1%}",
            ]
        ],
        goals=[
            Goal(what="ready, median", found=median(ready), limit=READY_GOAL, unit="s", how="≤"),
            Goal(what="idle memory", found=memories[-1], limit=MEMORY_GOAL, unit="MB", how="≤"),
        ],
        notes=(
            "`python -m bot` on an empty database, from the start of the process until `/readyz` says 200. Memory is what is "
            f"resident (RSS) and CPU what was used in {idle_seconds:.0f} s in which nobody asked for anything."
        ),
    )

"""The simulated cluster as a process of its own: `python -m tests.bench.cluster FOLDER NODES`, until it is killed."""

import asyncio
import sys
from pathlib import Path

import yaml

from bot.clock import SystemClock
from bot.playground.cluster.simulated import SimulatedCluster


def kubeconfig(folder: Path, user: str) -> Path:
    return folder / f"{user}.kubeconfig"


async def run(folder: Path, nodes: int) -> None:
    """Run a cluster; the file for the bot comes last, and says that everything is there."""
    async with SimulatedCluster(SystemClock(), nodes=nodes) as cluster:
        for user in ("admin", "convox-bot"):
            half = folder / f"{user}.half"
            half.write_text(yaml.safe_dump(cluster.kubeconfig(user)))
            half.rename(kubeconfig(folder, user))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))

"""Simulated nodes for a real control plane, as a process of their own: `python -m tests.bench.kubelet KUBECONFIG NODES`."""

import asyncio
import sys
from pathlib import Path

from bot.clock import SystemClock
from bot.playground.kubelet.api import connect
from bot.playground.kubelet.simulated import SimulatedKubelet


async def run(kubeconfig: Path, nodes: int) -> None:
    """Be these nodes until killed."""
    async with connect(kubeconfig) as api, SimulatedKubelet(api, SystemClock(), nodes=nodes):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))

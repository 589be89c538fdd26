"""What was measured on, and what Linux says of a process; no host is named."""

import asyncio
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_KILOBYTE = 1024


def description() -> str:
    """Return cores, memory, kernel and Python of this machine, and the day."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {cores} cores, {memory:.0f} GiB of memory, Linux "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}."
    )


def load() -> float:
    """Return how many processes wanted to run during the last minute: others beside the bench spoil it."""
    return os.getloadavg()[0]


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, its own and the kernel's for it."""
    # Behind the name, which may hold spaces and brackets, fields 14 and 15 (proc_pid_stat(5)) are numbers 11 and 12.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int, field: str = "VmRSS") -> float:
    """Return the resident bytes of a process; `VmHWM` is the most it ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return float(line.split()[1]) * _KILOBYTE


def forget_most_memory(pid: int) -> None:
    """Let a process's `VmHWM` begin anew with what is resident now (proc_pid_clear_refs(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def second_hand(at: float) -> None:
    """Wait until the clock on the wall is at this part of a second, for what is counted in whole seconds of it."""
    await asyncio.sleep((at - time.time()) % 1)


class Stopwatch:
    """Seconds on the wall since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

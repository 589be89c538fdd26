"""convox-bot as a process of its own, told what to do by settings alone; it never outlives the tests."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.controlplane.processes import Process

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).with_name("convox-bot")
MODULE = (sys.executable, "-m", "bot")
# What an interpreter and git need; everything else of this machine's environment stays out.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
# Starting takes two seconds on idle cores; a machine that runs other tests as well needs several times that.
START_SECONDS = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a command that has ended left behind."""

    status: int
    out: str
    err: str


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


def start(folder: Path, settings: Mapping[str, str], *command: str, log: str = "program.log") -> Process:
    """Start a command that runs until it is ended, in `folder`, with these settings and no others."""
    variables = [f"{name}={value}" for name, value in environment(settings).items()]
    return Process(["env", "-C", str(folder), "-i", *variables, *command], folder / log)


async def run(folder: Path, settings: Mapping[str, str], *words: str) -> Finished:
    """Run `convox-bot WORDS` to its end."""
    child = await asyncio.create_subprocess_exec(
        SCRIPT,
        *words,
        cwd=folder,
        env=environment(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(90):
            out, err = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return Finished(status=child.returncode or 0, out=out.decode(), err=err.decode())


async def ended(program: Process) -> int:
    """Return the exit status of a program that is about to end."""
    return (await until(lambda: None if (status := program.ended()) is None else (status,)))[0]


async def until(
    look: Callable[[], Any],
    program: Process | None = None,
    *,
    within: float = START_SECONDS,
) -> Any:
    """Return what `look` finds once it finds something; fail at the deadline, or when the program has ended."""
    try:
        async with asyncio.timeout(within):
            while True:
                found: Any = look()
                if isinstance(found, Awaitable):
                    found = await found
                if found:
                    return found
                if program is not None and program.ended() is not None:
                    raise AssertionError(f"it ended with status {program.ended()}; {program.tail()}")
                await asyncio.sleep(0.05)
    except TimeoutError:
        said = program.tail() if program is not None else ""
        raise AssertionError(f"not within {within:.0f} s; {said}") from None

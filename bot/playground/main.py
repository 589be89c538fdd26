"""`convox-bot playground`: runs the whole on one address, until it is stopped or is to begin anew."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from bot.clock import ScaledClock, SystemClock
from bot.main import run as run_bot
from bot.pictures.process import drawer
from bot.playground.examples import examples
from bot.playground.slack.delivery import ACK_SECONDS
from bot.playground.state_folder import StateFolder
from bot.playground.wiring import Playground, free_port, playground, save
from core.clock import Clock

# How much of a playground a kill -9 may lose.
SNAPSHOT_SECONDS = 0.2
# A bot that has not connected by then says why on the terminal.
CONNECT_SECONDS = 60.0


class Shutdown:
    """How a run ends: because somebody stops the playground, or because it is to begin anew."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.resets = False

    def stop(self) -> None:
        self.resets = False
        self.event.set()

    async def reset(self) -> None:
        if not self.event.is_set():
            self.resets = True
            self.event.set()


async def _play(*, port: int, state: Path, speed: float) -> int:
    state_folder = StateFolder(state)
    if (running := state_folder.claim()) is not None:
        _say(_runs_already(state_folder, running))
        return 1
    taken, port = port, free_port(port)
    if taken not in {0, port}:
        _say(f"Port {taken} is taken by another program; this playground takes {port}.")
    shutdown = Shutdown()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, shutdown.stop)
    life = partial(_once, state_folder, shutdown, port=port, speed=speed)
    await life(lambda made: _say(_greeting(state_folder, made)))
    while shutdown.resets:
        shutdown.event.clear()
        state_folder.forget()
        await life(lambda _: _say(_fresh_start(state_folder)))
    _say(
        f"Stopped. What was done is kept in {_shown(state_folder.folder)}; the next start goes on from there."
    )
    return 0


async def _once(
    state_folder: StateFolder,
    shutdown: Shutdown,
    announce: Callable[[Playground], None],
    *,
    port: int,
    speed: float,
) -> None:
    """Run until it ends, saving on the way."""
    clock: Clock = SystemClock() if speed == 1.0 else ScaledClock(speed)
    # Slack's patience is with a process, and that runs no faster.
    patience = ACK_SECONDS * max(speed, 1.0)
    async with (
        playground(
            state_folder,
            clock,
            port=port,
            reset=shutdown.reset,
            ack_seconds=patience,
            draw=drawer(),
        ) as made,
        asyncio.TaskGroup() as tasks,
    ):
        saving = tasks.create_task(_keep_saving(state_folder, made), name="save the playground")
        announcing = tasks.create_task(_announce(made, announce), name="announce the playground")
        await run_bot(made.bot, shutdown.event)
        announcing.cancel()
        saving.cancel()


async def _announce(made: Playground, announce: Callable[[Playground], None]) -> None:
    """Name the address once the bot hears what is typed there: before that Slack would answer `dispatch_failed`."""
    with suppress(TimeoutError):
        await made.slack.wait_for(lambda: made.slack.connected, timeout=CONNECT_SECONDS)
    announce(made)


async def _keep_saving(state_folder: StateFolder, made: Playground) -> None:
    while True:
        await asyncio.sleep(SNAPSHOT_SECONDS)
        save(state_folder, made.slack, made.cluster)


def _runs_already(state_folder: StateFolder, running: str) -> str:
    where = running or "it is just starting, and prints its address there"
    folder = _shown(state_folder.folder)
    beside = shlex.quote(f"{folder}-2")
    return (
        f"A playground runs already with what is kept in {folder}: {where}\n"
        f"Use that one, or start another beside it, with a folder of its own:   {_program()} playground --state {beside}"
    )


def _greeting(state_folder: StateFolder, made: Playground) -> str:
    state_folder.announce(made.slack.url)
    return f"convox-bot playground: {made.slack.url}   (Ctrl-C stops it)\nIn another terminal:   {_terminal(state_folder)}"


def _fresh_start(state_folder: StateFolder) -> str:
    return f"Reset: it has begun anew. In another terminal, once more:   {_terminal(state_folder)}"


def _terminal(state_folder: StateFolder) -> str:
    """Return what makes a shell talk to this playground, as it can be typed where this was started."""
    # Without a slash a shell would look for `env` in its PATH.
    file = os.path.join(_shown(state_folder.folder), "env")  # noqa: PTH118 - Path would drop a leading "./"
    folder = shlex.quote(_shown(examples() / "myapp"))
    return (
        f". {shlex.quote(file)} && {_program()} do releases -a myapp\n"
        f"Build one from its folder:   {_program()} build -a myapp {folder}   (a broken one: -m broken/convox.yml)"
    )


def _program() -> str:
    called = Path(sys.argv[0])
    return shlex.quote(_shown(called)) if called.name == "convox-bot" and called.exists() else "convox-bot"


def _shown(path: Path) -> str:
    """Return a path as somebody in this folder would type it."""
    relative = os.path.relpath(path)
    return str(path.absolute()) if relative.startswith("..") else f"./{relative}".removesuffix("/.")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(*, port: int, state: Path, speed: float) -> int:
    """Run the playground until it is interrupted; return the exit code."""
    return asyncio.run(_play(port=port, state=state, speed=speed))

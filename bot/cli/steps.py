"""What `build` is at, as Convox writes it: `Packaging source... OK`; with how far it is where somebody looks on."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

from bot.cli.live_line import Awaited, live_line
from bot.cli.output import write
from bot.cli.screen import painted

BAR_CELLS = 20


class Steps:
    """Steps that are told on one stream, each in its line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    @contextmanager
    def step(self, name: str) -> Generator["StepProgress"]:
        """Tell that something begins, and that it is done; whatever is raised in between has the next line to itself."""
        done = painted("OK", "good", self._out)
        with live_line(self._out) as show:
            if show is None:
                write(f"{name}... ", self._out, end="")
            else:
                show(Awaited(text=f"{name}...", seconds=0))
            try:
                yield StepProgress(name, show)
            except BaseException:
                write("" if show is None else f"{name}...", self._out)
                raise
            write(done if show is None else f"{name}... {done}", self._out)


class StepProgress:
    """One step on its way; `show` rewrites its line, None where there is none to be rewritten."""

    def __init__(self, name: str, show: Callable[[Awaited | None], None] | None) -> None:
        self._name = name
        self._show = show

    def advance(self, done: int, size: int) -> None:
        """Show how much of so many bytes is done, on a terminal; a pipe gets whole lines only."""
        if self._show is not None:
            full = done * BAR_CELLS // size
            bar = "#" * full + "-" * (BAR_CELLS - full)
            of = f"{done * 100 // size}% of {size / 1e6:,.1f} MB"
            self._show(Awaited(text=f"{self._name}... [{bar}] {of}"))

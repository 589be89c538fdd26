"""What `build` is at, as Convox writes it: `Packaging source... OK`; with how far it is where somebody looks on."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

CLEAR = "\x1b[K"
BAR_CELLS = 20


class Steps:
    """Steps that are told on one stream, each in its line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        # A line is rewritten, in no colour; what calls itself dumb cannot do that.
        self._live = out.isatty() and os.environ.get("TERM") != "dumb"

    @contextmanager
    def step(self, name: str) -> Generator["StepProgress"]:
        """Tell that something begins, and that it is done; whatever is raised in between has the next line to itself."""
        step = StepProgress(name, self._out, live=self._live)
        self._write(f"{name}... ")
        try:
            yield step
        except BaseException:
            self._write("\n")
            raise
        self._write(f"\r{name}... OK{CLEAR}\n" if step.told else "OK\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


class StepProgress:
    """One step on its way.

    Attributes:
        told: how far it is stands in its line.
    """

    def __init__(self, name: str, out: TextIO, *, live: bool) -> None:
        self._name = name
        self._out = out
        self._live = live
        self.told = False

    def advance(self, done: int, size: int) -> None:
        """Show how much of so many bytes is done, on a terminal; a pipe gets whole lines only."""
        if self._live:
            self.told = True
            full = done * BAR_CELLS // size
            bar = "#" * full + "-" * (BAR_CELLS - full)
            of = f"{done * 100 // size}% of {size / 1e6:,.1f} MB"
            self._out.write(f"\r{self._name}... [{bar}] {of}{CLEAR}")
            self._out.flush()

"""One line that is rewritten while somebody waits, below those that stay (contract 9.1); a pipe never sees it."""

import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from bot.cli.screen import columns, fit, harmless, rewritable

# As often as what is counted changes.
EVERY_SECONDS = 1.0
# The cursor stays at the begin of the line, so that all of it is below and behind the cursor, however narrow a terminal has become.
_HOME, _CLEAR = "\r", "\x1b[J"
_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """What is awaited.

    Attributes:
        text: what, in words.
        seconds: for how long already when that was said; None where nobody knows.
        left: how long still, then; None where nobody knows.
    """

    text: str
    seconds: float | None = None
    left: float | None = None

    def ending(self, later: float) -> str:
        """Return what is counted, so many seconds after it was said."""
        if self.left is not None:
            return f" ({clock(self.left - later)} left)"
        return f" ({clock(self.seconds + later)})" if self.seconds is not None else ""


def clock(seconds: float) -> str:
    """Return seconds as a clock counts them: `0:07`, `12:30`, `1:00:00`."""
    minutes, rest = divmod(max(0, int(seconds)), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class LiveLine:
    """The line, drawn once a second by a thread of its own, since the program is blocked by what it waits for."""

    def __init__(self, out: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._now = now
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._awaited: Awaited | None = None
        self._since = 0.0
        self._drawn = False

    def show(self, awaited: Awaited | None) -> None:
        """Show what is awaited from now on; None where nothing is."""
        with self._lock:
            self._awaited, self._since = awaited, self._now()
            if awaited is None:
                self.erase()
            else:
                self.draw()

    def draw(self) -> None:
        """Draw it anew, as wide as the terminal is now; not while another program has the terminal."""
        with self._lock:
            if self._awaited is None or self._ended.is_set() or not _in_foreground(self._out):
                return
            # A cell less than there are: in the last one terminals differ in where the cursor is then.
            line = fit(
                harmless(_in_one_line(self._awaited.text, self._out), self._out),
                self._awaited.ending(self._now() - self._since),
                columns(self._out) - 1,
            )
            self._write(f"{_HOME}{line}{_CLEAR}{_HOME}")
            self._drawn = True

    def erase(self) -> None:
        """Leave nothing of it behind."""
        with self._lock:
            if self._drawn:
                self._write(f"{_HOME}{_CLEAR}")
                self._drawn = False

    @contextmanager
    def away(self) -> Generator[None]:
        """Take it away while something is written that stays, and draw it below that."""
        with self._lock:
            self.erase()
            yield
            self.draw()

    def run(self) -> None:
        """Draw it once a second until `end`."""
        while not self._ended.wait(EVERY_SECONDS):
            self.draw()

    def end(self) -> None:
        """Draw it no more."""
        with self._lock:
            self._ended.set()
            self.erase()

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


# The one that is on: whoever writes a line, on whichever stream, writes on the same terminal.
_on: list[LiveLine] = []


@contextmanager
def live_line(out: TextIO) -> Generator[Callable[[Awaited | None], None] | None]:
    """Have the line while something is awaited, and yield what shows it: None where no line can be rewritten.

    However it ends, by Ctrl-C too, the screen holds what stays and nothing else.
    """
    if not rewritable(out):
        yield None
        return
    line = LiveLine(out)
    drawing = threading.Thread(target=line.run, name="live-line", daemon=True)
    _on.append(line)
    drawing.start()
    try:
        yield line.show
    finally:
        line.end()
        _on.remove(line)
        drawing.join()


@contextmanager
def above() -> Generator[None]:
    """Write what stays, with the line that is rewritten out of the way."""
    if not _on:
        yield
        return
    with _on[-1].away():
        yield


def _in_one_line(text: str, out: TextIO) -> str:
    """Return text in a line, in characters of that stream's encoding: what stands for another one would be longer than it."""
    encoding = out.encoding or "utf-8"
    return " ".join(text.encode(encoding, "replace").decode(encoding).split())


def _in_foreground(out: TextIO) -> bool:
    try:
        return os.tcgetpgrp(out.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return True  # nothing that knows of jobs

"""What a command prints, and how it ends: 0 where it has something to say, 2 for wrong usage."""

import sys
from collections.abc import Sequence
from typing import TextIO

from bot.cli.live_line import above
from bot.cli.screen import harmless, painted, verdict

EXIT_USAGE = 2


def show(text: str) -> int:
    """Print the answer of a command, and return its exit status."""
    say(text)
    return 0


def fail(sentences: Sequence[str], status: int = EXIT_USAGE) -> int:
    """Print what is wrong, a sentence a line, and return the exit status."""
    for sentence in sentences:
        write(verdict(sentence, sys.stderr), sys.stderr)
    return status


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text as it came from elsewhere, now: whoever watches a rollout through a pipe wants each line when it comes."""
    out = stream or sys.stdout
    write(harmless(text, out), out)


def say_verdict(line: str, stream: TextIO | None = None) -> None:
    """Print how something has ended; its word has a colour where there are any."""
    out = stream or sys.stdout
    write(verdict(line, out), out)


def notice(text: str) -> None:
    """Print what is to be known besides, where no program reads."""
    write(f"{painted('Note:', 'note', sys.stderr)} {harmless(text, sys.stderr)}", sys.stderr)


def write(text: str, out: TextIO, end: str = "\n") -> None:
    """Write text that is fit to be shown, above the line that is rewritten."""
    with above():
        out.write(text + end)
        out.flush()

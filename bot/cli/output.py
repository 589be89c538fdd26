"""What a command prints, and how it ends: 0 where it has something to say, 2 for wrong usage."""

import sys
from collections.abc import Sequence

EXIT_USAGE = 2


def show(text: str) -> int:
    """Print the answer of a command, and return its exit status."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return 0


def fail(sentences: Sequence[str], status: int = EXIT_USAGE) -> int:
    """Print what is wrong, a sentence a line, and return the exit status."""
    sys.stderr.write("".join(f"{sentence}\n" for sentence in sentences))
    return status

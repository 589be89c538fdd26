"""Programs of this machine that are run for somebody at a terminal."""

import subprocess
from collections.abc import Sequence
from typing import TextIO

from bot.cli.rack_url import CliError

# A program answers from its own file; one that lies on a dead network share must not hang a pipeline.
ANSWER_SECONDS = 20.0


def run_program(command: Sequence[str], failure: str, out: TextIO, hint: str) -> None:
    """Run a program whose output is for whoever looks on, as it comes.

    Args:
        command: the program and its arguments.
        failure: the sentence to begin with where it fails.
        out: where its output goes; its errors go where ours do.
        hint: what to do then.

    Raises:
        CliError: it cannot be run, or fails.
    """
    out.flush()
    try:
        done = subprocess.run(command, stdout=out, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - a list, no shell
    except OSError as error:
        raise CliError(f"{failure}: {command[0]} cannot be run: {error.strerror}", hint=hint) from None
    if done.returncode:
        raise CliError(
            f"{failure}: it ended with exit code {done.returncode}", hint=f"what it wrote says why; {hint}"
        )


def answer_of(command: Sequence[str]) -> str:
    """Return what a program says to a question, "" where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            command, capture_output=True, check=True, timeout=ANSWER_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")

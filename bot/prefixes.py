"""What is typed in front of a command, by where: the one place that knows, so that every hint can be typed as it stands."""

from contextvars import ContextVar

from core.actor import Source
from core.sentence import CommandLine, Part, plain

DEFAULT_COMMAND = "/convox"
IN_TERMINAL = "convox-bot do"
# Two racks in one workspace would take each other's commands, so the name is a setting (engine rule 43). It is one for all that
# a bot says, and set before anything of it runs; each bot of a process has its own context.
_slash_command: ContextVar[str] = ContextVar("the slash command", default=DEFAULT_COMMAND)


def name_slash_command(command: str) -> None:
    """Say how the slash command is called in the workspace, with its slash."""
    _slash_command.set(command)


def slash_command() -> str:
    """Return how the slash command is called in the workspace, with its slash."""
    return _slash_command.get()


def typed(words: str, source: Source) -> str:
    """Return a command as it is typed there."""
    return f"{slash_command() if source == 'slack' else IN_TERMINAL} {words}"


def in_terminal(part: Part) -> str:
    """Return a part of a sentence as a terminal shows it, where nobody knows people's names."""
    return f"`{typed(part.words, 'http')}`" if isinstance(part, CommandLine) else plain(part)

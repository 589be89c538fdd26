"""What is typed in front of a command, by where: the one place that knows, so that every hint can be typed as it stands."""

from collections.abc import Mapping
from types import MappingProxyType

from core.actor import Source
from core.sentence import CommandLine, Part, plain

COMMAND_PREFIXES: Mapping[Source, str] = MappingProxyType({"slack": "/convox", "http": "convox-bot do"})


def typed(words: str, source: Source) -> str:
    """Return a command as it is typed there."""
    return f"{COMMAND_PREFIXES[source]} {words}"


def in_terminal(part: Part) -> str:
    """Return a part of a sentence as a terminal shows it, where nobody knows people's names."""
    return f"`{typed(part.words, 'http')}`" if isinstance(part, CommandLine) else plain(part)

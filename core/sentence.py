"""What is said to people, in parts: each door shows who and where in its own way, and none has to undo another's."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TypeAlias

from core.actor import Actor

_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, by its id."""

    id: str

    def __str__(self) -> str:
        return f"#{self.id}"


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A group of people, by its id."""

    id: str

    def __str__(self) -> str:
        return f"group:{self.id}"


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """When something was, for people who read of it on the same day; `seconds` where minutes are too coarse."""

    at: datetime
    seconds: bool = False

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} UTC" if self.seconds else f"{self.at:%H:%M} UTC"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command that somebody may type; each door puts in front of it what is typed there.

    Attributes:
        words: from the command's first word on, such as `releases promote RABCDEFGHIJ -a myapp`.
    """

    words: str

    def __str__(self) -> str:
        return f"`{self.words}`"


@dataclass(frozen=True, slots=True)
class Hyperlink:
    """An address that somebody may open.

    Attributes:
        words: what it leads to, for whoever does not see the address.
    """

    url: str
    words: str

    def __str__(self) -> str:
        return f"{self.words}: {self.url}"


Part: TypeAlias = str | Actor | Channel | UserGroup | TimeOfDay | CommandLine | Hyperlink


def plain(part: Part) -> str:
    """Return a part as it reads in a log."""
    return part.plain if isinstance(part, Actor) else str(part)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Parts in their order; made by `of` and `join`, so that two that read the same are equal.

    Attributes:
        parts: no text among them is empty, and no two texts are neighbours.
    """

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, *said: "Part | Sentence") -> "Sentence":
        """Return what is said one after the other: `Sentence.of("declined by ", actor)`."""
        parts: list[Part] = []
        for part in chain.from_iterable(
            each.parts if isinstance(each, Sentence) else (each,) for each in said
        ):
            if isinstance(part, str) and parts and isinstance(before := parts[-1], str):
                parts[-1] = before + part
            elif part != "":
                parts.append(part)
        return cls(tuple(parts))

    @classmethod
    def join(cls, between: str, said: "Iterable[Part | Sentence]") -> "Sentence":
        """Return all that is said, with a text between each and the next."""
        parts = [part for each in said for part in (between, each)]
        return cls.of(*parts[1:])

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __str__(self) -> str:
        """Return it as it reads in a log."""
        return self.shown(plain)

    def shown(self, show: Callable[[Part], str]) -> str:
        """Return it as one door shows it."""
        return "".join(map(show, self.parts))

    def with_text(self, change: Callable[[str], str]) -> "Sentence":
        """Return it with each text changed; whom and what it names stays."""
        return Sentence.of(*(change(part) if isinstance(part, str) else part for part in self.parts))

    def in_one_line(self) -> "Sentence":
        """Return it with one space for whatever separates words, and none around it."""
        parts = list(self.with_text(lambda text: _SPACES.sub(" ", text)).parts)
        for end, strip in ((0, str.lstrip), (-1, str.rstrip)):
            if parts and isinstance(text := parts[end], str):
                parts[end] = strip(text)
        return Sentence.of(*parts)


EMPTY_SENTENCE = Sentence(())

"""What every command is, and the words that many of them share."""

import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass

# Convox lists so many where nothing else is asked for.
ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(ABC):
    """One request.

    Attributes:
        warnings: what the answer must tell the person about their input.
    """

    warnings: tuple[str, ...] = ()

    @property
    @abstractmethod
    def words(self) -> list[str]:
        """The words that mean this command."""

    @property
    def typed(self) -> str:
        """How it is typed, without `/convox`."""
        return shlex.join(self.words)


def switched(flag: str, on: bool) -> list[str]:
    """Return the words of a flag that is on or not."""
    return [flag] if on else []


def of_release(release: str | None) -> list[str]:
    """Return the words that name a release, where one is named."""
    return ["--release", release] if release else []


def limited(rows: int) -> list[str]:
    """Return the words of a number of rows that is not the usual one."""
    return ["-l", str(rows)] if rows != ROWS else []


def of_app(app: str | None) -> list[str]:
    """Return the words of `-a`, where it was given."""
    return ["-a", app] if app else []

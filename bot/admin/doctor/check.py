"""What doctor says of one thing: nothing, what is worth knowing, or what is wrong with the command that mends it."""

from dataclasses import dataclass

# What is named in one sentence; the rest is counted.
MOST_NAMED = 5
# Settings that are secret are changed in different ways; the page has the commands to each.
ANEW = "and start again (in a cluster: docs/operations.md#a-change-of-settings)"
# The whole command line has to fit: a shell that was told to start it, too, would end by this signal.
READ_AGAIN = r"`pkill -HUP -fx '[^ ]*python[^ ]* [^ ]*convox-bot serve'`, in a cluster apply it (docs/operations.md#a-change-of-settings)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One thing that the bot needs.

    Attributes:
        name: what was looked at.
        problem: what is wrong with it, "" where nothing is.
        remedy: the command that mends it, or what a person has to do, in which commands stand in backticks.
        note: what is worth knowing though nothing is wrong, such as that nobody could look.

    Raises:
        ValueError: something is wrong and nothing mends it, or the other way round.
    """

    name: str
    problem: str = ""
    remedy: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if bool(self.problem) != bool(self.remedy):
            raise ValueError(f"{self.name}: what is wrong is said with what mends it")

    @property
    def ok(self) -> bool:
        return not self.problem


def one_line(said: str) -> str:
    """Return what somebody else says as a line of a list: an error of YAML has four."""
    return " ".join(said.split())


def named(things: list[str]) -> str:
    """Name the first of many things and count the others."""
    more = len(things) - MOST_NAMED
    return ", ".join(things[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

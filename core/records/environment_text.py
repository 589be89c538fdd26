"""The text of an environment: Convox's lines of `KEY=VALUE`, and a form for values that one line cannot hold.

`KEY<<END`, the lines of the value, `END`: as in a shell, and as GitHub's `GITHUB_ENV` files have it. Convox leaves such lines out
and so has no values of several lines; without this a certificate could be set from no text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.errors import Invalid

# Kubernetes' names of variables, and what begins no flag and no hidden file. `\Z`, since `$` would let a line end pass, and such a variable could be set but neither run nor unset.
KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]*\Z")
_OPENING = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)<<([A-Za-z0-9_]+)\Z")
END = "EOF"
MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class VariableLine:
    """One variable of such a text.

    Attributes:
        number: of its first line, from 1.
        value: None where the line is a name alone.
    """

    number: int
    key: str
    value: str | None

    def __repr__(self) -> str:
        return f"VariableLine({self.number}, {self.key})"


def variable_text(key: str, value: str) -> str:
    """Return the text of one variable, which may be several lines."""
    if "\n" not in value and not value.endswith("\r"):
        return f"{key}={value}"
    lines = value.split("\n")
    end = END
    while end in lines:
        end += "_"
    return "\n".join([f"{key}<<{end}", *lines, end])


def variable_lines(text: str) -> list[VariableLine]:
    """Read such a text; empty lines and comments are left out, a variable that is given twice has its last value.

    Raises:
        Invalid: a line is no variable, or a value does not end. It names lines by number and never shows one: it may be a secret.
    """
    reader = _Reader(text.removeprefix("\ufeff").split("\n"))  # Windows' editors begin a file so
    found = {line.key: line for line in reader.read()}
    if reader.wrong:
        shown = ", ".join(map(str, reader.wrong[:MOST_TOLD]))
        more = f" and {len(reader.wrong) - MOST_TOLD} more" if len(reader.wrong) > MOST_TOLD else ""
        raise Invalid(
            f"not KEY=VALUE: line {shown}{more}",
            hint=f"nothing stands before a name, such as `export`; a value of several lines stands between KEY<<{END} and"
            f" {END}, each on a line of its own",
        )
    return list(found.values())


class _Reader:
    """Goes through the lines once.

    Attributes:
        wrong: the numbers of those that are no variable.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0
        self.wrong: list[int] = []

    def read(self) -> Iterator[VariableLine]:
        while self._at < len(self._lines):
            # As Convox: one carriage return at the end of a line belongs to the line end.
            line = self._lines[self._at].removesuffix("\r")
            self._at += 1
            if line.strip() and not line.lstrip().startswith("#"):
                yield from self._variable(line, self._at)

    def _variable(self, line: str, number: int) -> Iterator[VariableLine]:
        key, equals, value = line.partition("=")
        if equals:
            key = key.strip()
        elif opening := _OPENING.match(line.strip()):
            yield from self._several(opening[1], opening[2], number)
            return
        else:
            key = line.strip()
        if KEY.match(key):
            yield VariableLine(number, key, value if equals else None)
        else:
            self.wrong.append(number)

    def _several(self, key: str, end: str, number: int) -> Iterator[VariableLine]:
        """Take the lines up to the end; in a file of Windows' line ends they lose what the opening had, too."""
        windows = self._lines[number - 1].endswith("\r")
        value: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            line = line.removesuffix("\r") if windows else line
            if line == end:
                yield VariableLine(number, key, "\n".join(value))
                return
            value.append(line)
        self.wrong.append(number)

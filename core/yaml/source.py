"""The text that is parsed and where each line of it came from, so that an error shows what a person wrote.

Two rules of this file: it never grows beyond `LARGEST_FILE`, whatever `${…}` stands for; and a value that came out of an
environment is never repeated in an error, its line is shown as written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.yaml.problems import Problems

# A convox.yml of 40 services is some 10 KiB; libyaml reads 64 KiB in 0.1 s, the Python parser in 1 s.
LARGEST_FILE = 64 * 1024
MAX_SHOWN_CHARS = 60  # characters of a value that an error repeats

BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # what YAML 1.1 counts as the end of a line


@dataclass(frozen=True, slots=True)
class YamlSource:
    """A text to parse, and where each of its lines came from.

    Attributes:
        numbers: line number in the file, for each line of `text`.
        written: that number → the line as written, where an environment's value was put into it.
    """

    text: str = field(repr=False)
    numbers: tuple[int, ...]
    written: Mapping[int, str] = field(default_factory=dict)

    def number(self, index: int) -> int:
        """Return the number, from 1, of the file's line that became line `index` (from 0) of the text."""
        return self.numbers[min(index, len(self.numbers) - 1)]

    def as_written(self, first: int, last: int) -> str:
        """Return the lines as written, of these lines of the text, into which values were put; "" where there are none."""
        if not self.written:
            return ""
        numbers = dict.fromkeys(map(self.number, range(first, last + 1)))
        return "\n".join(self.written[number] for number in numbers if number in self.written)

    def shown(self, first: int, last: int, text: str) -> str:
        """Return what an error may repeat of a value that spans these lines of the text.

        What stands there as written is no secret; anything else may have come out of the environment.
        """
        written = self.as_written(first, last)
        return cut(text) if not written or (text and text in written) else cut(written.strip())


def cut(text: str) -> str:
    """Return the text in quotes on one line, shortened; a file may come from anybody, and a terminal obeys what it is sent."""
    line = "".join(each if each.isprintable() else "\ufffd" for each in " ".join(text.split()))
    return f'"{line}"' if len(line) <= MAX_SHOWN_CHARS else f'"{line[: MAX_SHOWN_CHARS - 1]}…"'


def word_of(file: str, word: str) -> str:
    """Return a word for a sentence that knows no line: as it stands in the file, or `${…}` where it came out of an environment."""
    return cut(word)[1:-1] if word in file else "${…}"


def as_written(text: str, problems: Problems) -> YamlSource:
    """Return a text that holds no values of an environment.

    Raises:
        Invalid: it is too large.
    """
    lines = _lines(text, problems)
    return YamlSource("\n".join(lines), tuple(range(1, len(lines) + 1)))


def interpolate(text: str, values: Mapping[str, str], problems: Problems) -> YamlSource:
    """Replace every `${NAME}`, as Convox does: in the raw text, unset means empty, nothing escapes it.

    Raises:
        Invalid: the text is too large, or becomes so: 20 kB of placeholders could stand for 300 million characters.
    """
    made: list[str] = []
    numbers: list[int] = []
    written: dict[int, str] = {}
    room = LARGEST_FILE + 1  # the last line has no end
    for number, line in enumerate(_lines(text, problems), start=1):
        became = _filled(line, values, room) if "${" in line else line
        if became is None or len(became) >= room:
            problems.fail(
                number,
                "up to here, with the values of variables put in for ${…}, it has more than the limit of "
                f"{LARGEST_FILE:,} characters",
            )
        room -= len(became) + 1
        made.append(became)
        if became is line:
            numbers.append(number)
        else:
            written[number] = line
            numbers += [number] * len(BREAK.split(became))
    return YamlSource("\n".join(made), tuple(numbers), written)


def _lines(text: str, problems: Problems) -> list[str]:
    """Return the lines, once it is known that there are not too many."""
    if len(text) > LARGEST_FILE:
        problems.fail(None, f"it has {len(text):,} characters; {LARGEST_FILE:,} are the limit")
    return BREAK.split(text.removeprefix("\ufeff"))


def _filled(line: str, values: Mapping[str, str], room: int) -> str | None:
    """Return a line with its values, or None where they have no room.

    Each character is looked at once: a pattern for `${[^}]*}` would look for the end again from every `${` without one.
    """
    parts: list[str] = []
    size = at = 0
    while (start := line.find("${", at)) >= 0 and (end := line.find("}", start)) >= 0:
        part = line[at:start], values.get(line[start + 2 : end], "")
        size += len(part[0]) + len(part[1])
        if size >= room:
            return None
        parts += part
        at = end + 1
    parts.append(line[at:])
    return "".join(parts)

"""What a terminal is shown that a pipe is not: colours for what is to be seen first, and nothing that would command the terminal.

A pipe gets every byte as it is, whatever stands here: who reads there is a program.
"""

import os
import re
import unicodedata
from typing import Literal, TextIO

Colour = Literal["good", "bad", "note"]
# ECMA-48: green; red and bold; yellow. Each is of the sixteen colours that people have set for their eyes.
_COLOURS: dict[Colour, str] = {"good": "\x1b[32m", "bad": "\x1b[1;31m", "note": "\x1b[33m"}
_PLAIN = "\x1b[0m"
# What moves a cursor or asks a terminal for an answer, and what turns around the order in which text is read (CVE-2021-42574).
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Without a size, as of a serial line, the one of a VT100.
COLUMNS = 80


def coloured(out: TextIO) -> bool:
    """Tell whether what is written there may have a colour (no-color.org, force-color.org, bixense.com/clicolors)."""
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return os.environ.get("CLICOLOR") != "0" and os.environ.get("TERM") != "dumb" and out.isatty()


def rewritable(out: TextIO) -> bool:
    """Tell whether a line that was written there can be written anew; the log of a CI is kept, even where it is called a terminal."""
    return (
        out.isatty() and os.environ.get("TERM") != "dumb" and os.environ.get("CI", "") in {"", "false", "0"}
    )


def painted(text: str, colour: Colour, out: TextIO) -> str:
    """Return text in a colour, where there are any."""
    return f"{_COLOURS[colour]}{text}{_PLAIN}" if coloured(out) else text


def harmless(text: str, out: TextIO) -> str:
    r"""Return text as it is shown there: a terminal sees `\u001b` for what would command it, which is JSON still."""
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) if out.isatty() else text


def verdict(line: str, out: TextIO) -> str:
    """Return how something has ended, with its word in a colour: `OK`, `OK (…)` or `ERROR: …`."""
    for word, colour in (("OK", "good"), ("ERROR:", "bad")):
        if line.startswith(word):
            return painted(word, colour, out) + harmless(line.removeprefix(word), out)  # type: ignore[arg-type]
    return harmless(line, out)


def columns(out: TextIO) -> int:
    """Return how many cells a line has there now."""
    try:
        return os.get_terminal_size(out.fileno()).columns or COLUMNS
    except (OSError, ValueError):
        return COLUMNS


def fit(text: str, end: str, cells: int) -> str:
    """Return text and its end in one line of so many cells; where they do not fit, the text is cut and the end stays."""
    room = cells - _cells(end)
    if _cells(text) <= room:
        return f"{text}{end}"
    kept = ""
    for each in text:
        if _cells(kept + each) > room - 3:
            break
        kept += each
    return _cut(f"{kept}...{end}", cells)


def _cut(text: str, cells: int) -> str:
    """Return as much as a very narrow terminal has room for."""
    while _cells(text) > cells:
        text = text[:-1]
    return text


def _cells(text: str) -> int:
    return sum(map(_width, text))


def _width(character: str) -> int:
    """Return how many cells a character takes (UAX 11); one that may take two counts as two, so that no line is ever too long."""
    if character == "\ufe0f":  # makes an emoji of what stands before it, which takes two cells then
        return 1
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

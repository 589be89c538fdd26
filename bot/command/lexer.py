"""Undoes what Slack and keyboards do to a typed command; without it a dash from a phone would be no dash.

Two kinds of words are told apart while they are read. In a pair (`KEY=…`) everything is as in a shell and
typographic characters are part of the value. In any other word they stand for what the person pressed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

DOUBLE = '"“”„‟″'
SINGLE = "'‘’‚‛′"
DASHES = "-‐‑‒–—―−﹣－"
# Zero-width characters, joiners and the byte order mark: pasted along, seen by nobody.
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
ENDS = " \t\n\r\v\f"
MARKERS = "`*_~"
LONGEST_SHOWN = 40  # characters of a word that a refusal repeats

_ENCODED = re.compile(r"<([^<>]*)>|&(amp|lt|gt);")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_SIGILS = {"@": "@", "#": "#", "!": "@"}
_KEY = re.compile(r"[`*]{0,3}[A-Za-z_][A-Za-z0-9_.-]*")
_QUOTED = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
    "'": re.compile(r"'([^']*)'"),
    "double": re.compile(f"[{DOUBLE}]([^{DOUBLE}]*)[{DOUBLE}]"),
    # An apostrophe inside the quotation does not end it.
    "single": re.compile(rf"[{SINGLE}](.*?)[{SINGLE}](?=\s|$)", re.DOTALL),
}
_ESCAPED = re.compile(r'\\(["\\$`])')


@dataclass(frozen=True, slots=True)
class Word:
    """One argument.

    Attributes:
        text: with its quotes undone.
        raw: as it was typed, quotes included, for free text.
        unclosed: a quote was opened that nothing closes; it was read as a letter.
        escaped: a backslash was taken as in a shell and is gone.
        literal: it stands behind `--`, so it is text, whatever else it could be.
    """

    text: str
    raw: str
    unclosed: bool = False
    escaped: bool = False
    literal: bool = False

    @property
    def quoted(self) -> bool:
        """Whether it begins with a quote."""
        return self.raw.startswith(tuple(DOUBLE + SINGLE))


def decode(text: str) -> str:
    """Return what the person typed: `&lt;`, `<https://x|x>`, `<@U1|ana>`, `<#C1|web>` undone, once and no more.

    A link comes back as its label, since that is the text which Slack turned into a link.
    """
    return _ENCODED.sub(_decoded, text)


def encode(text: str) -> str:
    """Return the text as Slack would deliver it if it were typed: what `decode` makes this text of again."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _decoded(match: re.Match[str]) -> str:
    if match[2]:
        return _ENTITIES[match[2]]
    target, _, label = (_unescape(part) for part in match[1].partition("|"))
    sigil = _SIGILS.get(target[:1])
    if sigil is None or target.startswith("!date^"):
        return label or target
    return sigil + (label or target[1:].removeprefix("subteam^")).lstrip("@#")


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda match: _ENTITIES[match[1]], text)


def split(text: str) -> list[Word]:
    """Split a line into words, quotes as in a shell; never fails, in time linear in the text."""
    return list(_words(text))


def _words(text: str) -> Iterator[Word]:
    hopeless: set[str] = set()
    at = 0
    while True:
        while at < len(text) and (text[at].isspace() or text[at] in INVISIBLE):
            at += 1
        if at == len(text):
            return
        reader = _Reader(text, at, hopeless)
        yield reader.read()
        at = reader.at


class _Reader:
    """Reads one word from a place in the text."""

    def __init__(self, text: str, at: int, hopeless: set[str]) -> None:
        self._text, self._start, self.at = text, at, at
        # Kinds of quotes that nothing closes from here on; asking again would read the rest of the text again.
        self._hopeless = hopeless
        self._out: list[str] = []
        self._pair = self._named = self._unclosed = self._escaped = False
        self._fresh = True  # a quote may open here

    def read(self) -> Word:
        while self.at < len(self._text) and not self._over(self._text[self.at]):
            if not (self._quotation() or self._backslash()):
                self._letter()
        raw = self._text[self._start : self.at]
        return Word("".join(self._out), raw, self._unclosed, self._escaped)

    def _over(self, char: str) -> bool:
        return char in ENDS if self._pair else char.isspace()

    def _quotation(self) -> bool:
        kind = self._kind(self._text[self.at])
        if kind is None:
            return False
        match = None if kind in self._hopeless else _QUOTED[kind].match(self._text, self.at)
        if match is None:
            self._hopeless.add(kind)
            self._unclosed = True
            return False
        self._out.append(_ESCAPED.sub(r"\1", match[1]) if kind == '"' else match[1])
        if "=" in match[1]:
            self._notice_pair()
        self.at, self._fresh = match.end(), True
        return True

    def _kind(self, char: str) -> str | None:
        """Tell which quotation may begin here; inside a pair only a shell's own."""
        if not (self._pair or self._fresh):
            return None
        if char in "\"'":
            return char
        if self._pair:
            return None
        return "double" if char in DOUBLE else "single" if char in SINGLE else None

    def _backslash(self) -> bool:
        if not self._pair or self._text[self.at] != "\\" or self.at + 1 == len(self._text):
            return False
        self._out.append(self._text[self.at + 1])
        self.at, self._escaped = self.at + 2, True
        return True

    def _letter(self) -> None:
        char = self._text[self.at]
        if self._pair or char not in INVISIBLE:
            self._out.append(char)
        if char == "=":
            self._notice_pair()
        self.at, self._fresh = self.at + 1, char == "="

    def _notice_pair(self) -> None:
        """Decide once, at the word's first `=`, whether it is a pair."""
        if self._named:
            return
        key, equals, _ = "".join(self._out).partition("=")
        self._named = bool(equals)
        self._pair = self._named and _KEY.fullmatch(key) is not None


def plain(text: str, markers: str = MARKERS) -> str:
    """Return an id, a name or a flag without what surrounds it: bold markers, backticks, quotes, invisible characters."""
    seen = "".join(char for char in text if char not in INVISIBLE)
    return seen.strip().strip(markers + DOUBLE + SINGLE).strip()


def shown(text: str) -> str:
    """Return what a refusal may repeat of a word: what stands before `=`, since after it may be a value in the wrong place."""
    before = plain(text).partition("=")[0][:LONGEST_SHOWN]
    return "".join(each if each.isprintable() else "\ufffd" for each in before)


def oddities(value: str) -> list[str]:
    """Name the kinds of characters in a value that a keyboard may have put there by itself."""
    kinds = {
        "typographic quotes": DOUBLE[1:] + SINGLE[1:],
        "typographic dashes": DASHES[1:],
        "an ellipsis": "…",
        "no-break spaces": "\u00a0\u202f\u2007",
        "invisible characters": INVISIBLE,
    }
    return [kind for kind, characters in kinds.items() if any(char in characters for char in value)]

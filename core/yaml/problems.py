"""Every problem of a file at once, each with its line, since people mend files in one go."""

import difflib
from collections.abc import Iterable, Mapping
from typing import NoReturn

from core.errors import Invalid

MOST_LINES = 40  # lines of one answer; who has more will ask again after the first 40


class Problems:
    """Collects what is wrong with one file and raises it as one sentence a line."""

    def __init__(self, file: str = "", *, hint: str = "") -> None:
        self._prefix = f"{file} " if file else ""
        self._hint = hint
        self._found: dict[tuple[int, str], None] = {}

    def add(self, line: int | None, sentence: str) -> None:
        """Write one down; the same one twice (an alias used twice) counts once."""
        self._found[line or 0, sentence] = None

    @property
    def full(self) -> bool:
        """Whether there are more than are said, so that advice for another one would be worked out for nobody."""
        return len(self._found) >= MOST_LINES

    def fail(self, line: int | None, sentence: str) -> NoReturn:
        """Write one down after which nothing more can be read."""
        self.add(line, sentence)
        raise self._error()

    def finish(self) -> None:
        """Raise Invalid with all of them, in the order of the file, if there are any."""
        if self._found:
            raise self._error()

    def _error(self) -> Invalid:
        sentences = [self._sentence(line, text) for line, text in sorted(self._found)]
        if len(sentences) > MOST_LINES:
            sentences[MOST_LINES:] = [f"… and {len(sentences) - MOST_LINES} more"]
        return Invalid("\n".join(sentences), hint=self._hint)

    def _sentence(self, line: int, text: str) -> str:
        return (
            f"{self._prefix}line {line}: {text}" if line else f"{self._prefix.strip() or 'the file'}: {text}"
        )


def did_you_mean(word: str, known: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str:
    """Return `; did you mean "x"?`, or "" where nothing known is near."""
    if word.lower() in (synonyms or {}):
        return f'; did you mean "{(synonyms or {})[word.lower()]}"?'
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower()[:80], by_lower, n=1, cutoff=0.6)
    return f'; did you mean "{by_lower[near[0]]}"?' if near else ""

"""What takes values out of a text: in time that grows with the text alone, however many values there are."""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.records.environment import MASK
from core.redaction.spellings import spellings
from core.redaction.visible import spans_in, visible

# Shorter values occur by chance in ordinary words; that they cannot be redacted is said in the docs (promise 7).
SHORTEST_VALUE = 8
# Of a longer spelling each block of so many characters is looked for by itself, and its last so many: what is found of
# it side by side is the whole. So a character of a text is compared with a few sets, not with every value.
BLOCK = 32
# Foreign text that was cut ends so, and what is left of a value there is a part of a secret. A few characters that
# happen to begin one tell nothing.
ELLIPSIS = "…"
SHORTEST_CUT = 4
# More text than this, in characters, or so many of values, is looked through in a thread: the loop stands still for no log.
AT_ONCE = 16384

Span = tuple[int, int]


class Redactor:
    """Replaces every known value, however it was spelled, by `****`."""

    def __init__(self, values: Iterable[str]) -> None:
        """Take the values of the old and the new environment; those under 8 characters are left out."""
        long = {value for value in values if len(value) >= SHORTEST_VALUE}
        spelled = {s for value in long for s in spellings(value, SHORTEST_VALUE)}
        seen = {visible(s, escapes=escapes) for s in spelled for escapes in {False, "\x1b" in s}}
        found = {s for s in seen if len(s) >= SHORTEST_VALUE}
        # Of these too little can be seen: they are compared as they are, the longest first.
        hardly = {s for s in spelled if len(s) >= SHORTEST_VALUE > len(visible(s))}
        self._exact = sorted((s for s in hardly if s.strip()), key=len, reverse=True)
        blocks = {s[at : at + BLOCK] for s in found for at in range(0, len(s), BLOCK)}
        pieces = {b for b in blocks if len(b) == BLOCK} | {s if len(s) < BLOCK else s[-BLOCK:] for s in found}
        self._pieces = frozenset(pieces)
        self._lengths = _lengths(pieces)
        self._heads, self._ends = _Beginnings(blocks | pieces), _Beginnings(p[::-1] for p in pieces)

    def __call__(self, text: str) -> str:
        """Return the text without any of the values; call it before cutting, cleaning or storing."""
        if not self._pieces and not self._exact:
            return text
        spans = self._compared(text, escapes=False)
        if "\x1b" in text:
            spans += self._compared(text, escapes=True)
        spans += [span for exact in self._exact for span in _occurrences(text, exact)]
        return _masked(text, spans)

    def torn(self, text: str) -> str:
        """Return a text that may begin and end in the midst of a value without any of them: it was cut by others."""
        return self(f"{ELLIPSIS}{text}{ELLIPSIS}")[1:-1]

    async def long(self, text: str, *, torn: bool = False) -> str:
        """Return the same of a text of any length without keeping others waiting; `torn` as the method of that name."""
        change = self.torn if torn else self
        return change(text) if len(text) <= AT_ONCE else await asyncio.to_thread(change, text)

    def _compared(self, text: str, *, escapes: bool) -> list[Span]:
        seen = visible(text, escapes=escapes)
        spans = [*self._whole(seen), *self._cut(seen)]
        return spans_in(text, _merged(spans), escapes=escapes) if spans else []

    def _whole(self, seen: str) -> Iterator[Span]:
        lengths, pieces = self._lengths, self._pieces
        begins = [
            at for at in range(len(seen) - SHORTEST_VALUE + 1) if seen[at : at + SHORTEST_VALUE] in lengths
        ]
        for at in begins:
            for length in lengths[seen[at : at + SHORTEST_VALUE]]:
                if seen[at : at + length] in pieces:
                    yield at, at + length
                    break

    def _cut(self, seen: str) -> Iterator[Span]:
        """Yield what stands before and after each mark of a cut and is the beginning, or the end, of a value."""
        for mark in _places(seen, ELLIPSIS):
            if length := self._heads.longest(seen[max(0, mark - BLOCK) : mark]):
                yield mark - length, mark
            after = seen[mark + 1 : mark + 1 + BLOCK].partition(ELLIPSIS)[0]
            if length := self._ends.longest(after[::-1]):
                yield mark + 1, mark + 1 + length


async def redactor_for(values: Iterable[str]) -> Redactor:
    """Return what knows these values, without keeping others waiting where there are many."""
    known = list(values)
    return (
        Redactor(known) if sum(map(len, known)) <= AT_ONCE // 4 else await asyncio.to_thread(Redactor, known)
    )


class _Beginnings:
    """Finds the longest end of a text that one of many words begins with."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(words)
        self._firsts = {word[:SHORTEST_CUT] for word in self._words}

    def longest(self, text: str) -> int:
        """Return its length, 0 where there is none of `SHORTEST_CUT`."""
        for at in range(len(text) - SHORTEST_CUT + 1):
            end = text[at:]
            if end[:SHORTEST_CUT] in self._firsts:
                near = bisect_left(self._words, end)
                if near < len(self._words) and self._words[near].startswith(end):
                    return len(end)
        return 0


def _lengths(pieces: Iterable[str]) -> Mapping[str, Sequence[int]]:
    """Return how long the pieces with the same beginning are, the longest first."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for piece in pieces:
        found[piece[:SHORTEST_VALUE]].add(len(piece))
    return {beginning: sorted(lengths, reverse=True) for beginning, lengths in found.items()}


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _occurrences(text: str, word: str) -> Iterator[Span]:
    return ((at, at + len(word)) for at in _places(text, word))


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in their order, those that touch as one."""
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


def _masked(text: str, spans: Iterable[Span]) -> str:
    parts, last = [], 0
    for begin, end in _merged(spans):
        parts += [text[last:begin], MASK]
        last = end
    return "".join([*parts, text[last:]])

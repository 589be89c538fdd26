"""What of a text is compared: what can be seen of it, without white space, quotes and backslashes.

A value that holds, or was given on its way, anything that is cleaned away before a person reads it, or that was folded,
wrapped or quoted once more, is the same value to whoever reads it.
"""

import re
from bisect import bisect_right

# What a terminal obeys (ECMA-48): control sequences such as colours, and strings such as the address of a link.
ESCAPE = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])"
# Unicode's Cc, Cf, Zs, Zl and Zp, what else is drawn as nothing, and the mark of a byte that was no text.
_UNSEEN = (
    r"\x00-\x20\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5"
    r"\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffd"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_QUOTING = r"\"'\\"
_DROPPED = re.compile(f"[{_UNSEEN}{_QUOTING}]+")
_DROPPED_WITH_ESCAPES = re.compile(f"(?:{ESCAPE}|[{_UNSEEN}{_QUOTING}])+")
# The same for plain text, in a tenth of the time.
_TABLE = {code: None for code in range(128) if _DROPPED.fullmatch(chr(code))}


def visible(text: str, *, escapes: bool = False) -> str:
    """Return what is compared of a text.

    Args:
        text: any.
        escapes: take what a terminal obeys out as a whole, so that a coloured value is found; otherwise what stands in
            it is compared as any other text.
    """
    if not escapes and text.isascii():
        return text.translate(_TABLE)
    return _dropped(escapes=escapes).sub("", text)


def spans_in(text: str, spans: list[tuple[int, int]], *, escapes: bool) -> list[tuple[int, int]]:
    """Return where spans of `visible(text)` stand in the text itself."""
    at, starts, seen, end = [0], [0], 0, 0
    for gap in _dropped(escapes=escapes).finditer(text):
        seen += gap.start() - end
        end = gap.end()
        at.append(seen)
        starts.append(end)

    def place(index: int) -> int:
        run = bisect_right(at, index) - 1
        return starts[run] + index - at[run]

    return [(place(begin), place(last - 1) + 1) for begin, last in spans]


def _dropped(*, escapes: bool) -> re.Pattern[str]:
    return _DROPPED_WITH_ESCAPES if escapes else _DROPPED

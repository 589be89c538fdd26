"""How many lines fit into one message."""

from collections.abc import Sequence
from html import escape

from core.records.line import Line


def fitting(lines: Sequence[Line], *, max_chars: int, max_lines: int) -> int:
    """Return how many of the lines go into one message, at least one.

    Counted is what Slack counts: text with `&`, `<` and `>` escaped, and a newline each. All lines of a message
    are of one kind, so that a block of evidence stands alone. A first line that is too long by itself goes
    alone; whoever shows it must cut it.
    """
    chars = rows = 0
    for count, line in enumerate(lines):
        text = escape(str(line), quote=False)
        chars += len(text) + 1
        rows += text.count("\n") + 1
        if count and (line.kind != lines[0].kind or chars > max_chars or rows > max_lines):
            return count
    return len(lines)

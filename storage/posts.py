"""Rows → what the outbox hands out, and how many lines fit into one message."""

from collections.abc import Sequence
from html import escape
from sqlite3 import Row

from core.ports.outbox import CardDue, LostPost, Post, ThreadDue
from core.records.line import Line
from storage.codec import datetime_or_none
from storage.promotion_rows import card_of


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


def card_due_of(row: Row) -> CardDue:
    return CardDue(
        card=card_of(row),
        wanted=row["wanted"],
        nonce=row["nonce"],
        tried_at=datetime_or_none(row["tried_at"]),
    )


def thread_due_of(row: Row) -> ThreadDue:
    return ThreadDue(
        promotion=row["promotion"],
        channel=row["channel"],
        ts=row["ts"],
        waiting=row["waiting"],
        ending=row["terminal_at"] is not None,
    )


def post_of(row: Row, lines: tuple[tuple[int, Line], ...]) -> Post:
    return Post(
        id=row["id"],
        promotion=row["promotion"],
        kind=row["kind"],
        nonce=row["nonce"],
        attempts=row["attempts"],
        tried_at=datetime_or_none(row["tried_at"]),
        lines=lines,
    )


def lost_post_of(row: Row, lines: tuple[tuple[int, Line], ...]) -> LostPost:
    return LostPost(post=post_of(row, lines), channel=row["channel"], thread=row["thread"])

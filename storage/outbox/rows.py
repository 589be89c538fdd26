"""Rows → what the outbox hands out."""

from datetime import datetime
from sqlite3 import Row

from core.ports.notices import Announcement
from core.ports.outbox import Card, CardDue, LostPost, Post, ThreadDue
from core.promotion import Phase
from core.records.build import BuildStatus
from core.records.line import Line
from storage.codec import datetime_or_none


def card_of(row: Row) -> Card:
    return Card(
        subject=row["subject"],
        channel=row["channel"],
        ts=row["ts"],
        shown=row["shown"],
        failed=row["failed"],
        closed_channel=row["closed_channel"],
        closed_by=row["closed_by"],
    )


def card_due_of(row: Row) -> CardDue:
    return CardDue(
        card=card_of(row),
        since=datetime.fromisoformat(row["created_at"]),
        wanted=row["wanted"],
        phase=BuildStatus(row["phase"]) if row["build"] else Phase(row["phase"]),
        nonce=row["nonce"],
        tried_at=datetime_or_none(row["tried_at"]),
        digested=bool(row["digested"]),
    )


def thread_due_of(row: Row) -> ThreadDue:
    return ThreadDue(
        subject=row["subject"],
        app=row["app"],
        channel=row["channel"],
        ts=row["ts"],
        waiting=row["waiting"],
        ending=row["terminal_id"] is not None,
        since=datetime.fromisoformat(row["since"]),
        digested=bool(row["digested"]),
    )


def announcement_of(row: Row) -> Announcement:
    return Announcement(app=row["app"], release=row["release"], channel=row["channel"], ts=row["ts"])


def post_of(row: Row, lines: tuple[tuple[int, Line], ...]) -> Post:
    return Post(
        id=row["id"],
        subject=row["subject"],
        kind=row["kind"],
        nonce=row["nonce"],
        attempts=row["attempts"],
        tried_at=datetime_or_none(row["tried_at"]),
        lines=lines,
    )


def lost_post_of(row: Row, lines: tuple[tuple[int, Line], ...]) -> LostPost:
    return LostPost(post=post_of(row, lines), channel=row["channel"], thread=row["thread"])

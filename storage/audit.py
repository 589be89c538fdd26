"""The chain of the audit: each row's hash covers the row before it, so that a changed or lost row shows."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from sqlite3 import Row
from typing import Any

import orjson

from core.actor import Actor
from storage.codec import actor_text, json, moment, plain
from storage.session import Session

GENESIS = "0" * 64  # stands before the first row
FIELDS = ("seq", "at", "actor", "action", "subject", "detail", "prev_hash")
PAGE = 500  # rows that a check holds in memory at once


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a row's canonical form: its fields as one JSON array, in the order of FIELDS."""
    return hashlib.sha256(json([row[name] for name in FIELDS]).encode()).hexdigest()


async def append(
    session: Session, *, at: datetime, actor: Actor, action: str, subject: str, detail: Mapping[str, Any]
) -> None:
    """Write the next row; the caller is in a transaction, so nobody comes between the head and it."""
    head = await session.one("audit_head")
    row: dict[str, Any] = {
        "seq": 1 if head is None else head["seq"] + 1,
        "at": moment(at),
        "actor": actor_text(actor),
        "action": action,
        "subject": subject,
        "detail": orjson.dumps(dict(detail), default=plain, option=orjson.OPT_SORT_KEYS).decode(),
        "prev_hash": GENESIS if head is None else head["hash"],
    }
    await session.run("add_audit", row | {"hash": row_hash(row)})


async def first_broken(session: Session) -> int | None:
    """Return the number at which the chain does not hold, or None where it does.

    Rows cut off at the end leave a chain that holds; only a head kept elsewhere can show that.
    """
    seq, expected = 0, GENESIS
    while rows := await session.all("audit", after=seq, limit=PAGE):
        for row in rows:
            if not follows(row, seq, expected):
                return seq + 1
            seq, expected = row["seq"], row["hash"]
    return None


def follows(row: Row, seq: int, expected: str) -> bool:
    document = {name: row[name] for name in FIELDS}
    return (row["seq"], row["prev_hash"], row["hash"]) == (seq + 1, expected, row_hash(document))

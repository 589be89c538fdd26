"""The chain of the audit: each row's hash covers the row before it, so that a changed or lost row shows."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from core.actor import Actor
from storage.codec import actor_text, json, plain, timestamp
from storage.session import Session

GENESIS = "0" * 64  # stands before the first row
FIELDS = ("seq", "at", "actor", "action", "subject", "detail", "prev_hash")


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
        "at": timestamp(at),
        "actor": actor_text(actor),
        "action": action,
        "subject": subject,
        "detail": orjson.dumps(dict(detail), default=plain, option=orjson.OPT_SORT_KEYS).decode(),
        "prev_hash": GENESIS if head is None else head["hash"],
    }
    await session.run("add_audit", row | {"hash": row_hash(row)})

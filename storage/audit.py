"""The chain of the audit: each row's hash covers the row before it, so that a changed or lost row shows."""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import Any

import orjson

from core.actor import Actor
from core.records.anchor import AuditHead
from storage.codec import actor_text, json, plain, timestamp
from storage.session import Session

GENESIS = "0" * 64  # stands before the first row
AT_ONCE = 1000  # rows that are held in memory
FIELDS = ("seq", "at", "actor", "action", "subject", "detail", "prev_hash")


def row_hash(row: Mapping[str, Any] | Row) -> str:
    """Return the SHA-256 of a row's canonical form: its fields as one JSON array, in the order of FIELDS."""
    return hashlib.sha256(json([row[name] for name in FIELDS]).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditChain:
    """What following the chain has found.

    Attributes:
        rows: how many hold together, from the first on.
        head: the hash of the last of them.
        broken: the number of the row that was changed, or that is missing; None where the chain is whole.
    """

    rows: int
    head: str
    broken: int | None = None


async def read_rows(session: Session, since: str = "") -> AsyncGenerator[Row]:
    """Yield the rows of the audit from a moment on (as `codec.timestamp` writes it), oldest first."""
    last = 0
    while rows := await session.all("audit_rows", after=last, limit=AT_ONCE):
        for row in rows:
            if row["at"] >= since:
                yield row
        last = rows[-1]["seq"]


async def follow(session: Session) -> AuditChain:
    """Compute the chain anew from its first row."""
    rows, last = 0, GENESIS
    async for row in read_rows(session):
        if (row["seq"], row["prev_hash"], row["hash"]) != (rows + 1, last, row_hash(row)):
            return AuditChain(rows=rows, head=last, broken=rows + 1)
        rows, last = rows + 1, row["hash"]
    return AuditChain(rows=rows, head=last)


async def head(session: Session) -> AuditHead | None:
    """Return how far the audit is, None where it has no row yet."""
    row = await session.one("audit_head")
    return None if row is None else AuditHead(rows=row["seq"], hash=row["hash"])


async def has(session: Session, of: AuditHead) -> bool:
    """Return whether the row that closed the audit once closes it still."""
    row = await session.one("audit_hash", seq=of.rows)
    return row is not None and row["hash"] == of.hash


async def append(
    session: Session, *, at: datetime, actor: Actor, action: str, subject: str, detail: Mapping[str, Any]
) -> int:
    """Write the next row and return its number; the caller is in a transaction, so nobody comes between the head and it."""
    last = await session.one("audit_head")
    row: dict[str, Any] = {
        "seq": 1 if last is None else last["seq"] + 1,
        "at": timestamp(at),
        "actor": actor_text(actor),
        "action": action,
        "subject": subject,
        "detail": orjson.dumps(dict(detail), default=plain, option=orjson.OPT_SORT_KEYS).decode(),
        "prev_hash": GENESIS if last is None else last["hash"],
    }
    await session.run("add_audit", row | {"hash": row_hash(row)})
    return int(row["seq"])

"""`convox-bot audit`: whether the chain is whole, and its rows for whoever keeps them elsewhere."""

import csv
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import orjson

from core.errors import Invalid
from storage.audit import AuditChain, follow, read_rows
from storage.codec import timestamp
from storage.database import open_read_only
from storage.session import Session

COLUMNS = (
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "subject",
    "detail",
    "hash",
    "prev_hash",
)
# What a spreadsheet takes for a formula (OWASP, CSV injection); names and subjects are other people's words.
FORMULA = re.compile(r"^[=+\-@\t\r]")
SPAN = re.compile(r"^([1-9][0-9]{0,4})([mhd])$")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


async def verify(database: Path) -> tuple[str, bool]:
    """Return what to print of the chain of a database, or of a copy of one, and whether it is whole.

    Raises:
        StorageError, Unavailable: the database cannot be read.
    """
    async with open_read_only(database) as connection:
        chain = await follow(Session(connection))
    return chain_sentence(chain), chain.broken is None


def chain_sentence(chain: AuditChain) -> str:
    """Say what following the chain has found."""
    if chain.broken is None:
        return f"the audit is whole: {chain.rows:,} rows, head {chain.head}"
    return (
        f"the audit is broken at row {chain.broken}: it was changed, or a row before it is missing; the {chain.rows:,} rows"
        f" before it hold together, up to {chain.head}; compare with a backup"
    )


async def export(database: Path, *, as_csv: bool, since: datetime | None, out: TextIO) -> int:
    """Write the rows from a moment on, as JSON objects or as CSV, a line each; return how many.

    Raises:
        StorageError, Unavailable: the database cannot be read.
    """
    write, rows = _writer(out, as_csv=as_csv), 0
    async with open_read_only(database) as connection:
        async for row in read_rows(Session(connection), timestamp(since) if since else ""):
            write(entry(dict(row)))
            rows += 1
    return rows


def entry(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as it is exported: who acted in three columns, what is a document as one."""
    actor = orjson.loads(row["actor"])
    told = {**row} | {f"actor_{part}": actor[part] for part in ("kind", "id", "name")}
    return {name: told[name] for name in COLUMNS} | {"detail": orjson.loads(row["detail"])}


def _writer(out: TextIO, *, as_csv: bool) -> Callable[[Mapping[str, Any]], object]:
    if not as_csv:
        return lambda row: out.write(orjson.dumps(row).decode() + "\n")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    return lambda row: table.writerow([cell(row[name]) for name in COLUMNS])


def cell(value: Any) -> Any:
    """Return a value as a cell that no spreadsheet computes."""
    text = orjson.dumps(value).decode() if isinstance(value, dict) else value
    return f"'{text}" if isinstance(text, str) and FORMULA.match(text) else text


def since(text: str, now: datetime) -> datetime:
    """Return the moment that `--since` means: `90m`, `12h` or `30d` ago, a day, or a time; without a zone in UTC.

    Raises:
        Invalid: it is none of these.
    """
    if span := SPAN.fullmatch(text):
        return now - int(span[1]) * UNITS[span[2]]
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{text[:40]!r} says no time", hint="write it as 30d, 12h, 90m, 2027-01-31 or 2027-01-31T08:00"
        ) from None

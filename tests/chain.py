"""The audit as a test reads it; whether its chain holds is computed as docs/security.md tells people to."""

import hashlib
import json
from collections.abc import Iterable
from sqlite3 import Row

from storage.store import SqliteStore

ROWS = "SELECT seq, at, actor, action, subject, detail, prev_hash, hash FROM audit ORDER BY seq"


async def audit_rows(store: SqliteStore) -> Iterable[Row]:
    """Return the whole audit, oldest first."""
    return await store._database.reader.execute_fetchall(ROWS)


async def first_broken(store: SqliteStore) -> int | None:
    """Return the number of the first audit row that was changed or is missing, or None."""
    before = "0" * 64
    for number, (*fields, digest) in enumerate(await audit_rows(store), start=1):
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
        found = hashlib.sha256(text.encode()).hexdigest()
        if (fields[0], fields[6], digest) != (number, before, found):
            return number
        before = digest
    return None

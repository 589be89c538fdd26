"""Rows → tokens."""

from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from storage.codec import datetime_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token; the policy knows it as `token:NAME`."""

    name: str
    created_at: datetime
    revoked_at: datetime | None


def token_of(row: Row) -> Token:
    return Token(
        name=row["name"],
        created_at=datetime.fromisoformat(row["created_at"]),
        revoked_at=datetime_or_none(row["revoked_at"]),
    )

"""Tokens ↔ rows."""

from datetime import datetime
from sqlite3 import Row

from core.records.api_token import ApiToken
from storage.codec import datetime_or_none


def token_of(row: Row) -> ApiToken:
    return ApiToken(
        name=row["name"],
        created_at=datetime.fromisoformat(row["created_at"]),
        apps=tuple(row["apps"].split()),
        expires_at=datetime_or_none(row["expires_at"]),
        used_at=datetime_or_none(row["used_at"]),
        revoked_at=datetime_or_none(row["revoked_at"]),
    )

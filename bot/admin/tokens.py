"""API tokens, made and ended beside a running bot or before its first start."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.admin.operation_result import OperationResult
from bot.admin.operator import operator
from bot.clock import SystemClock
from bot.views.tables import table
from bot.views.times import stamp
from core.errors import Invalid
from core.records.api_token import EVERY_APP_PATTERN, ApiToken
from storage.tokens.issued import open_tokens

SPAN = re.compile(r"^([1-9][0-9]{0,4})([hd])$")
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


async def create_token(
    database: Path,
    name: str,
    *,
    tell: Callable[[str], object],
    expires: str = "",
    apps: Sequence[str] = EVERY_APP_PATTERN,
) -> str:
    """Return a new token of a database, whether a bot runs on it or not.

    Args:
        database: its file; it is made where there is none.
        name: how the policy knows the token.
        tell: is told that there was no database.
        expires: when it opens nothing any more, as `90d`, `12h` or `2027-01-31`; "" is never.
        apps: name patterns of the apps that it is for.

    Raises:
        UserError: the name, a pattern or the time is none, or there is such a token.
        StorageError, Unavailable: the database cannot be used.
    """
    new = _is_absent(database)
    clock = SystemClock()
    until = expiry(expires, clock.now()) if expires else None
    async with open_tokens(database, clock) as tokens:
        if new:
            # Whoever has mistyped CONVOX_DATABASE must not believe that the bot knows this token.
            tell(f"made the database {database}: there was none")
        return await tokens.create(name, expires_at=until, apps=apps, by=operator())


async def revoke_token(database: Path, name: str) -> OperationResult:
    """End a token, and return what to print; raise NotFound where there is none, and as `create_token`."""
    async with open_tokens(database, SystemClock(), make=False) as tokens:
        await tokens.revoke(name, by=operator())
    return OperationResult(f"Revoking {name}... OK", {"name": name})


async def list_tokens(database: Path) -> Sequence[ApiToken]:
    """Return the tokens of a database; raise as `create_token`."""
    async with open_tokens(database, SystemClock(), make=False) as tokens:
        return await tokens.list()


def _is_absent(database: Path) -> bool:
    return not database.exists()


def expiry(text: str, now: datetime) -> datetime:
    """Return when a token expires: after some hours or days, or with the beginning of a day in UTC.

    Raises:
        Invalid: it is neither.
    """
    if span := SPAN.fullmatch(text):
        return now + int(span[1]) * UNITS[span[2]]
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(
            f"{text[:40]!r} says no time", hint="write it as 90d, 12h or 2027-01-31 (in UTC)"
        ) from None


def token_table(tokens: Sequence[ApiToken]) -> str:
    """Return the table of tokens, by their names in the policy; the hour of the last use is the first of it."""
    rows = [
        (
            token.name,
            f"token:{token.name}",
            ", ".join(token.apps),
            stamp(token.created_at),
            stamp(token.used_at) if token.used_at else "never",
            stamp(token.expires_at) if token.expires_at else "never",
            stamp(token.revoked_at) if token.revoked_at else "",
        )
        for token in tokens
    ]
    return table(("NAME", "POLICY", "APPS", "CREATED", "USED", "EXPIRES", "REVOKED"), rows)


def token_documents(tokens: Sequence[ApiToken]) -> list[dict[str, object]]:
    """Return the same for programs; null for what has not been, or never will be."""
    return [
        {
            "name": token.name,
            "policy": f"token:{token.name}",
            "apps": list(token.apps),
            **{
                name: stamp(at) if at else None
                for name, at in (
                    ("created", token.created_at),
                    ("used", token.used_at),
                    ("expires", token.expires_at),
                    ("revoked", token.revoked_at),
                )
            },
        }
        for token in tokens
    ]

"""API tokens: who may ask over HTTP. Works beside a running bot and needs no key, since only hashes are kept."""

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from core.actor import BOT, Actor
from core.clock import Clock
from core.errors import Conflict, Invalid, NotFound, Unavailable
from core.records.api_token import EVERY_APP_PATTERN, ApiToken
from storage import audit
from storage.codec import timestamp, timestamp_or_none
from storage.database import Database, open_database
from storage.session import Session
from storage.tokens.rows import token_of

log = logging.getLogger(__name__)

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
# As a policy takes it, without spaces.
PATTERN = re.compile(r"^[a-z0-9*?\[\]!-]{1,60}$")
# Of last uses one an hour is written: enough to find what nobody uses, and no write for each request.
USED = timedelta(hours=1)
BYTES = 32  # 256 random bits: a plain hash of them cannot be guessed, so no slow one is needed


class Tokens:
    """The tokens of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self,
        name: str,
        *,
        expires_at: datetime | None = None,
        apps: Sequence[str] = EVERY_APP_PATTERN,
        by: Actor = BOT,
    ) -> str:
        """Return a fresh token, which nobody can show again.

        Args:
            name: how the policy knows it; that of a token which has expired is free again.
            expires_at: when it opens nothing any more.
            apps: name patterns of the apps that it is for.
            by: for the audit.

        Raises:
            Invalid: the name or a pattern is none, or it would have expired already.
            Conflict: a valid token has that name.
        """
        if not NAME.fullmatch(name):
            raise Invalid(
                f"token name {name!r} is not valid",
                hint="a name has up to 63 letters, digits, dots, dashes and underscores, and begins with a letter or digit",
            )
        for pattern in apps:
            if not PATTERN.fullmatch(pattern):
                raise Invalid(f"{pattern[:60]!r} is no pattern of app names", hint="as in: --app 'shop-*'")
        token = secrets.token_urlsafe(BYTES)
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise Invalid(f"{expires_at:%Y-%m-%d %H:%M} UTC is over", hint="as in: --expires 90d")
        row = {
            "name": name,
            "sha256": sha256(token),
            "created_at": timestamp(now),
            "expires_at": timestamp_or_none(expires_at),
            "apps": " ".join(apps),
        }
        async with self._database.transaction() as connection:
            session = Session(connection)
            await session.run("revoke_expired_token", {"name": name, "now": timestamp(now)})
            if not await session.run("add_token", row):
                raise Conflict(
                    f"token already exists: {name}", hint=f"`convox-bot token revoke {name}` ends it"
                )
            detail = {"apps": row["apps"], "expires": row["expires_at"]}
            await audit.append(session, at=now, actor=by, action="token.create", subject=name, detail=detail)
        return token

    async def revoke(self, name: str, *, by: Actor = BOT) -> None:
        """End the token of that name, at once. Raises NotFound where no valid token has it."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            session = Session(connection)
            if not await session.run("revoke_token", {"name": name, "now": timestamp(now)}):
                raise NotFound(f"no such token: {name}", hint="`convox-bot token list` shows them")
            await audit.append(session, at=now, actor=by, action="token.revoke", subject=name, detail={})

    async def list(self) -> list[ApiToken]:
        """Return every token, revoked ones too, in the order in which they were made."""
        return [token_of(row) for row in await Session(self._database.reader).all("tokens")]

    async def check(self, token: str) -> ApiToken | None:
        """Return what is known of a token that nobody has revoked, one that has expired too; None of any other.

        The time it takes tells nothing about the others. That it was used is noted, where the disk lets it.
        """
        given = sha256(token)
        found = None
        for row in await Session(self._database.reader).all("valid_tokens"):
            if hmac.compare_digest(row["sha256"], given):
                found = token_of(row)
        if found is not None:
            await self._note_use(found, given)
        return found

    async def _note_use(self, token: ApiToken, digest: str) -> None:
        now = self._clock.now()
        if token.expired(now) or (token.used_at is not None and now - token.used_at < USED):
            return
        try:
            async with self._database.transaction() as connection:
                await Session(connection).run("use_token", {"sha256": digest, "now": timestamp(now)})
        except Unavailable as error:
            log.warning("that the token %s was used is not noted: %s", token.name, error)


@asynccontextmanager
async def open_tokens(path: Path, clock: Clock, *, make: bool = True) -> AsyncGenerator[Tokens]:
    """Open the tokens of a database, beside a running bot or before its first start.

    Args:
        path: the database's file.
        clock: for when a token was made.
        make: create the file where there is none.

    Raises:
        StorageError: absent, on a network file system, too new, or a running bot's and to be upgraded.
        Unavailable: the file or its disk cannot be used.
    """
    async with open_database(path, exclusive=False, make=make) as database:
        yield Tokens(database, clock)


def sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

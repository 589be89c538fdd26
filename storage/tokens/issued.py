"""API tokens: who may ask over HTTP. Works beside a running bot and needs no key, since only hashes are kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from core.actor import BOT
from core.clock import Clock
from core.errors import Conflict, Invalid, NotFound
from storage import audit
from storage.codec import timestamp
from storage.database import Database, open_database
from storage.session import Session
from storage.tokens.rows import Token, token_of

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
BYTES = 32  # 256 random bits: a plain hash of them cannot be guessed, so no slow one is needed


class Tokens:
    """The tokens of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, name: str) -> str:
        """Return a fresh token, which nobody can show again.

        Raises:
            Invalid: the name is none.
            Conflict: a valid token has that name.
        """
        if not NAME.fullmatch(name):
            raise Invalid(
                f"token name {name!r} is not valid",
                hint="a name has up to 63 letters, digits, dots, dashes and underscores, and begins with a letter or digit",
            )
        token = secrets.token_urlsafe(BYTES)
        now = self._clock.now()
        row = {"name": name, "sha256": sha256(token), "created_at": timestamp(now)}
        async with self._database.transaction() as connection:
            session = Session(connection)
            if not await session.run("add_token", row):
                raise Conflict(
                    f"token already exists: {name}", hint=f"`convox-bot token revoke {name}` ends it"
                )
            await audit.append(session, at=now, actor=BOT, action="token.create", subject=name, detail={})
        return token

    async def revoke(self, name: str) -> None:
        """End the token of that name, at once. Raises NotFound where no valid token has it."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            session = Session(connection)
            if not await session.run("revoke_token", {"name": name, "now": timestamp(now)}):
                raise NotFound(f"no such token: {name}", hint="`convox-bot token list` shows them")
            await audit.append(session, at=now, actor=BOT, action="token.revoke", subject=name, detail={})

    async def list(self) -> list[Token]:
        """Return every token, revoked ones too, in the order in which they were made."""
        return [token_of(row) for row in await Session(self._database.reader).all("tokens")]

    async def check(self, token: str) -> str | None:
        """Return the name of a valid token, or None; the time it takes tells nothing about the others."""
        given = sha256(token)
        found = None
        for row in await Session(self._database.reader).all("valid_tokens"):
            if hmac.compare_digest(row["sha256"], given):
                found = str(row["name"])
        return found


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

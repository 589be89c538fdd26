"""What the reads and the writes of an aggregate stand on; each is usable alone, and `storage.store` puts them together."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from sqlite3 import SQLITE_CONSTRAINT_UNIQUE, IntegrityError
from typing import ParamSpec, TypeVar

from storage.codec import Columns
from storage.keys import Vault
from storage.session import Session

P = ParamSpec("P")
T = TypeVar("T")

# Sealed bytes from which on it is worth a thread to open them: an environment of 100 kB takes a millisecond, a bundle with
# five such Secrets six.
LARGE = 100_000


async def opened(size: int, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` makes of so many sealed bytes, with nobody waiting for it meanwhile where they are many."""
    return await asyncio.to_thread(work, *args, **kwargs) if size >= LARGE else work(*args, **kwargs)


class AggregateReader:
    """Statements that change nothing, and the vault that opens what is sealed."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault


class AggregateWriter(AggregateReader):
    """Statements of one transaction.

    What there may be once is inserted with `ON CONFLICT … DO NOTHING`: the statement names the columns of the index
    that it gives way to, and no row changed means that it did. Any other refusal stays an IntegrityError.

    Attributes:
        now: the one moment of everything that the transaction writes.
    """

    def __init__(self, session: Session, vault: Vault, now: datetime) -> None:
        super().__init__(session, vault)
        self.now = now

    async def _run_unless(self, statement: str, row: Columns, another: str, refusal: Exception) -> int:
        """Change rows; raise the refusal where a unique index keeps the place for another row.

        SQLite names an index in prose only. Its code says that some unique index refused; whether it was this one,
        the look-up `another` tells by the index's columns, with the same parameters and in the same transaction.
        """
        try:
            return await self._session.run(statement, row)
        except IntegrityError as error:
            if error.sqlite_errorcode == SQLITE_CONSTRAINT_UNIQUE and await self._session.one(another, **row):
                raise refusal from None
            raise

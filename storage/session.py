"""A connection for as long as somebody may use it: named statements in, rows out."""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from sqlite3 import Row
from typing import Any

import aiosqlite

from core.errors import Unavailable
from storage.database import forget_pages, raising_unusable
from storage.queries import QUERIES
from storage.timing import DatabaseTask, DatabaseTimes

Parameters = Mapping[str, Any]


class Session:
    """Runs named statements; after `end` it refuses, so that no write escapes its transaction.

    Attributes:
        changes: rows that `run` and `many` have changed so far.
    """

    def __init__(self, connection: aiosqlite.Connection, times: DatabaseTimes | None = None) -> None:
        """Take a connection; with `times` each read is counted there."""
        self._connection: aiosqlite.Connection | None = connection
        self._times = times
        self.changes = 0

    def end(self) -> None:
        self._connection = None

    @property
    def connection(self) -> aiosqlite.Connection:
        """The connection; RuntimeError once the transaction is over."""
        if self._connection is None:
            raise RuntimeError("this transaction is over: a write here would belong to none")
        return self._connection

    async def all(self, statement: str, /, **parameters: Any) -> list[Row]:
        """Return every row.

        Raises:
            Unavailable: the disk gives errors, or what is on it is no database of ours any more.
        """
        connection = self.connection
        try:
            with (
                raising_unusable(),
                self._times.measured(DatabaseTask.READ) if self._times else nullcontext(),
            ):
                return list(await connection.execute_fetchall(QUERIES[statement], parameters))
        except Unavailable:
            await forget_pages(connection)
            raise

    async def one(self, statement: str, /, **parameters: Any) -> Row | None:
        """Return the first row, or None."""
        return next(iter(await self.all(statement, **parameters)), None)

    async def run(self, statement: str, parameters: Parameters) -> int:
        """Change rows; return how many."""
        cursor = await self.connection.execute(QUERIES[statement], dict(parameters))
        self.changes += cursor.rowcount
        return cursor.rowcount

    async def many(self, statement: str, parameters: Iterable[Parameters]) -> int:
        """Run one statement for each set of parameters; return how many rows changed in all."""
        rows = [dict(each) for each in parameters]
        cursor = await self.connection.executemany(QUERIES[statement], rows)
        self.changes += cursor.rowcount
        return cursor.rowcount

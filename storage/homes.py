"""Who has opened their Home tab, on SQLite."""

from collections.abc import Sequence
from datetime import datetime

from storage.codec import timestamp
from storage.database import Database
from storage.session import Session

_PREFIX = "home:"


class SqliteHomes:
    """`core.ports.homes.Homes`: facts of the database, a row for each person."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = Session(database.reader)

    async def opened(self, user: str, at: datetime) -> None:
        """Remember that somebody has opened theirs."""
        async with self._database.transaction() as connection:
            row = {"name": f"{_PREFIX}{user}", "value": timestamp(at)}
            await Session(connection).run("keep_home", row)

    async def recent(self, since: datetime, limit: int) -> Sequence[str]:
        """Return who has done so since then, the last one first, so many at most."""
        rows = await self._reading.all("homes", prefix=_PREFIX, moment=timestamp(since), limit=limit)
        return [row["name"].removeprefix(_PREFIX) for row in rows]

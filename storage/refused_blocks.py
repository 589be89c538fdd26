"""Kinds of blocks that a workspace has refused, on SQLite."""

from datetime import datetime

from storage.codec import timestamp
from storage.database import Database
from storage.session import Session

_PREFIX = "refused_block"


class SqliteRefusedBlocks:
    """`core.ports.refused_blocks.RefusedBlocks`: facts of the database, a row for each kind and workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = Session(database.reader)

    async def since(self, team: str, moment: datetime) -> frozenset[str]:
        """Return the kinds that a workspace has refused after a moment."""
        rows = await self._reading.all(
            "refused_blocks", prefix=f"{_PREFIX}:{team}:", moment=timestamp(moment)
        )
        return frozenset(row["name"].rpartition(":")[2] for row in rows)

    async def keep(self, team: str, kind: str, at: datetime) -> None:
        """Remember that a workspace has refused this kind; a later refusal counts from then on."""
        row = {"name": f"{_PREFIX}:{team}:{kind}", "value": timestamp(at)}
        async with self._database.transaction() as connection:
            await Session(connection).run("keep_refused_block", row)

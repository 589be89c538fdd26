"""What ages on SQLite: rows that are not kept any more go in small transactions, and their pages back to the disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import ClassVar

from core.ports.retention import Aging, DatabasePages
from storage.codec import timestamp
from storage.database import Database
from storage.session import Session

# Of one transaction, for which whoever else writes waits: rows, and promotions or builds that are looked at. Either is milliseconds.
MOST_ROWS, MOST_SUBJECTS = 200, 10
# Pages of one transaction; each that is not at the end of the file is moved (https://www.sqlite.org/pragma.html#pragma_incremental_vacuum).
PAGES_AT_ONCE = 100
# What is free is filled again by what comes next: less than this is not worth writing for (4 MiB, and an eighth of the file).
FEW_PAGES, FEW_OF_ALL = 1024, 8


@dataclass(frozen=True, slots=True)
class _Belonging:
    """Records that belong to something that ends.

    Attributes:
        next: the statement for the next one that ended; `deletes`: those that delete what it has.
    """

    next: str
    deletes: tuple[str, ...]


class SqliteRetention:
    """`core.ports.retention.Retention` over one open database."""

    _BELONGING: ClassVar[Mapping[Aging, _Belonging]] = {
        "lines": _Belonging(
            "promotion_to_age", ("age_lines", "age_posts", "age_samples", "age_picture", "age_reminder")
        ),
        "evidence": _Belonging("promotion_to_age", ("age_evidence", "age_posts")),
        "build_logs": _Belonging("build_to_age", ("age_build_lines", "age_thread", "age_posts")),
    }
    # What stands alone, with a moment of its own.
    _ALONE: ClassVar[Mapping[Aging, str]] = {"inbox": "age_deliveries", "notices": "age_notices"}

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = Session(database.reader)

    async def age(self, records: Aging, before: datetime) -> bool:
        """Delete some of what ended before a moment, the oldest first; return whether more is left."""
        if not await self._any(records, before):
            return False  # an hour in which nothing has aged writes nothing
        async with self._database.transaction() as connection:
            session = Session(connection)
            if statement := self._ALONE.get(records):
                rows = await session.run(statement, {"before": timestamp(before), "limit": MOST_ROWS})
                left = rows == MOST_ROWS
            else:
                rows, left = await self._age_next(session, records, before)
            if rows:
                await session.run("count_aged", {"records": records, "rows": rows})
        return left

    async def _any(self, records: Aging, before: datetime) -> bool:
        return (
            records in self._ALONE
            or await _next(self._reading, self._BELONGING[records], records, before) is not None
        )

    async def _age_next(self, session: Session, records: Aging, before: datetime) -> tuple[int, bool]:
        """Delete what the next few have; the mark moves with those that have nothing any more, so a kill loses nothing."""
        belonging, room = self._BELONGING[records], MOST_ROWS
        for _ in range(MOST_SUBJECTS):
            row = await _next(session, belonging, records, before)
            if row is None:
                return MOST_ROWS - room, False
            # What Slack is still owed after so long is left for good.
            for statement in belonging.deletes if row["told"] else ():
                room -= await session.run(statement, {"subject": row["id"], "limit": room})
                if room <= 0:
                    return MOST_ROWS - room, True
            mark = {"records": records, "until": row["ended_at"], "number": row["number"]}
            await session.run("move_retention_mark", mark)
        return MOST_ROWS - room, True

    async def aged_rows(self) -> dict[Aging, int]:
        """Return how many rows have been deleted for their age, of each kind of records that any were of."""
        return {row["records"]: row["rows"] for row in await self._reading.all("retention_marks")}

    async def pages(self) -> DatabasePages:
        """Return how the database lies on its disk."""
        return await self._database.pages()

    async def give_back(self) -> bool:
        """Give some of many free pages back to the disk; return whether more are left."""
        pages = await self.pages()
        spare = pages.free - max(FEW_PAGES, pages.count // FEW_OF_ALL)
        if not pages.shrinks or spare <= 0:
            return False
        await self._database.shrink(min(spare, PAGES_AT_ONCE))
        return spare > PAGES_AT_ONCE


async def _next(session: Session, belonging: _Belonging, records: Aging, before: datetime) -> Row | None:
    """Return what ended next after what has aged, and before a moment."""
    mark = await session.one("retention_mark", records=records)
    until, number = (mark["until"], mark["number"]) if mark else ("", 0)
    return await session.one(belonging.next, before=timestamp(before), until=until, number=number)

"""What ages on SQLite: rows that are not kept any more go in small transactions, and their pages back to the disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import ClassVar

from core.ports.retention import Aging, DatabasePages
from storage.codec import timestamp
from storage.database import Database
from storage.session import Session

# Of one transaction, for which whoever else writes waits: rows, and promotions or builds that are looked at. Either is milliseconds.
MOST_ROWS, MOST_SUBJECTS = 200, 10
# What Slack is still owed when it has aged may be told yet, by a bot that was away as long: so much longer it is kept.
LONGER = timedelta(days=180)
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
    # What stands alone, with a moment of its own: the statement for any that is old, and the one that deletes some.
    _ALONE: ClassVar[Mapping[Aging, tuple[str, str]]] = {
        "inbox": ("old_delivery", "age_deliveries"),
        "notices": ("old_notice", "age_notices"),
    }

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = Session(database.reader)

    async def age(self, records: Aging, before: datetime) -> bool:
        """Delete some of what ended before a moment, the oldest first; return whether more is left."""
        if not await self.due(records, before):
            return False  # an hour in which nothing has aged writes nothing
        async with self._database.transaction() as connection:
            session = Session(connection)
            if alone := self._ALONE.get(records):
                rows = await session.run(alone[1], {"before": timestamp(before), "limit": MOST_ROWS})
                left = rows == MOST_ROWS
            else:
                rows, left = await self._age_next(session, records, before, owed=False)
                if not left:
                    more, left = await self._age_next(session, records, before - LONGER, owed=True)
                    rows += more
            if rows:
                await session.run("count_aged", {"records": records, "rows": rows})
        return left

    async def due(self, records: Aging, before: datetime) -> bool:
        """Return whether there is anything to delete that ended before a moment."""
        if alone := self._ALONE.get(records):
            return await self._reading.one(alone[0], before=timestamp(before)) is not None
        statement = self._BELONGING[records].next
        looks = ((records, before), (_owed(records), before - LONGER))
        return any([await _next(self._reading, statement, mark, until) is not None for mark, until in looks])

    async def mend_marks(self, now: datetime) -> None:
        """Begin again where a mark lies ahead of now: a clock that was ahead has moved it, and what ends until then would stand before it."""
        if await self._reading.one("mark_ahead", now=timestamp(now)) is not None:
            async with self._database.transaction() as connection:
                await Session(connection).run("begin_again", {"now": timestamp(now)})

    async def _age_next(
        self, session: Session, records: Aging, before: datetime, *, owed: bool
    ) -> tuple[int, bool]:
        """Delete what the next few have; the mark moves with those that have nothing any more, so a kill loses nothing.

        With `owed` this is about those that Slack was still owed as the others aged.
        """
        belonging, room, kept = self._BELONGING[records], MOST_ROWS, _owed(records) if owed else records
        for _ in range(MOST_SUBJECTS):
            row = await _next(session, belonging.next, kept, before)
            if row is None:
                return MOST_ROWS - room, False
            statements = belonging.deletes if owed or row["told"] else ()
            if owed and not row["told"]:
                statements = ("give_up_thread", "give_up_posts", *statements)
            for statement in statements:
                room -= await session.run(statement, {"subject": row["id"], "limit": room})
                if room <= 0:
                    return MOST_ROWS - room, True
            mark = {"records": kept, "until": row["ended_at"], "number": row["number"]}
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


def _owed(records: Aging) -> str:
    """Return the name of the mark for those that Slack is owed."""
    return f"{records}:owed"


async def _next(session: Session, statement: str, kept: str, before: datetime) -> Row | None:
    """Return what ended next after what has aged, and before a moment."""
    mark = await session.one("retention_mark", records=kept)
    until, number = (mark["until"], mark["number"]) if mark else ("", 0)
    return await session.one(statement, before=timestamp(before), until=until, number=number)

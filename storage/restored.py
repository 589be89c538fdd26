"""The first start on a copy of a database: what was told and done since is not known here, and that is settled before anything is sent."""

import logging
from datetime import datetime

from core.actor import BOT
from storage import audit
from storage.database import Database
from storage.session import Session

BEFORE_AN_UPGRADE = ", made before an upgrade"

log = logging.getLogger(__name__)


async def settle_restored(database: Database, now: datetime) -> None:
    """Take over a copy as the database of a bot, once: its first start writes it down, any other changes nothing.

    A version that did not know of copies may have run on one and left the note in it: then Slack was told by the bot of this
    very file, and nothing is in doubt.

    Raises:
        Unavailable: the disk is full or broken; the next start does it.
    """
    if await Session(database.reader).one("copied_at") is None:
        return
    async with database.transaction() as connection:
        session = Session(connection)
        row, owed = await session.one("copied_at"), await session.one("owed_at_copy")
        ran = await session.one("run_since_copy")
        assert row is not None, "nobody else starts on it"
        assert owed is not None, "an aggregate always gives a row"
        assert ran is not None, "so does a condition"
        await session.run("forget_copied_at", {})
        if ran["ran"]:
            log.info("this database was a copy of %s that an older version has run on since", row["value"])
            return
        await session.run("doubt_posts", {})
        await session.run("edit_open_cards", {})
        detail = {"copied_at": row["value"], "copied_for": row["reason"]}
        detail |= {name: owed[name] for name in owed.keys()}  # noqa: SIM118 — a Row
        await audit.append(
            session, at=now, actor=BOT, action="database.restore", subject="database", detail=detail
        )
    log.warning(
        "this database is a copy of %s%s, and what happened since is not in it. Slack was owed %d cards, %d lines,"
        " %d messages of threads and %d others then: it is asked which of those of threads it has, all else may stand there twice. docs/operations.md, `After a restore`, says"
        " what to do next",
        row["value"],
        BEFORE_AN_UPGRADE if row["reason"] == "upgrade" else "",
        owed["cards"],
        owed["lines"],
        owed["posts"],
        owed["notices"],
    )

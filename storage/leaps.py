"""What was put off by a clock that was ahead: it would wait for as long as the clock had leapt."""

from datetime import datetime, timedelta

from storage.codec import timestamp
from storage.database import Database
from storage.session import Session

# Longer than anything is put off: Slack asks for seconds or minutes, an event is tried again after hours and dropped after a day.
LONGEST_DELAY = timedelta(days=1)
STATEMENTS = (
    "forget_delays_of_cards",
    "forget_delays_of_posts",
    "forget_delays_of_notices",
    "forget_delays_of_digests",
    "forget_delays_of_pictures",
    "forget_delays_of_events",
)


async def forget_delays(database: Database, now: datetime) -> int:
    """Have what waits for a time to which no delay leads told at once; return how much. Nothing is written where there is none.

    Raises:
        Unavailable: the disk is full or broken.
    """
    latest = {"latest": timestamp(now + LONGEST_DELAY)}
    if await Session(database.reader).one("leapt_delay", **latest) is None:
        return 0
    async with database.transaction() as connection:
        session = Session(connection)
        return sum([await session.run(each, latest) for each in STATEMENTS])

"""What the small tables of the outbox stand on: reads beside the writer, each change a transaction of its own."""

from core.clock import Clock
from storage.database import Database
from storage.session import Session
from storage.timing import DatabaseTask


class OutboxTable:
    """One kind of message that is kept until Slack has it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._reading = Session(database.reader)

    async def _run(self, statement: str, **parameters: object) -> None:
        async with self._database.transaction(DatabaseTask.OUTBOX) as connection:
            await Session(connection).run(statement, parameters)

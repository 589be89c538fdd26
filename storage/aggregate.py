"""What the reads and the writes of an aggregate stand on; each is usable alone, and `storage.store` puts them together."""

from datetime import datetime
from sqlite3 import IntegrityError

from core.errors import Conflict
from storage.codec import Columns
from storage.keys import Vault
from storage.session import Session, violates


class Reads:
    """Statements that change nothing, and the vault that opens what is sealed."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault


class Writes(Reads):
    """Statements of one transaction.

    Attributes:
        now: the one moment of everything that the transaction writes.
    """

    def __init__(self, session: Session, vault: Vault, now: datetime) -> None:
        super().__init__(session, vault)
        self.now = now

    async def _once(self, statement: str, row: Columns, sentence: str, *key: str) -> None:
        """Insert what there is once; a second time is a Conflict with that sentence."""
        try:
            await self._session.run(statement, row)
        except IntegrityError as error:
            if violates(error, *key):
                raise Conflict(sentence) from None
            raise

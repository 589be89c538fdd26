"""The last good policy, sealed, so that a start with a bad file is no outage."""

from storage.database import Database
from storage.keys import Vault
from storage.session import Session

_NAME = "policy"


class SqlitePolicies:
    """The text of one policy, a fact of the database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._reading = Session(database.reader)

    async def keep(self, text: str) -> None:
        """Keep a policy in the place of the one before."""
        async with self._database.transaction() as connection:
            row = {"name": _NAME, "value": self._vault.seal_bytes(text.encode())}
            await Session(connection).run("keep_policy", row)

    async def last(self) -> str:
        """Return the text that was kept last, "" where none was."""
        row = await self._reading.one("kept_policy", name=_NAME)
        return self._vault.unseal_bytes(row["value"]).decode() if row else ""

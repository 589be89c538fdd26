"""What a new release is made from: prepared before a transaction, and looked at again in it."""

from dataclasses import dataclass

from core.lifecycle.holds import fork_point
from core.ports.store import StoreReader, Transaction
from core.records.environment import Environment
from core.records.release import ReleaseEntry
from core.usecases.attempts import StaleRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """What a new release is made from.

    Attributes:
        base: the release; None before the first.
        skipped: the newest release, where that is on hold and was passed over.
        named: somebody has named the base, so it is that whatever else is made meanwhile.
    """

    app: str
    base: ReleaseEntry | None
    environment: Environment
    skipped: ReleaseEntry | None = None
    named: bool = False

    @property
    def base_id(self) -> str:
        """The base's id, or "" where there is none."""
        return self.base.id if self.base else ""

    @property
    def skipped_note(self) -> str:
        """Say that the newest release was passed over, or ""."""
        if self.skipped is None:
            return ""
        origin = f"based on {self.base_id}" if self.base else "based on nothing"
        return f"{self.skipped.id} is on hold and was skipped; this release is {origin}"

    async def check(self, tx: Transaction) -> None:
        """Look whether the next release is still to be made from this one. That a release never changes makes its id enough to tell.

        Raises:
            StaleRequest: it is made from another one by now.
        """
        if self.named:
            return
        base, skipped = await fork_point(tx, self.app)
        if (base and base.id, skipped and skipped.id) != (
            self.base and self.base.id,
            self.skipped and self.skipped.id,
        ):
            raise StaleRequest


async def read_fork(read: StoreReader, app: str, release: str | None = None) -> Fork:
    """Return what the next release of an app is made from: the release that is named, else the newest that is not on hold.

    Raises:
        NotFound: there is no such app, or no such release.
    """
    await read.app(app)
    base: ReleaseEntry | None
    skipped: ReleaseEntry | None
    if release is not None:
        base, skipped = await read.release_entry(app, release), None
    else:
        base, skipped = await fork_point(read, app)
    environment = (await read.release(app, base.id)).environment if base else Environment()
    return Fork(app=app, base=base, environment=environment, skipped=skipped, named=release is not None)

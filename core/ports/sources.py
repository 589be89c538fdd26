"""Archives that were uploaded to be built from: bytes on a disk, apart from the records, and gone once they are built."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One gzipped tar on its way here, or arrived.

    Attributes:
        id: `S` and ten letters.
        digest: `sha256:` and 64 digits, as its sender announced it.
        size: in bytes, as announced.
        offset: how many of them are here; where the next ones belong.
        complete: all are here, and are what was announced.
    """

    id: str
    app: str
    digest: str
    size: int
    offset: int = 0
    complete: bool = False


class Sources(Protocol):
    """Sources on the bot's disk. Each method may raise Unavailable, where the disk cannot be used or has no room."""

    async def create(self, app: str, digest: str, size: int) -> Source:
        """Return a new source, or the one with that digest whose upload was interrupted.

        Raises:
            Unavailable: with it the disk would be fuller than the records can bear.
        """
        ...

    async def find(self, source_id: str) -> Source:
        """Return how far it is; raise NotFound where it never was, has become too old, or was deleted."""
        ...

    async def renew(self, source_id: str) -> Source:
        """Return it as `find` does, and let its age begin anew, in one step: whoever builds from it does not lose it meanwhile."""
        ...

    async def append(self, source_id: str, offset: int, data: bytes) -> Source:
        """Write the next bytes.

        Raises:
            NotFound: as of `find`.
            Conflict: they do not belong where it is now.
            Invalid: they are more than was announced.
        """
        ...

    async def finish(self, source_id: str) -> Source:
        """Check one of which every byte is here, and make it complete; nothing changes where it is.

        Raises:
            NotFound: as of `find`.
            Conflict: some of it is still missing.
            Invalid: it is something else than was announced, and is deleted.
        """
        ...

    async def open(self, source_id: str) -> Path:
        """Return the file of a complete source; raise NotFound where there is none of that id."""
        ...

    async def delete(self, source_id: str) -> None:
        """Remove it, if it is there."""
        ...

    async def age_out(self, *, unfinished: datetime, complete: datetime, wanted: Collection[str] = ()) -> int:
        """Remove those that nobody has added to since a moment, but those that are wanted, and tell how many."""
        ...

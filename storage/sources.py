"""Uploaded sources, each in a folder of its own beside the database: `SABCDEFGHIJ/{about.json,part}`, then `source.tar.gz`.

Not in the database: half a gigabyte in it would be copied with each backup. A folder appears whole and goes whole, and
how much of it is here is the size of its file, so that nothing is to be mended after a crash.
"""

import asyncio
import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from core.clock import Clock
from core.errors import Conflict, Invalid, NotFound, Unavailable
from core.ids import new_id, normalise
from core.ports.sources import Source

P = ParamSpec("P")
T = TypeVar("T")

# Half a gigabyte that goes to the disk at once, at the end, holds up every commit of the database beside it for a second.
SYNC_BYTES = 8 << 20
ABOUT, PART, WHOLE = "about.json", "part", "source.tar.gz"


class SourceFolder:
    """The sources of one database; what it does to the disk is done in threads, one after the other."""

    def __init__(self, database: Path, clock: Clock, *, least_free: float) -> None:
        """Take where the database is, and which fraction of its disk must stay free."""
        self._top = database.with_name(database.name + ".sources")
        self._clock = clock
        self._least_free = least_free
        self._lock = threading.Lock()

    async def create(self, app: str, digest: str, size: int) -> Source:
        return await self._do(self._create, app, digest, size)

    async def find(self, source_id: str) -> Source:
        return await self._do(self._find, source_id)

    async def renew(self, source_id: str) -> Source:
        return await self._do(self._renew, source_id)

    async def append(self, source_id: str, offset: int, data: bytes) -> Source:
        return await self._do(self._append, source_id, offset, data)

    async def finish(self, source_id: str) -> Source:
        return await self._do(self._finish, source_id)

    async def open(self, source_id: str) -> Path:
        return await self._do(self._open, source_id)

    async def delete(self, source_id: str) -> None:
        await self._do(self._delete, source_id)

    async def age_out(self, *, unfinished: datetime, complete: datetime, wanted: Collection[str] = ()) -> int:
        return await self._do(self._age_out, unfinished.timestamp(), complete.timestamp(), wanted)

    async def _do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def one_at_a_time() -> T:
            with self._lock, _told_as_unavailable():
                return work(*args, **kwargs)

        return await asyncio.to_thread(one_at_a_time)

    def _create(self, app: str, digest: str, size: int) -> Source:
        known = list(self._all())
        for each in known:
            if (each.app, each.digest, each.size) == (app, digest, size) and not each.complete:
                return each
        self._top.mkdir(mode=0o700, exist_ok=True)
        self._check_room(size, sum(each.size - each.offset for each in known))
        made = Source(id=new_id("source"), app=app, digest=digest, size=size)
        # Made aside and then given its name: a folder that has one is whole.
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self._top))
        (aside / ABOUT).write_text(json.dumps({"app": app, "digest": digest, "size": size}), encoding="utf-8")
        (aside / PART).touch(mode=0o600)
        self._touch(aside / PART)
        aside.rename(self._top / made.id)
        return made

    def _check_room(self, size: int, promised: int) -> None:
        disk = shutil.disk_usage(self._top)
        left = disk.free - promised - size
        if left < disk.total * self._least_free:
            raise Unavailable(
                f"the bot's disk has no room for a source of {size / 1e6:.1f} MB: {self._least_free:.0%} of it must stay free",
                hint="ask whoever runs this bot to make room; with --image nothing is uploaded",
            )

    def _find(self, source_id: str) -> Source:
        folder = self._folder(source_id)
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            complete = (folder / WHOLE).exists()
            offset = (folder / (WHOLE if complete else PART)).stat().st_size
        except FileNotFoundError:
            raise _gone(source_id) from None
        return Source(id=folder.name, offset=offset, complete=complete, **about)

    def _renew(self, source_id: str) -> Source:
        source = self._find(source_id)
        self._touch(self._file(source))
        return source

    def _append(self, source_id: str, offset: int, data: bytes) -> Source:
        source = self._find(source_id)
        if offset != source.offset:
            raise Conflict(
                f"source {source.id} is at {source.offset:,} of {source.size:,} bytes, not at {offset:,}"
            )
        if offset + len(data) > source.size:
            raise Invalid(f"more was sent than the {source.size:,} bytes that were announced")
        if data:  # else it is where it was, and may be complete
            part = self._folder(source_id) / PART
            with part.open("ab", buffering=0) as file:
                _write_all(file.fileno(), data)
                if offset // SYNC_BYTES < (offset + len(data)) // SYNC_BYTES:
                    os.fsync(file.fileno())
            self._touch(part)
        return self._find(source_id)

    def _finish(self, source_id: str) -> Source:
        source, folder = self._find(source_id), self._folder(source_id)
        if source.complete:
            return source
        if source.offset < source.size:
            raise Conflict(f"source {source.id} is at {source.offset:,} of {source.size:,} bytes")
        with (folder / PART).open("rb") as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            os.fsync(file.fileno())
        if digest != source.digest:
            self._delete(source_id)
            raise Invalid(
                f"what arrived is not what was announced: it has the digest {digest}",
                hint="upload it again from its beginning",
            )
        (folder / PART).rename(folder / WHOLE)
        return self._find(source_id)

    def _open(self, source_id: str) -> Path:
        source = self._find(source_id)
        if not source.complete:
            raise NotFound(f"source {source.id} has not arrived whole")
        return self._folder(source_id) / WHOLE

    def _delete(self, source_id: str) -> None:
        with contextlib.suppress(NotFound, FileNotFoundError):
            shutil.rmtree(self._folder(source_id))

    def _age_out(self, unfinished: float, complete: float, wanted: Collection[str]) -> int:
        old = [
            each.id
            for each in self._all()
            if each.id not in wanted
            and self._file(each).stat().st_mtime < (complete if each.complete else unfinished)
        ]
        for source_id in old:
            self._delete(source_id)
        for aside in self._top.glob(".new-*"):  # of a process that died while it made one
            shutil.rmtree(aside)
        return len(old)

    def _all(self) -> Iterator[Source]:
        for folder in sorted(self._top.iterdir()) if self._top.exists() else ():
            if normalise("source", folder.name):
                with contextlib.suppress(NotFound):
                    yield self._find(folder.name)

    def _folder(self, source_id: str) -> Path:
        found = normalise("source", source_id)
        if found is None:
            raise _gone(source_id)
        return self._top / found

    def _file(self, source: Source) -> Path:
        return self._folder(source.id) / (WHOLE if source.complete else PART)

    def _touch(self, file: Path) -> None:
        """Give a file the time of our clock, by which it becomes old."""
        now = self._clock.now().timestamp()
        os.utime(file, (now, now))


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _gone(source_id: str) -> NotFound:
    return NotFound(
        f"no such source: {source_id[:40]}",
        hint="it was built from or became too old; upload it again from its beginning",
    )


@contextlib.contextmanager
def _told_as_unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Unavailable(
                "the bot's disk is full, so the source could not be stored",
                hint="ask whoever runs this bot to make room; what has arrived is kept for a while",
            ) from error
        raise Unavailable(f"the source cannot be stored: {error.strerror}") from error

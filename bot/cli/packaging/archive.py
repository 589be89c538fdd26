"""The archive of a folder: the same folder gives the same bytes, so what was uploaded once is recognised and goes on."""

import gzip
import hashlib
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, BinaryIO

from bot.cli.packaging.tree import TreeEntry
from bot.cli.rack_url import CliError

# Of every entry: after 1980, where the time of zip files begins, in each zone; builders go by content and not by time.
TIME = 315_705_600  # 1980-01-03T00:00:00Z
# As gzip itself: nine costs twice the time for some hundredths of the size.
LEVEL = 6
# What whoever unpacks it as an ordinary user needs at least: BusyBox's tar gives a folder its mode before it fills it.
OWNERS = {"file": 0o400, "folder": 0o700, "link": 0}
TYPES = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What was written.

    Attributes:
        digest: `sha256:` and 64 digits, of the bytes.
        size: in bytes.
        left_out: what no archive holds: sockets, devices, pipes.
    """

    digest: str
    size: int
    left_out: tuple[str, ...]


class _Digesting:
    """A file that knows what was written to it."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.size += len(data)
        return self._inner.write(data)

    def flush(self) -> None:
        self._inner.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self._digest.hexdigest()}"


def write_archive(entries: Iterable[TreeEntry], into: BinaryIO) -> Archive:
    """Write a gzipped tar of the entries, one block after the other, never a whole file in memory.

    Args:
        entries: what it holds, in this order.
        into: a file.

    Raises:
        CliError: a file cannot be read, or was cut while it was.
    """
    out, left_out = _Digesting(into), []
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=out, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for entry in entries:
            if entry.kind == "other":
                left_out.append(entry.name)
            elif entry.kind == "file":
                _add_file(tar, entry)
            else:
                tar.addfile(_header(entry))
    return Archive(digest=out.digest, size=out.size, left_out=tuple(left_out))


def _add_file(tar: tarfile.TarFile, entry: TreeEntry) -> None:
    header = _header(entry)
    file = _opened(entry)
    with file:
        header.size = file.seek(0, 2)
        file.seek(0)
        try:
            tar.addfile(header, file)
        except OSError as error:
            # Of the archive's own disk it has a number; what ends too early has none.
            why = error.strerror or "it became shorter meanwhile"
            raise CliError(f"{entry.name} cannot be packaged: {why}") from None


def _opened(entry: TreeEntry) -> IO[bytes]:
    try:
        return entry.path.open("rb")
    except OSError as error:
        hint = "name it in .dockerignore if it is not needed"
        raise CliError(f"{entry.name} cannot be read: {error.strerror}", hint=hint) from None


def _header(entry: TreeEntry) -> tarfile.TarInfo:
    header = tarfile.TarInfo(entry.name)
    header.type, header.mode, header.mtime, header.linkname = (
        TYPES[entry.kind],
        entry.mode | OWNERS[entry.kind],
        TIME,
        entry.target,
    )
    return header

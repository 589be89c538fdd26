"""Which file system a path is on: SQLite's write-ahead log loses data where locks and memory are not shared."""

import os
import re
from pathlib import Path

from core.errors import Unavailable
from storage.errors import NetworkFileSystem

MOUNTS = Path("/proc/self/mountinfo")  # proc(5); other systems than Linux are not asked
# Types as in mountinfo. https://www.sqlite.org/wal.html: "does not work over a network filesystem".
NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "davfs"),
        *("ceph", "glusterfs", "lustre", "beegfs", "gpfs", "ocfs2", "gfs2"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse"),
        *("fuse.davfs", "fuse.juicefs"),
    }
)


# Under this nothing new starts (engine rule 16): a rollout in flight must still be able to write its end.
LEAST_FREE_DISK = 0.10


def free_fraction(folder: Path) -> float:
    """Return how much of the disk of a folder is free for us, 0 to 1.

    Raises:
        Unavailable: the disk does not say.
    """
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        raise Unavailable(
            f"the disk of {folder} does not tell how full it is: {error.strerror}",
            hint="ask an operator to look at the disk",
        ) from error
    return disk.f_bavail / disk.f_blocks if disk.f_blocks else 1.0


def resolve_local(path: Path, mounts: Path = MOUNTS) -> Path:
    """Return the path with every link followed, so that a link to a network share is seen as the share.

    Raises:
        NetworkFileSystem: the file would lie on another machine.
    """
    path = path.resolve()
    kind = kind_of_mount(path, mounts.read_text()) if mounts.exists() else ""
    if kind in NETWORK_FILE_SYSTEMS:
        raise NetworkFileSystem(
            f"{path} is on a network file system ({kind}), where SQLite loses data: "
            "put CONVOX_DATABASE on a local disk or a block volume (ReadWriteOnce)"
        )
    return path


def kind_of_mount(path: Path, mountinfo: str) -> str:
    """Return the type of the file system that holds an absolute path, or "" where none of the mounts does."""
    best, kind = Path(), ""
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        point = Path(unescaped(fields.split()[4]))
        # Of two mounts on one point the later one hides the earlier.
        if path.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, rest.split()[0]
    return kind


def unescaped(text: str) -> str:
    r"""Undo the octal escapes of mountinfo, such as `\040` for a space."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)

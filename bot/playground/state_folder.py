"""What the playground keeps on disk, so that its state survives a restart."""

import fcntl
import os
import secrets
from pathlib import Path
from typing import Any

import orjson

# Everything that is ever written into the folder. Forgetting removes these and nothing else, because the folder may
# be one that holds other things as well.
DATABASE = "convox.db"
FILES = (
    *(f"{DATABASE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal", ".lock")),
    *("slack.json", "cluster.json", "credentials.json", "env"),
)
# It is held for as long as a playground runs, so it outlives whatever is forgotten.
LOCK = "playground.lock"


class StateFolder:
    """A folder with the bot's database, the emulated workspace, the simulated cluster and their credentials."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._saved: dict[str, bytes] = {}
        self._lock = -1

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    def claim(self) -> str | None:
        """Take the folder for this process, until it ends however it ends; return None, or who has it as `announce` said.

        A second process that wrote into it would lose what the first is doing.
        """
        file = os.open(self.folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with os.fdopen(file, "rb") as held:
                return held.read().decode()
        os.truncate(file, 0)
        self._lock = file
        return None

    def announce(self, text: str) -> None:
        """Say to whoever comes later who has the folder."""
        os.pwrite(self._lock, text.encode(), 0)

    def load(self, name: str) -> Any | None:
        """Return what was saved under a name, or None."""
        path = self.folder / f"{name}.json"
        return orjson.loads(path.read_bytes()) if path.is_file() else None

    def save(self, name: str, document: Any) -> None:
        """Replace what is saved under a name, whole or not at all; the same again costs no write."""
        content = orjson.dumps(document)
        if self._saved.get(name) != content:
            self._replace(f"{name}.json", content)
            self._saved[name] = content

    def write(self, name: str, text: str) -> None:
        """Replace a text file."""
        self._replace(name, text.encode())

    def _replace(self, name: str, content: bytes) -> None:
        """Write a file that only its owner can read."""
        fresh = self.folder / f"{name}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        fresh.replace(self.folder / name)

    def forget(self) -> None:
        """Remove everything that was kept."""
        self._saved.clear()
        for name in FILES:
            (self.folder / name).unlink(missing_ok=True)

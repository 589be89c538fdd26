"""What the playground keeps on disk, so that its state survives a restart."""

import os
import secrets
from pathlib import Path
from typing import Any

import orjson


class Memory:
    """A folder with the bot's database, the emulated workspace, the simulated cluster and their credentials."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder

    @property
    def database(self) -> Path:
        return self.folder / "convox.db"

    def load(self, name: str) -> Any | None:
        """Return what was saved under a name, or None."""
        path = self.folder / f"{name}.json"
        return orjson.loads(path.read_bytes()) if path.is_file() else None

    def save(self, name: str, document: Any) -> None:
        """Replace what is saved under a name, whole or not at all; readable by its owner only."""
        path = self.folder / f"{name}.json"
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
            file.write(orjson.dumps(document))
        fresh.replace(path)

    def write(self, name: str, text: str) -> None:
        """Write a text file for its owner."""
        path = self.folder / name
        path.touch(mode=0o600, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def forget(self) -> None:
        """Remove everything."""
        for path in self.folder.iterdir():
            if path.is_file():
                path.unlink()

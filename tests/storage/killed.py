"""A process that is killed (SIGKILL) in the middle of what SQLite does for it: `python -m tests.storage.killed WORK DATABASE KEY AT TARGET`.

SQLite calls back every few of its own instructions, wherever it is; the one numbered AT ends the process.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from core.ports.retention import AGING
from storage.copies import copy_database
from storage.keys import Keyring
from storage.store import open_store
from tests.storage.making import HandClock

EACH = 500  # instructions of SQLite's machine


def kill_at(last: int) -> None:
    """Have the process die at that call back, of whichever connection."""
    connect, calls = sqlite3.connect, count(1)

    def tick() -> int:
        if next(calls) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def watched(*words: Any, **more: Any) -> sqlite3.Connection:
        made = connect(*words, **more)
        made.set_progress_handler(tick, EACH)
        return made

    sqlite3.connect = watched  # type: ignore[assignment]


async def start(database: Path, key: str, *, age: bool) -> None:
    async with open_store(database, Keyring([key]), HandClock()) as store:
        for records in AGING if age else ():
            while await store.retention.age(records, datetime(2100, 1, 1, tzinfo=UTC)):
                pass
        while age and await store.retention.give_back():
            pass


def main() -> None:
    work, database, key, at, target = (
        sys.argv[1],
        Path(sys.argv[2]),
        sys.argv[3],
        int(sys.argv[4]),
        sys.argv[5],
    )
    if at:
        kill_at(at)
    if work == "backup":
        copy_database(database, Path(target))
    else:
        asyncio.run(start(database, key, age=work == "age"))


if __name__ == "__main__":
    main()

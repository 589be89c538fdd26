"""`convox-bot serve` that writes down what SQLite is asked: `python -m tests.bench.traced FILE`.

One word a statement: its verb, or `WRITE` for one that changes rows outside of a transaction and so is one by itself.
"""

import sqlite3
import sys
from functools import partial
from typing import Any

from bot.cli.main import main

CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})


class TracedConnection(sqlite3.Connection):
    """Every connection of the process; the trace is that of SQLite itself."""

    def __init__(self, trace: Any, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._trace = trace
        self.set_trace_callback(self._passes)

    def _passes(self, statement: str) -> None:
        verb = statement.split(None, 1)[0].upper()
        # What a trigger does is told as a comment; it belongs to the statement that set it off.
        if verb.startswith("--"):
            return
        alone = verb in CHANGING and not self.in_transaction
        self._trace.write("WRITE\n" if alone else f"{verb}\n")


def traced(path: str) -> None:
    """Let every connection that is opened from now on write into this file."""
    trace = open(path, "a", buffering=1, encoding="utf-8")  # noqa: PTH123, SIM115 - a line at a time, to the end
    # aiosqlite asks the module for it at every connection.
    module: Any = sqlite3
    module.connect = partial(sqlite3.connect, factory=partial(TracedConnection, trace))


if __name__ == "__main__":
    traced(sys.argv[1])
    sys.exit(main(["serve"]))

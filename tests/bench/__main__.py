"""`make bench`: measures, prints the tables, and keeps them where it is told to.

`python -m tests.bench [--keep] [TABLE…]`; without a name every table is measured, which takes about half an hour.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from tests.bench import (
    table_failures,
    table_fleet,
    table_history,
    table_retention,
    table_rollouts,
    table_start,
    table_uploads,
    table_work,
)
from tests.bench.kube import LeftOut
from tests.bench.machine import description, load
from tests.bench.tables import Table, kept

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
TABLES: Mapping[str, Callable[[], Coroutine[Any, Any, Table]]] = {
    module.NAME: module.measure
    for module in (
        table_start,
        table_rollouts,
        table_failures,
        table_fleet,
        table_history,
        table_work,
        table_uploads,
        table_retention,
    )
}
# Above it something else than the bench wants the cores.
IDLE_LOAD = 1.0


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure what is promised of speed."
    )
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all of them where none is named")
    parser.add_argument("--keep", action="store_true", help="put what was measured into docs/benchmarks.md")
    given = parser.parse_args(words)
    if unknown := [name for name in given.tables if name not in TABLES]:
        parser.error(f"there is no table {unknown[0]}; there are {', '.join(TABLES)}")
    return given


def main(words: list[str]) -> int:
    """Measure and print; return 0, or 1 where a goal was missed."""
    given = _arguments(words)
    stamp, busy = description(), load()
    if busy > IDLE_LOAD:
        stamp += f" **The machine was busy with something else (load {busy:.1f}): these figures say little.**"
    _say(f"{stamp}\n")
    missed = 0
    for name in given.tables or TABLES:
        try:
            table = asyncio.run(TABLES[name]())
        except LeftOut as error:
            _say(f"{name} was left out: {error}\n")
            continue
        missed += sum(not goal.met for goal in table.goals)
        _say(table.markdown())
        if given.keep:
            PAGE.write_text(kept(PAGE.read_text(), {name: table.markdown(stamp=stamp)}))
    if missed:
        _say(f"{missed} goals were missed.")
    return 1 if missed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

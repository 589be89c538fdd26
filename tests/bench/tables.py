"""What a table of the bench is: rows of measured cells, and goals that each say whether they were met."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.bench.figures import milliseconds, seconds

Unit = Literal["ms", "s", "MB", "×", ""]
COMPARISONS = {"<": operator.lt, "≤": operator.le}
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What issue 7 asks of a figure.

    Attributes:
        what: in words, as a row of the list of goals.
        limit: in the unit of `found` (seconds, bytes or a plain number).
        found: the worst figure that the goal speaks of; None where nothing was measured, which is no success.
    """

    what: str
    found: float | None
    limit: float
    unit: Unit
    how: Literal["<", "≤"] = "<"

    @property
    def met(self) -> bool:
        return self.found is not None and bool(COMPARISONS[self.how](self.found, self.limit))

    @property
    def cells(self) -> tuple[str, str, str, str]:
        found = "not measured" if self.found is None else shown(self.found, self.unit)
        return (
            self.what,
            f"{self.how} {shown(self.limit, self.unit)}",
            found,
            "met" if self.met else "**missed**",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table with its goals.

    Attributes:
        name: as `make bench TABLES=…` names it.
        title: its heading.
        notes: what a reader must know to read it: what was measured, where, how often.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal] = ()
    notes: str = ""
    goal_columns: Sequence[str] = field(default=("goal", "wanted", "measured", ""))

    def markdown(self, *, stamp: str = "") -> str:
        """Return it as a section of docs/benchmarks.md.

        Args:
            stamp: when and on what it was measured.
        """
        parts = [f"## {self.title}", stamp, self.notes, grid(self.columns, self.rows)]
        if self.goals:
            parts.append(grid(self.goal_columns, [goal.cells for goal in self.goals]))
        return "\n\n".join(part for part in parts if part) + "\n"


def shown(value: float, unit: Unit) -> str:
    """Write a figure with its unit."""
    match unit:
        case "ms":
            return f"{milliseconds(value)} ms"
        case "s":
            return f"{seconds(value)} s"
        case "MB":
            return f"{value / _MEGABYTE:.0f} MB"
        case "×":
            return f"{value:.2f} ×"
        case _:
            return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns stand under each other in a terminal, too."""
    lines = [columns, *rows]
    widths = [max(3, *(len(line[at]) for line in lines)) for at in range(len(columns))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(columns), rule, *map(line, rows)])


def kept(page: str, sections: Mapping[str, str]) -> str:
    """Put newly measured sections in the place of the old ones; what was not measured stays as it was.

    Args:
        page: text in which `<!-- table: NAME -->` … `<!-- end -->` encloses each section.
        sections: table name → Markdown.

    Raises:
        KeyError: the page has no place for a table.
    """
    for name, text in sections.items():
        begin, end = f"<!-- table: {name} -->\n", "<!-- end -->"
        head, found, rest = page.partition(begin)
        if not found:
            raise KeyError(f"the page has no place for the table {name}")
        page = head + begin + text + end + rest.partition(end)[2]
    return page

"""Convox's two shapes of output, the table and the block of facts; without them each list would pad for itself."""

from collections.abc import Sequence

GAP = "  "
# Longer cells push everything else out of sight; the block of facts of the same record shows the whole.
LONGEST_CELL = 200
# Of a text among facts: a commit message has a few rows, a generated one thousands.
MOST_PASSAGE_ROWS, MOST_PASSAGE_CHARS = 40, 4000


class Table(str):
    """A table as a terminal shows it, with its cells for whoever shows them otherwise.

    Attributes:
        header, rows: the cells, each of them one line.
        essential: the columns that whoever sees only the first few must see, in their order; () for those that come first.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    essential: tuple[str, ...]

    __slots__ = ("essential", "header", "rows")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, essential: Sequence[str] = ()) -> Table:
    """Return a header and rows, columns padded to their widest cell, two spaces between, the last unpadded.

    An empty list is a header alone, and an empty last cell leaves its gap behind, both as in Convox.
    """
    lines = [list(header), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    made = Table(
        "\n".join(
            GAP.join(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=False))
            + GAP
            + line[-1]
            for line in lines
        )
    )
    made.header, made.rows = tuple(header), tuple(map(tuple, lines[1:]))
    made.essential = tuple(essential)
    return made


def _cell(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_CELL else flat[: LONGEST_CELL - 1] + "…"


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Return `Name  value` lines; further lines of a value stand under its first."""
    width = max(len(name) for name, _ in pairs)
    indent = "\n" + " " * (width + len(GAP))
    return "\n".join(name.ljust(width) + GAP + indent.join(value.split("\n")) for name, value in pairs)


def passage(text: str) -> str:
    """Return a text of any size for a block of facts, cut after a row, with a row that says how much is missing."""
    rows = text.split("\n")
    kept: list[str] = []
    left = MOST_PASSAGE_CHARS
    for row in rows[:MOST_PASSAGE_ROWS]:
        if len(row) + 1 > left:
            break
        kept.append(row)
        left -= len(row) + 1
    if not kept:
        return rows[0][: MOST_PASSAGE_CHARS - 1] + "…"
    if missing := len(rows) - len(kept):
        kept.append(f"… {missing} more row{'' if missing == 1 else 's'}")
    return "\n".join(kept)

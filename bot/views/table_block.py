"""A list as Slack's table, which a phone can read; the block of code with the same in it stays what is read aloud.

A table that is wider than the screen is pushed sideways, so what matters stands first. The block of code keeps Convox's order.
"""

from typing import Any

from bot.views.mrkdwn import visible
from bot.views.tables import Table

# One table a message, 100 rows, 20 columns and about 10,000 characters in all its cells (slack.md 1.4).
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 100, 20, 9000
_EMPTY = "–"  # Slack refuses a cell without a character


def table_block(table: Table) -> tuple[dict[str, Any], int] | None:
    """Return the block with the number of rows that do not fit into it; None where there is no row, or none fits."""
    if len(table.header) > MOST_COLUMNS:
        return None
    left = MOST_CHARACTERS
    order = _order(table)
    kept: list[list[dict[str, Any]]] = []
    for row in (table.header, *table.rows[: MOST_ROWS - 1]):
        cells = [visible(row[column]) or _EMPTY for column in order]
        left -= sum(map(len, cells))
        if left < 0:
            break
        kept.append([{"type": "raw_text", "text": cell} for cell in cells])
    if len(kept) < 2:
        return None
    # What is longest stands last in Convox's order, and is what may be broken.
    settings = [{"is_wrapped": column == len(table.header) - 1} for column in order]
    block = {"type": "table", "rows": kept, "column_settings": settings}
    return block, len(table.rows) - len(kept) + 1


def _order(table: Table) -> list[int]:
    """Return the numbers of the columns as they stand side by side: the essential ones, then the others."""
    first = [table.header.index(name) for name in table.essential]
    return [*first, *(column for column in range(len(table.header)) if column not in first)]

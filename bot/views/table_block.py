"""A list as Slack's table, which a phone can read; the block of code with the same in it stays what is read aloud."""

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
    kept: list[list[dict[str, Any]]] = []
    for row in (table.header, *table.rows[: MOST_ROWS - 1]):
        cells = [visible(cell) or _EMPTY for cell in row]
        left -= sum(map(len, cells))
        if left < 0:
            break
        kept.append([{"type": "raw_text", "text": cell} for cell in cells])
    if len(kept) < 2:
        return None
    # What is longest stands last, and is what may be broken.
    settings = [{"is_wrapped": column == len(table.header) - 1} for column in range(len(table.header))]
    block = {"type": "table", "rows": kept, "column_settings": settings}
    return block, len(table.rows) - len(kept) + 1

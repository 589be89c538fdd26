"""What Slack accepts as a table: rows of cells, and how each column is set."""

from typing import Any

from bot.playground.slack.fields import (
    Json,
    Problems,
    choice,
    complaint,
    count,
    each,
    length,
    missing,
    unknown_keys,
)
from bot.playground.slack.rich_text_rules import rich_text

ROWS, COLUMNS = 100, 20
# Of all cells together; Slack names no number, libraries count to this one (slack.md 1.4).
CHARACTERS = 10_000
ALIGNMENTS = ("left", "center", "right")


def table(block: Json, pointer: str) -> Problems:
    """Check a table."""
    yield from unknown_keys(block, {"type", "block_id", "rows", "column_settings"}, pointer)
    yield from count(block.get("rows"), f"{pointer}/rows", most=ROWS)
    rows = block.get("rows")
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        yield from count(row, f"{pointer}/rows/{index}", most=COLUMNS)
        for cell, where in each(row, f"{pointer}/rows/{index}"):
            yield from _cell(cell, where)
    if _characters(rows) > CHARACTERS:
        yield complaint(f"must be less than {CHARACTERS + 1} characters", f"{pointer}/rows")
    yield from _settings(block, f"{pointer}/column_settings")


def _cell(cell: Json, pointer: str) -> Problems:
    kind = str(cell.get("type"))
    if kind == "raw_text":
        yield from unknown_keys(cell, {"type", "text"}, pointer)
        yield from length(cell.get("text"), f"{pointer}/text", most=CHARACTERS)
    elif kind == "raw_number":
        yield from unknown_keys(cell, {"type", "value", "text"}, pointer)
        if not isinstance(cell.get("value"), int | float):
            yield missing(f"{pointer}/value")
    elif kind == "rich_text":
        yield from rich_text(cell, pointer)
    else:
        yield complaint(f"unsupported type: {kind}", f"{pointer}/type")


def _characters(thing: Any) -> int:
    """Return how much text the cells hold, however deep it stands."""
    if isinstance(thing, list):
        return sum(_characters(each_one) for each_one in thing)
    if not isinstance(thing, dict):
        return 0
    own = thing.get("text")
    return (len(own) if isinstance(own, str) else 0) + _characters(thing.get("elements"))


def _settings(block: Json, pointer: str) -> Problems:
    if "column_settings" not in block:
        return
    yield from count(block["column_settings"], pointer, most=COLUMNS)
    for setting, where in each(block["column_settings"], pointer):
        yield from unknown_keys(setting, {"align", "is_wrapped"}, where)
        yield from choice(setting, "align", where, ALIGNMENTS)

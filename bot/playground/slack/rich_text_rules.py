"""What Slack accepts as rich text, which a message, a cell of a table and a task of a plan can hold."""

from typing import Any

from bot.playground.slack.fields import Json, Problems, complaint, count, each, length, unknown_keys

PARTS = ("rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list")
LEAVES = ("text", "link", "user", "channel", "usergroup", "emoji", "date", "broadcast", "color", "team")


def rich_text(block: Json, pointer: str) -> Problems:
    """Check a block of rich text."""
    yield from unknown_keys(block, {"type", "block_id", "elements"}, pointer)
    yield from count(block.get("elements"), f"{pointer}/elements", most=1000)
    for item, where in each(block.get("elements"), f"{pointer}/elements"):
        yield from _part(item, where)


def single(value: Any, pointer: str) -> Problems:
    """Check rich text of exactly one part, as the details and the output of a task are."""
    if not isinstance(value, dict):
        yield complaint("must provide an object", pointer)
        return
    if value.get("type") != "rich_text":
        yield complaint(f"unsupported type: {value.get('type')}", f"{pointer}/type")
        return
    yield from rich_text(value, pointer)
    parts = value.get("elements")
    if isinstance(parts, list) and len(parts) > 1:
        yield complaint("no more than 1 items allowed", f"{pointer}/elements")


def _part(item: Json, pointer: str) -> Problems:
    """Check one part; a list holds sections, everything else holds leaves."""
    if item.get("type") not in PARTS:
        yield complaint(f"unsupported type: {item.get('type')}", f"{pointer}/type")
    for inner, where in each(item.get("elements"), f"{pointer}/elements"):
        if item.get("type") == "rich_text_list":
            yield from _part(inner, where)
        elif inner.get("type") not in LEAVES:
            yield complaint(f"unsupported type: {inner.get('type')}", f"{where}/type")
        elif inner["type"] == "text":
            yield from length(inner.get("text"), f"{where}/text", most=40_000)

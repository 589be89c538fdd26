"""What Slack accepts as a block, one function a kind."""

from collections.abc import Callable

from bot.playground.slack import elements
from bot.playground.slack.fields import (
    Json,
    Problems,
    complaint,
    count,
    each,
    length,
    optional_length,
    plain_text,
    text_object,
    unknown_keys,
)

RICH = ("rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list")
RICH_LEAVES = ("text", "link", "user", "channel", "usergroup", "emoji", "date", "broadcast", "color", "team")


def section(block: Json, pointer: str) -> Problems:
    """Check a section: a text, or fields, or both, and perhaps an accessory."""
    yield from unknown_keys(block, {"type", "block_id", "text", "fields", "accessory", "expand"}, pointer)
    if "text" not in block and "fields" not in block:
        yield complaint("missing required field: text or fields", pointer)
    if "text" in block:
        yield from text_object(block["text"], f"{pointer}/text", most=3000)
    if "fields" in block:
        yield from count(block["fields"], f"{pointer}/fields", most=10)
        for field, where in each(block["fields"], f"{pointer}/fields"):
            yield from text_object(field, where, most=2000)
    accessory = block.get("accessory")
    if isinstance(accessory, dict):
        check = elements.image if accessory.get("type") == "image" else elements.element
        yield from check(accessory, f"{pointer}/accessory")


def header(block: Json, pointer: str) -> Problems:
    yield from unknown_keys(block, {"type", "block_id", "text", "level"}, pointer)
    yield from plain_text(block.get("text"), f"{pointer}/text", most=150)


def context(block: Json, pointer: str) -> Problems:
    yield from unknown_keys(block, {"type", "block_id", "elements"}, pointer)
    yield from count(block.get("elements"), f"{pointer}/elements", most=10)
    for item, where in each(block.get("elements"), f"{pointer}/elements"):
        yield from (
            elements.image(item, where)
            if item.get("type") == "image"
            else text_object(item, where, most=2000)
        )


def actions(block: Json, pointer: str) -> Problems:
    yield from unknown_keys(block, {"type", "block_id", "elements"}, pointer)
    yield from count(block.get("elements"), f"{pointer}/elements", most=25)
    for item, where in each(block.get("elements"), f"{pointer}/elements"):
        yield from elements.element(item, where)


def divider(block: Json, pointer: str) -> Problems:
    yield from unknown_keys(block, {"type", "block_id"}, pointer)


def image(block: Json, pointer: str) -> Problems:
    yield from unknown_keys(
        block, {"type", "block_id", "image_url", "alt_text", "title", "slack_file"}, pointer
    )
    yield from length(block.get("alt_text"), f"{pointer}/alt_text", most=2000)
    if "title" in block:
        yield from plain_text(block["title"], f"{pointer}/title", most=2000)


def markdown(block: Json, pointer: str) -> Problems:
    yield from unknown_keys(block, {"type", "block_id", "text"}, pointer)
    yield from length(block.get("text"), f"{pointer}/text", most=12_000)


def entry(block: Json, pointer: str) -> Problems:
    """Check an input block, which modals have."""
    keys = {"type", "block_id", "label", "element", "hint", "optional", "dispatch_action"}
    yield from unknown_keys(block, keys, pointer)
    yield from plain_text(block.get("label"), f"{pointer}/label", most=2000)
    if "hint" in block:
        yield from plain_text(block["hint"], f"{pointer}/hint", most=2000)
    if not isinstance(block.get("element"), dict):
        yield complaint("missing required field: element", f"{pointer}/element")
    else:
        yield from elements.element(block["element"], f"{pointer}/element")


def rich_text(block: Json, pointer: str) -> Problems:
    yield from unknown_keys(block, {"type", "block_id", "elements"}, pointer)
    yield from count(block.get("elements"), f"{pointer}/elements", most=1000)
    for item, where in each(block.get("elements"), f"{pointer}/elements"):
        yield from _rich(item, where)


def _rich(item: Json, pointer: str) -> Problems:
    """Check one part of rich text; a list holds sections, everything else holds leaves."""
    if item.get("type") not in RICH:
        yield complaint(f"unsupported type: {item.get('type')}", f"{pointer}/type")
    for inner, where in each(item.get("elements"), f"{pointer}/elements"):
        if item.get("type") == "rich_text_list":
            yield from _rich(inner, where)
        elif inner.get("type") not in RICH_LEAVES:
            yield complaint(f"unsupported type: {inner.get('type')}", f"{where}/type")
        elif inner["type"] == "text":
            yield from length(inner.get("text"), f"{where}/text", most=40_000)


def table(block: Json, pointer: str) -> Problems:
    yield from unknown_keys(block, {"type", "block_id", "rows", "column_settings"}, pointer)
    yield from count(block.get("rows"), f"{pointer}/rows", most=100)
    rows = block.get("rows")
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        yield from count(row, f"{pointer}/rows/{index}", most=20)
        for cell, where in each(row, f"{pointer}/rows/{index}"):
            if str(cell.get("type")) not in {"raw_text", "rich_text", "raw_number"}:
                yield complaint(f"unsupported type: {cell.get('type')}", f"{where}/type")


RULES: dict[str, Callable[[Json, str], Problems]] = {
    "section": section,
    "header": header,
    "context": context,
    "actions": actions,
    "divider": divider,
    "image": image,
    "markdown": markdown,
    "rich_text": rich_text,
    "table": table,
    "input": entry,
}


def block_problems(block: Json, pointer: str, *, surface: str) -> Problems:
    """Check one block on a surface: `message`, `modal` or `home`."""
    kind = str(block.get("type"))
    rule = RULES.get(kind)
    if rule is None or (kind == "table" and surface != "message"):
        yield complaint(f"unsupported type: {kind}", f"{pointer}/type")
        return
    yield from rule(block, pointer)
    yield from optional_length(block, "block_id", pointer, most=255, least=1)

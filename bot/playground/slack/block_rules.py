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
    missing,
    optional_length,
    plain_text,
    text_object,
    unknown_keys,
)
from bot.playground.slack.plan_rules import plan, task_card
from bot.playground.slack.rich_text_rules import rich_text
from bot.playground.slack.table_rules import table


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
        yield missing(f"{pointer}/element")
    else:
        yield from elements.element(block["element"], f"{pointer}/element")


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
    "plan": plan,
    "task_card": task_card,
    "input": entry,
}
# What only a message may have.
OF_MESSAGES = ("table", "plan", "task_card")


def block_problems(block: Json, pointer: str, *, surface: str) -> Problems:
    """Check one block on a surface: `message`, `modal` or `home`."""
    kind = str(block.get("type"))
    rule = RULES.get(kind)
    if rule is None or (kind in OF_MESSAGES and surface != "message"):
        yield complaint(f"unsupported type: {kind}", f"{pointer}/type")
        return
    yield from rule(block, pointer)
    yield from optional_length(block, "block_id", pointer, most=255, least=1)

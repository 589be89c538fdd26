"""Slack's limits for what an application sends, as a pure function from a payload to its problems."""

import json
from collections.abc import Container, Iterator
from typing import Any

from bot.playground.slack.block_rules import block_problems
from bot.playground.slack.fields import (
    Json,
    Problems,
    complaint,
    each,
    length,
    missing,
    optional_length,
    plain_text,
    repeated,
    unknown_keys,
)

# Undocumented; refusals were seen from 13 297 characters on (bolt-js issue 2509).
BLOCKS_TOGETHER = 13_000
UPDATE_TEXT = 4_000
POST_TEXT = 40_000
METADATA = 8_000
BLOCKS = {"message": 50, "modal": 100, "home": 100}
VIEW_KEYS = {
    "modal": ("type", "title", "blocks", "submit", "close", "private_metadata", "callback_id", "clear_on_close",
              "notify_on_close", "external_id", "submit_disabled"),
    "home": ("type", "blocks", "private_metadata", "callback_id", "external_id"),
}  # fmt: skip


def problems(payload: Json, *, method: str) -> list[str]:
    """Return everything Slack would refuse or silently damage in a payload of this method.

    Each entry begins with Slack's error code (`invalid_blocks: [ERROR] …`), so a test can simply assert that the
    list is empty. `response_url` is a method too: no limit for the blocks together is applied there.

    Args:
        payload: The arguments of the call, blocks as lists.
        method: `chat.postMessage`, `chat.update`, `chat.postEphemeral`, `views.open` … or `response_url`.
    """
    return [f"{code}: {detail}" if detail else code for code, detail in findings(payload, method=method)]


def findings(payload: Json, *, method: str, refused: Container[str] = frozenset()) -> list[tuple[str, str]]:
    """Return (error code, detail) pairs, the error that Slack reports first in front.

    Args:
        payload: The arguments of the call, blocks as lists.
        method: As in `problems`.
        refused: Kinds of blocks that this workspace does not take, as Slack refuses what it has not rolled out there.
    """
    if method.startswith("views."):
        view = payload.get("view")
        found = view_problems(view) if isinstance(view, dict) else iter([missing("/view")])
        return [("invalid_arguments", each_one) for each_one in found]
    if not (method.startswith("chat.") or method == "response_url"):
        return []
    return list(_message(payload, method, refused))


def _message(payload: Json, method: str, refused: Container[str]) -> Iterator[tuple[str, str]]:
    text, blocks = payload.get("text"), payload.get("blocks") or []
    size = len(text) if isinstance(text, str) else 0
    if not text and not blocks:
        if payload.get("delete_original") or (method == "chat.update" and payload.get("files")):
            return
        yield "no_text", ""
        return
    for problem in message_blocks(blocks):
        yield "invalid_blocks", problem
    for block, pointer in each(blocks, "/blocks"):
        if (kind := str(block.get("type"))) in refused:
            yield "invalid_blocks", complaint(f"unsupported type: {kind}", f"{pointer}/type")
    if method != "response_url" and characters(blocks) > BLOCKS_TOGETHER:
        yield "msg_blocks_too_long", f"{characters(blocks)} characters in all blocks together"
    if method == "chat.update" and size > UPDATE_TEXT:
        yield "msg_too_long", f"{size} characters of text"
    if len(json.dumps(payload.get("metadata") or {})) > METADATA:
        yield "metadata_too_large", ""
    yield from _damage(text, method)


def _damage(text: Any, method: str) -> Iterator[tuple[str, str]]:
    """Say what Slack accepts and yet does not show as it was meant."""
    if not text:
        yield "missing_text", f"{method} has blocks and no top-level text: screen readers read nothing else"
    elif not isinstance(text, str):
        yield "invalid_arguments", "text must be a string"
    elif len(text) > POST_TEXT:
        yield "message_truncated", f"{len(text)} characters of text"


ADVICE = ("missing_text", "message_truncated")


def message_blocks(blocks: Any) -> Problems:
    """Check the blocks of a message."""
    if not isinstance(blocks, list):
        yield complaint("must be a list", "/blocks")
        return
    yield from blocks_on("message", blocks)
    if sum(block.get("type") == "table" for block, _ in each(blocks, "/blocks")) > 1:
        yield complaint("only_one_table_allowed", "/blocks")


def blocks_on(surface: str, blocks: list[Any]) -> Problems:
    """Check blocks and what must be unique among them."""
    if len(blocks) > BLOCKS[surface]:
        yield complaint(f"no more than {BLOCKS[surface]} items allowed", "/blocks")
    for index, block in enumerate(blocks):
        if isinstance(block, dict):
            yield from block_problems(block, f"/blocks/{index}", surface=surface)
        else:
            yield complaint("must provide an object", f"/blocks/{index}")
    yield from repeated(blocks, "block_id", "/blocks")
    for block, pointer in each(blocks, "/blocks"):
        yield from repeated(block.get("elements"), "action_id", f"{pointer}/elements")


def view_problems(view: Json) -> Problems:
    """Check a modal or a Home tab."""
    kind = str(view.get("type"))
    if kind not in VIEW_KEYS:
        yield complaint(f"unsupported type: {kind}", "/view/type")
        return
    blocks = view.get("blocks")
    yield from unknown_keys(view, VIEW_KEYS[kind], "/view")
    if not isinstance(blocks, list):
        yield missing("/view/blocks")
        return
    yield from blocks_on(kind, blocks)
    yield from optional_length(view, "private_metadata", "/view", most=3000)
    if kind == "modal":
        yield from _modal(view, blocks)


def _modal(view: Json, blocks: list[Any]) -> Problems:
    yield from plain_text(view.get("title"), "/view/title", most=24)
    for key in ("submit", "close"):
        if key in view:
            yield from plain_text(view[key], f"/view/{key}", most=24)
    if "callback_id" in view:
        yield from length(view["callback_id"], "/view/callback_id", most=255)
    if "submit" not in view and any(block.get("type") == "input" for block, _ in each(blocks, "")):
        yield missing("/view/submit")


def characters(blocks: Any) -> int:
    """Return how long blocks are as Slack counts them, containers included."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) if blocks else 0

"""A form as Slack's modal, and what was entered there: without it every form would word its own blocks."""

from collections.abc import Mapping
from typing import Any

from bot.command.forms import Form, FormField
from core.errors import Invalid

CALLBACK = "form"
_ACTION = "entered"
# As Slack wants them, in characters.
LONGEST_INPUT = 3000
_MOST_TITLE = 24


def modal(form: Form, origin: str) -> dict[str, Any]:
    """Return the view.

    Args:
        form: what is asked for.
        origin: comes back with what was entered; Slack takes 3,000 characters and shows them to nobody.

    Raises:
        Invalid: more stands in it at first than Slack takes.
    """
    if any(len(field.text) > LONGEST_INPUT for field in form.fields):
        raise Invalid(
            f"that is more than Slack's dialogs take ({LONGEST_INPUT:,} characters)",
            hint="do it from a terminal",
        )
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": _plain(form.title[:_MOST_TITLE]),
        "submit": _plain(form.submit),
        "close": _plain("Cancel"),
        "private_metadata": origin,
        "blocks": [_input(field) for field in form.fields],
    }


def _input(field: FormField) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": _ACTION,
        "multiline": field.kind != "name",
        "max_length": LONGEST_INPUT,
    }
    if field.text:
        element["initial_value"] = field.text
    block = {"type": "input", "block_id": field.name, "label": _plain(field.label), "element": element}
    return block | ({"hint": _plain(field.hint)} if field.hint else {})


def entered(view: Mapping[str, Any]) -> dict[str, str]:
    """Return name of each field → what was entered."""
    values = view["state"]["values"]
    return {
        name: str(fields[_ACTION].get("value") or "") for name, fields in values.items() if _ACTION in fields
    }


def offered(view: Mapping[str, Any]) -> dict[str, str]:
    """Return name of each field → what stood in it at first."""
    inputs = [block for block in view["blocks"] if block.get("type") == "input"]
    return {block["block_id"]: str(block["element"].get("initial_value") or "") for block in inputs}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}

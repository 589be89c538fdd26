"""A form as Slack's modal, and what was entered there: without it every form would word its own blocks."""

from collections.abc import Mapping
from typing import Any

from bot.command.forms import Form, FormChoice, FormField
from bot.views.mrkdwn import plain, sentence_text, shortened
from core.errors import Invalid

CALLBACK = "form"
ENTERED = "entered"
# Says what is chosen, and changes with it.
PREVIEW = "preview"
# As Slack wants them, in characters.
LONGEST_INPUT = 3000
_MOST_TITLE = 24
MOST_OPTION = 75


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
        "blocks": [*(_input(field) for field in form.fields), *_notes(form)],
    }


def opening() -> dict[str, Any]:
    """Return what stands there until it is known what is to be entered."""
    waiting = {"type": "section", "text": plain("One moment…", LONGEST_INPUT)}
    return {"type": "modal", "title": _plain("convox"), "close": _plain("Close"), "blocks": [waiting]}


def refusal(text: str) -> dict[str, Any]:
    """Return what says that nothing is to be entered, and why; Slack's mrkdwn."""
    said = {"type": "section", "text": {"type": "mrkdwn", "text": shortened(text, LONGEST_INPUT)}}
    return {"type": "modal", "title": _plain("convox"), "close": _plain("Close"), "blocks": [said]}


def with_refusal(view: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return a modal that stands there with why the one that is chosen cannot be had, instead of what another would change.

    Args:
        view: as Slack sends it, with what is chosen.
        text: Slack's mrkdwn.
    """
    values = view["state"]["values"]
    said = {"type": "mrkdwn", "text": shortened(text, LONGEST_INPUT)}
    inputs = [_as_chosen(block, values) for block in view["blocks"] if block["type"] == "input"]
    # What else Slack sends of a view, its id and its state for instance, it does not take back.
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata")
    return {
        **{key: view[key] for key in kept},
        "blocks": [*inputs, {"type": "section", "block_id": PREVIEW, "text": said}],
    }


def _as_chosen(block: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input of which that is chosen at first which was chosen last."""
    state = values.get(block["block_id"], {}).get(ENTERED, {})
    chosen = state.get("selected_option")
    element = block["element"] | ({"initial_option": chosen} if chosen else {})
    return {**block, "element": element}


def _notes(form: Form) -> list[dict[str, Any]]:
    if not form.notes:
        return []
    text = "\n".join(sentence_text(note) for note in form.notes)
    said = {"type": "mrkdwn", "text": shortened(text, LONGEST_INPUT)}
    return [{"type": "section", "block_id": PREVIEW, "text": said}]


def _input(field: FormField) -> dict[str, Any]:
    block = {
        "type": "input",
        "block_id": field.name,
        "label": _plain(field.label),
        "element": _element(field),
        "optional": field.optional,
    }
    if field.kind == "release":
        block["dispatch_action"] = True
    return block | ({"hint": _plain(field.hint)} if field.hint else {})


def _element(field: FormField) -> dict[str, Any]:
    element: dict[str, Any] = {"action_id": ENTERED}
    if field.chosen is not None:
        element["initial_option"] = choice(field.chosen)
    if field.kind == "release":
        placeholder = _plain("Choose a release")
        return {"type": "external_select", "min_query_length": 0, "placeholder": placeholder, **element}
    if field.kind == "choice":
        return {"type": "radio_buttons", "options": [choice(each) for each in field.choices], **element}
    if field.text:
        element["initial_value"] = field.text
    several = field.kind != "name"
    return {"type": "plain_text_input", "multiline": several, "max_length": LONGEST_INPUT, **element}


def choice(offered: FormChoice) -> dict[str, Any]:
    """Return one option of a menu or of a few buttons; Slack takes 75 characters of each text."""
    about = {"description": plain(offered.about, MOST_OPTION)} if offered.about else {}
    return {"text": plain(offered.label, MOST_OPTION), "value": offered.value, **about}


def entered(view: Mapping[str, Any]) -> dict[str, str]:
    """Return name of each field → what was entered or chosen."""
    values = view["state"]["values"]
    return {name: _value(fields[ENTERED]) for name, fields in values.items() if ENTERED in fields}


def _value(field: Mapping[str, Any]) -> str:
    return str(field.get("value") or (field.get("selected_option") or {}).get("value") or "")


def offered(view: Mapping[str, Any]) -> dict[str, str]:
    """Return name of each field → what stood in it at first."""
    inputs = [block for block in view["blocks"] if block.get("type") == "input"]
    return {block["block_id"]: str(block["element"].get("initial_value") or "") for block in inputs}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}

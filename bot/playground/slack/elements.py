"""What Slack accepts as an interactive element: buttons, selects, inputs and their confirm dialogs."""

from collections.abc import Callable
from typing import Any

from bot.playground.slack.fields import (
    Json,
    Problems,
    choice,
    complaint,
    count,
    each,
    length,
    optional_length,
    plain_text,
    text_object,
    unknown_keys,
)

STYLES = ("primary", "danger")


def confirm(value: Any, pointer: str) -> Problems:
    """Check a confirm dialog; all four texts are required."""
    if not isinstance(value, dict):
        yield complaint("must provide an object", pointer)
        return
    yield from unknown_keys(value, {"title", "text", "confirm", "deny", "style"}, pointer)
    yield from plain_text(value.get("title"), f"{pointer}/title", most=100)
    yield from text_object(value.get("text"), f"{pointer}/text", most=300)
    yield from plain_text(value.get("confirm"), f"{pointer}/confirm", most=30)
    yield from plain_text(value.get("deny"), f"{pointer}/deny", most=30)
    yield from choice(value, "style", pointer, STYLES)


def button(value: Json, pointer: str) -> Problems:
    keys = {"type", "text", "action_id", "value", "url", "style", "confirm", "accessibility_label"}
    yield from unknown_keys(value, keys, pointer)
    yield from plain_text(value.get("text"), f"{pointer}/text", most=75)
    yield from optional_length(value, "value", pointer, most=2000)
    yield from optional_length(value, "url", pointer, most=3000)
    yield from optional_length(value, "accessibility_label", pointer, most=75)
    yield from choice(value, "style", pointer, STYLES)


def option(value: Json, pointer: str) -> Problems:
    yield from unknown_keys(value, {"text", "value", "description", "url"}, pointer)
    yield from text_object(value.get("text"), f"{pointer}/text", most=75)
    yield from length(value.get("value"), f"{pointer}/value", most=150)
    yield from optional_length(value, "url", pointer, most=3000)
    if "description" in value:
        yield from text_object(value["description"], f"{pointer}/description", most=75)


def options(value: Json, pointer: str, *, most: int) -> Problems:
    """Check an element's own list of options, or its groups of them."""
    groups = value.get("option_groups")
    if isinstance(groups, list) and "options" not in value:
        yield from count(groups, f"{pointer}/option_groups", most=100)
        for group, where in each(groups, f"{pointer}/option_groups"):
            yield from plain_text(group.get("label"), f"{where}/label", most=75)
            yield from options({"options": group.get("options")}, where, most=most)
        return
    yield from count(value.get("options"), f"{pointer}/options", most=most)
    for item, where in each(value.get("options"), f"{pointer}/options"):
        yield from option(item, where)


def overflow(value: Json, pointer: str) -> Problems:
    yield from unknown_keys(value, {"type", "action_id", "options", "confirm"}, pointer)
    yield from options(value, pointer, most=5)


def boxes(value: Json, pointer: str) -> Problems:
    keys = {"type", "action_id", "options", "initial_option", "initial_options", "confirm", "focus_on_load"}
    yield from unknown_keys(value, keys, pointer)
    yield from options(value, pointer, most=10)
    chosen = [value["initial_option"]] if "initial_option" in value else value.get("initial_options") or []
    if any(each not in (value.get("options") or []) for each in chosen):
        yield complaint("an initial option must be one of the options", f"{pointer}/initial_option")


def select(value: Json, pointer: str) -> Problems:
    """Check every kind of select menu; only static ones bring their options along."""
    if "placeholder" in value:
        yield from plain_text(value["placeholder"], f"{pointer}/placeholder", most=150)
    if str(value.get("type")) in {"static_select", "multi_static_select"}:
        yield from options(value, pointer, most=100)
        return
    initial = value.get("initial_option")
    if str(value.get("type")) == "external_select":
        keys = {"type", "action_id", "initial_option", "min_query_length", "confirm", "focus_on_load"}
        yield from unknown_keys(value, keys | {"placeholder"}, pointer)
        if initial is not None:
            yield from option(initial, f"{pointer}/initial_option")


def text_input(value: Json, pointer: str) -> Problems:
    keys = {"type", "action_id", "initial_value", "multiline", "min_length", "max_length", "placeholder"}
    yield from unknown_keys(value, keys | {"dispatch_action_config", "focus_on_load"}, pointer)
    yield from optional_length(value, "initial_value", pointer, most=3000)
    if "placeholder" in value:
        yield from plain_text(value["placeholder"], f"{pointer}/placeholder", most=150)


def picker(_value: Json, _pointer: str) -> Problems:
    return iter(())


def image(value: Json, pointer: str) -> Problems:
    yield from unknown_keys(value, {"type", "image_url", "alt_text", "slack_file"}, pointer)
    yield from length(value.get("alt_text"), f"{pointer}/alt_text", most=2000)
    if "slack_file" not in value:
        yield from length(value.get("image_url"), f"{pointer}/image_url", most=3000)


_KINDS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
SELECTS = (*_KINDS, *(f"multi_{kind}" for kind in _KINDS))
PICKERS = ("datepicker", "timepicker", "datetimepicker", "number_input", "email_text_input", "url_text_input")
RULES: dict[str, Callable[[Json, str], Problems]] = {
    "button": button,
    "overflow": overflow,
    "checkboxes": boxes,
    "radio_buttons": boxes,
    "plain_text_input": text_input,
    **dict.fromkeys(SELECTS, select),
    **dict.fromkeys(PICKERS, picker),
}


def element(value: Json, pointer: str) -> Problems:
    """Check one interactive element of any kind."""
    rule = RULES.get(str(value.get("type")))
    if rule is None:
        yield complaint(f"unsupported type: {value.get('type')}", f"{pointer}/type")
        return
    yield from rule(value, pointer)
    yield from optional_length(value, "action_id", pointer, most=255, least=1)
    if "confirm" in value:
        yield from confirm(value["confirm"], f"{pointer}/confirm")

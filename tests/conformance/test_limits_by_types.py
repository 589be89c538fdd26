"""Each limit that Slack's own `@slack/types` names is one of the emulated Slack's, to the number."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from bot.playground.slack import problems
from tests.conformance.named_limits import named_limits
from tests.prepare import sdk_problem

Json = dict[str, Any]
# What this workspace takes no blocks of: they are refused whole.
NOT_TAKEN = ("Card", "Carousel", "Container", "ContextActions", "DataTable", "FeedbackButtons", "IconButton",
             "FileInput", "WorkflowButton")  # fmt: skip
# Where Slack itself takes more than these comments say: slack_sdk 3.47 has 150, and Slack's page of the option object.
RAISED = {("OptionDescriptor.value", 75): 150}
# Of no length and no number of things.
OTHER = {("PlainTextInput.min_length", 3000): "what people enter is held by the page"}


def plain(size: int) -> Json:
    return {"type": "plain_text", "text": "x" * size}


def message(*blocks: Json) -> tuple[Json, str]:
    return {"text": "x", "blocks": list(blocks)}, "response_url"


def modal(**more: Any) -> tuple[Json, str]:
    view = {"type": "modal", "title": plain(1), "submit": plain(1), "blocks": [{"type": "divider"}], **more}
    return {"view": view}, "views.open"


def entry(**more: Any) -> tuple[Json, str]:
    element = {"type": "plain_text_input", "action_id": "a"}
    return modal(blocks=[{"type": "input", "label": plain(1), "element": element, **more}])


def element(**more: Any) -> tuple[Json, str]:
    return message({"type": "actions", "elements": [{"action_id": "a", **more}]})


def button(**more: Any) -> tuple[Json, str]:
    return element(**{"type": "button", "text": plain(1), **more})


def confirm(**more: Any) -> tuple[Json, str]:
    whole = {"title": plain(1), "text": plain(1), "confirm": plain(1), "deny": plain(1)}
    return button(confirm=whole | more)


def option(**more: Any) -> Json:
    return {"text": plain(1), "value": "v", **more}


def options(count: int) -> list[Json]:
    return [option(value=str(number)) for number in range(count)]


def chosen(kind: str, **more: Any) -> tuple[Json, str]:
    return element(type=kind, **more)


def section(**more: Any) -> tuple[Json, str]:
    return message({"type": "section", **more})


def rows(count: int, cells: int) -> list[list[Json]]:
    return [[{"type": "raw_text", "text": "x"}] * cells] * count


def groups(count: int) -> list[Json]:
    return [{"label": plain(1), "options": options(1)}] * count


# (field, number) → a payload in which that field has so much; a number more is too much.
MADE: dict[tuple[str, int], Callable[[int], tuple[Json, str]]] = {
    ("Block.block_id", 255): lambda n: message({"type": "divider", "block_id": "b" * n}),
    ("ActionsBlock.elements", 25): lambda n: message(
        {"type": "actions", "elements": [{"type": "button", "text": plain(1), "action_id": str(i)} for i in range(n)]}
    ),
    ("ContextBlock.elements", 10): lambda n: message({"type": "context", "elements": [plain(1)] * n}),
    ("HeaderBlock.text", 150): lambda n: message({"type": "header", "text": plain(n)}),
    ("ImageBlock.alt_text", 2000): lambda n: message({"type": "image", "image_url": "x", "alt_text": "x" * n}),
    ("ImageBlock.title", 2000): lambda n: message(
        {"type": "image", "image_url": "x", "alt_text": "x", "title": plain(n)}
    ),
    ("InputBlock.label", 2000): lambda n: entry(label=plain(n)),
    ("InputBlock.hint", 2000): lambda n: entry(hint=plain(n)),
    ("MarkdownBlock.text", 12_000): lambda n: message({"type": "markdown", "text": "x" * n}),
    ("SectionBlock.text", 3000): lambda n: section(text=plain(n)),
    ("SectionBlock.fields", 10): lambda n: section(fields=[plain(1)] * n),
    ("SectionBlock.fields", 2000): lambda n: section(fields=[plain(n)]),
    ("TableBlock.rows", 100): lambda n: message({"type": "table", "rows": rows(n, 1)}),
    ("TableBlock.rows", 20): lambda n: message({"type": "table", "rows": rows(1, n)}),
    ("TableBlock.column_settings", 20): lambda n: message(
        {"type": "table", "rows": rows(1, 1), "column_settings": [{"align": "left"}] * n}
    ),
    ("Button.text", 75): lambda n: button(text=plain(n)),
    ("Button.value", 2000): lambda n: button(value="v" * n),
    ("Button.url", 3000): lambda n: button(url="u" * n),
    ("Button.accessibility_label", 75): lambda n: button(accessibility_label="l" * n),
    ("Checkboxes.options", 10): lambda n: chosen("checkboxes", options=options(n)),
    ("RadioButtons.options", 10): lambda n: chosen("radio_buttons", options=options(n)),
    ("Overflow.options", 5): lambda n: chosen("overflow", options=options(n)),
    ("StaticSelect.options", 100): lambda n: chosen("static_select", options=options(n)),
    ("StaticSelect.option_groups", 100): lambda n: chosen("static_select", option_groups=groups(n)),
    ("MultiStaticSelect.options", 100): lambda n: chosen("multi_static_select", options=options(n)),
    ("MultiStaticSelect.option_groups", 100): lambda n: chosen("multi_static_select", option_groups=groups(n)),
    ("OptionGroup.label", 75): lambda n: chosen(
        "static_select", option_groups=[{"label": plain(n), "options": options(1)}]
    ),
    ("OptionGroup.options", 100): lambda n: chosen(
        "static_select", option_groups=[{"label": plain(1), "options": options(n)}]
    ),
    ("OptionDescriptor.value", 150): lambda n: chosen("static_select", options=[option(value="v" * n)]),
    ("OptionDescriptor.url", 3000): lambda n: chosen("overflow", options=[option(url="u" * n)]),
    ("OptionDescriptor.description", 75): lambda n: chosen("checkboxes", options=[option(description=plain(n))]),
    ("MrkdwnOption.text", 75): lambda n: chosen(
        "checkboxes", options=[option(text={"type": "mrkdwn", "text": "x" * n})]
    ),
    ("PlainTextOption.text", 75): lambda n: chosen("static_select", options=[option(text=plain(n))]),
    ("Confirm.title", 100): lambda n: confirm(title=plain(n)),
    ("Confirm.text", 300): lambda n: confirm(text=plain(n)),
    ("Confirm.confirm", 30): lambda n: confirm(confirm=plain(n)),
    ("Confirm.deny", 30): lambda n: confirm(deny=plain(n)),
    ("PlainTextElement.text", 3000): lambda n: section(text=plain(n)),
    ("MrkdwnElement.text", 3000): lambda n: section(text={"type": "mrkdwn", "text": "x" * n}),
    ("Action.action_id", 255): lambda n: button(action_id="a" * n),
    ("Placeholdable.placeholder", 150): lambda n: chosen("users_select", placeholder=plain(n)),
    ("BaseView.blocks", 100): lambda n: modal(blocks=[{"type": "divider"}] * n),
    ("BaseView.private_metadata", 3000): lambda n: modal(private_metadata="m" * n),
    ("BaseView.callback_id", 255): lambda n: modal(callback_id="c" * n),
    ("ModalView.title", 24): lambda n: modal(title=plain(n)),
    ("ModalView.close", 24): lambda n: modal(close=plain(n)),
    ("ModalView.submit", 24): lambda n: modal(submit=plain(n)),
}  # fmt: skip


def refused(made: tuple[Json, str]) -> list[str]:
    payload, method = made
    return problems(payload, method=method)


@pytest.mark.parametrize(("field", "most"), MADE)
def test_a_limit_is_held_to_the_number(field, most):
    make = MADE[field, most]

    assert refused(make(most)) == []
    assert refused(make(most + 1)) != []


@pytest.mark.skipif(bool(sdk_problem()) and "CI" not in os.environ, reason="Slack's SDK is not installed")
def test_each_limit_that_slack_names_is_among_these():
    named = {
        (field, RAISED.get((field, number), number))
        for field, number in named_limits()
        if field.partition(".")[0].removesuffix("Block") not in NOT_TAKEN
    }

    assert len(named) > 40
    assert named - set(OTHER) == set(MADE)

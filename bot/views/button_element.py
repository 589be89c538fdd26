"""A button of a card and the dialog before what it does, as Slack takes them."""

from typing import Any

from bot.command.button_value import value_of
from bot.command.commands import Command
from bot.views.mrkdwn import plain

# As Slack wants them, in characters.
MOST_TITLE, MOST_QUESTION, MOST_LABEL, MOST_DEED = 100, 300, 75, 30


def button_element(
    action_id: str, label: str, command: Command, revision: int, spoken: str
) -> dict[str, Any]:
    """Return a button that asks nothing; `spoken` is what a screen reader says in place of the label."""
    return {
        "type": "button",
        "action_id": action_id,
        "text": plain(label, MOST_LABEL),
        "value": value_of(command, revision),
        "accessibility_label": spoken[:MOST_LABEL],
    }


def confirm_dialog(title: str, question: str, confirm: str, deny: str, *, danger: bool) -> dict[str, Any]:
    """Return the dialog that asks before a button does anything; `danger`: the deed is red."""
    dialog = {
        "title": plain(title, MOST_TITLE),
        "text": plain(question, MOST_QUESTION),
        "confirm": plain(confirm, MOST_DEED),
        "deny": plain(deny, MOST_DEED),
    }
    return dialog | ({"style": "danger"} if danger else {})

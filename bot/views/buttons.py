"""The buttons of a card: what may legally happen next, read from the transition table.

Whether the person who clicks may is decided at the click; a channel message is the same for all its readers.
"""

from typing import Any

from bot.command.button import value_of
from bot.command.commands import Approve, Cancel, Decline
from core.promotion import GOING_BACK, TRANSITIONS, UNTOUCHED, Event, Promotion

_EVENTS = (("approve", Event.APPROVED), ("decline", Event.DECLINED), ("cancel", Event.CANCELLED))
_COMMANDS = {"approve": Approve, "decline": Decline, "cancel": Cancel}
_BLOCK = "promotion"


def legal(promotion: Promotion) -> list[str]:
    """Return which of approve, decline and cancel may follow; nothing once it ended or goes back."""
    phase = promotion.phase
    if phase in GOING_BACK:
        return []
    return [name for name, event in _EVENTS if (phase, event) in TRANSITIONS or (phase, event) in UNTOUCHED]


def buttons(promotion: Promotion, changes: str) -> dict[str, Any] | None:
    """Return the actions block, or None where there is nothing to decide.

    Args:
        promotion: Whose buttons.
        changes: One plain sentence of what approving it changes.
    """
    names = legal(promotion)
    if not names:
        return None
    return {
        "type": "actions",
        # Slack keeps what a reader has done with a block under its id: a new state is a new block.
        "block_id": f"{_BLOCK}:{promotion.id}:{promotion.revision}",
        "elements": [_button(name, promotion, changes) for name in names],
    }


def promotion_of(block_id: str) -> str | None:
    """Return whose card a block of buttons stands on, whatever they mean; None where it is none of ours."""
    kind, _, rest = block_id.partition(":")
    return rest.partition(":")[0] if kind == _BLOCK else None


def _button(name: str, promotion: Promotion, changes: str) -> dict[str, Any]:
    label = name.capitalize()
    element: dict[str, Any] = {
        "type": "button",
        "action_id": f"promotion.{name}",
        "text": _plain(label),
        "value": value_of(_COMMANDS[name](promotion=promotion.id), promotion.revision),
        "accessibility_label": f"{label} promotion of {promotion.release} to {promotion.app}"[:75],
        "confirm": _confirm(name, promotion, changes),
    }
    style = {"approve": "primary", "decline": "danger"}.get(name)
    return element | ({"style": style} if style else {})


def _confirm(name: str, promotion: Promotion, changes: str) -> dict[str, Any]:
    """Say what will happen; the words on the button are the deed, never "Yes"."""
    title, text, confirm, deny = {
        "approve": ("Approve", changes, "Approve", "Not yet"),
        "decline": ("Decline", "It ends here. Who asked may ask again.", "Decline", "Keep waiting"),
        "cancel": ("Cancel", _cancelling(promotion), "Cancel it", "Keep going"),
    }[name]
    dialog = {
        "title": _plain(f"{title} {promotion.release} for {promotion.app}?"[:100]),
        "text": _plain(text[:300]),
        "confirm": _plain(confirm),
        "deny": _plain(deny),
    }
    return dialog | ({} if name == "approve" else {"style": "danger"})


def _cancelling(promotion: Promotion) -> str:
    if promotion.untouched:
        return "Nothing was changed so far, and nothing will be."
    if promotion.kind == "rollback":
        return "A rollback is not undone by itself: the app stays as it is now, and a person must go on."
    if promotion.back_to is None:
        return "There is no verified release to go back to: what this one created is removed, or a person must go on."
    return f"{promotion.app} goes back to {promotion.back_to}."


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}

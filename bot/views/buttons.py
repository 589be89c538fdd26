"""The buttons of a card: one table of what may happen next, each the command that it means.

Whether the person who clicks may is decided at the click; a channel message is the same for all its readers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.command.button_value import value_of
from bot.command.commands import Approve, Cancel, Command, Decline
from core.promotion import GOING_BACK, TRANSITIONS, UNTOUCHED, Promotion, PromotionEvent

_BLOCK = "promotion"
# As Slack wants them, in characters.
_MOST_TITLE, _MOST_QUESTION, _MOST_LABEL = 100, 300, 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """What one button means, when it is there, and what it asks before it does it.

    Attributes:
        label: the words on it, the deed itself; its `action_id` is `promotion.` and the label in lower case.
        shown: whether it stands on the card of a promotion now.
        command: what clicking it says, as if it had been typed.
        question: what its dialog tells; it is given one plain sentence of what approving would change.
        confirm: the words that do it, never "Yes".
        deny: the words that do not.
        style: how it looks among the others.
    """

    label: str
    shown: Callable[[Promotion], bool]
    command: Callable[[Promotion], Command]
    question: Callable[[Promotion, str], str]
    confirm: str
    deny: str
    style: Literal["primary", "danger"] | None = None

    @property
    def action_id(self) -> str:
        return f"promotion.{self.label.lower()}"


def _may(event: PromotionEvent) -> Callable[[Promotion], bool]:
    """Return whether an event may follow by the transition table; nothing may while a promotion goes back."""

    def shown(promotion: Promotion) -> bool:
        cell = (promotion.phase, event)
        return promotion.phase not in GOING_BACK and (cell in TRANSITIONS or cell in UNTOUCHED)

    return shown


def _cancelling(promotion: Promotion, _changes: str) -> str:
    if promotion.untouched:
        return "Nothing was changed so far, and nothing will be."
    if promotion.kind == "rollback":
        return "A rollback is not undone by itself: the app stays as it is now, and a person must go on."
    if promotion.back_to is None:
        return "There is no verified release to go back to: what this one created is removed, or a person must go on."
    if promotion.restarts:
        return "The processes of before the restart are brought back, as far as they are gone."
    return f"{promotion.app} goes back to {promotion.back_to}."


BUTTONS = (
    Button(
        label="Approve",
        shown=_may(PromotionEvent.APPROVED),
        command=lambda promotion: Approve(promotion=promotion.id),
        question=lambda _, changes: changes,
        confirm="Approve",
        deny="Not yet",
        style="primary",
    ),
    Button(
        label="Decline",
        shown=_may(PromotionEvent.DECLINED),
        command=lambda promotion: Decline(promotion=promotion.id),
        question=lambda _, __: "It ends here. Who asked may ask again.",
        confirm="Decline",
        deny="Keep waiting",
        style="danger",
    ),
    Button(
        label="Cancel",
        shown=_may(PromotionEvent.CANCELLED),
        command=lambda promotion: Cancel(promotion=promotion.id),
        question=_cancelling,
        confirm="Cancel it",
        deny="Keep going",
    ),
)
ACTION_IDS = tuple(button.action_id for button in BUTTONS)


def shown(promotion: Promotion) -> list[Button]:
    """Return the buttons that stand on a card now, in their order."""
    return [button for button in BUTTONS if button.shown(promotion)]


def buttons(promotion: Promotion, changes: str) -> dict[str, Any] | None:
    """Return the actions block, or None where there is nothing to decide.

    Args:
        promotion: Whose buttons.
        changes: One plain sentence of what approving it changes.
    """
    elements = [_element(button, promotion, changes) for button in shown(promotion)]
    if not elements:
        return None
    return {
        "type": "actions",
        # Slack keeps what a reader has done with a block under its id: a new state is a new block.
        "block_id": f"{_BLOCK}:{promotion.id}:{promotion.revision}",
        "elements": elements,
    }


def promotion_of(block_id: str) -> str | None:
    """Return whose card a block of buttons stands on, whatever they mean; None where it is none of ours."""
    kind, _, rest = block_id.partition(":")
    return rest.partition(":")[0] if kind == _BLOCK else None


def _element(button: Button, promotion: Promotion, changes: str) -> dict[str, Any]:
    spoken = f"{button.label} promotion of {promotion.release} to {promotion.app}"
    element: dict[str, Any] = {
        "type": "button",
        "action_id": button.action_id,
        "text": _plain(button.label),
        "value": value_of(button.command(promotion), promotion.revision),
        "accessibility_label": spoken[:_MOST_LABEL],
        "confirm": _dialog(button, promotion, changes),
    }
    return element | ({"style": button.style} if button.style else {})


def _dialog(button: Button, promotion: Promotion, changes: str) -> dict[str, Any]:
    dialog = {
        "title": _plain(f"{button.label} {promotion.release} for {promotion.app}?"[:_MOST_TITLE]),
        "text": _plain(button.question(promotion, changes)[:_MOST_QUESTION]),
        "confirm": _plain(button.confirm),
        "deny": _plain(button.deny),
    }
    return dialog | ({} if button.style == "primary" else {"style": "danger"})


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}

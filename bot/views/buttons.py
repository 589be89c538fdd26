"""The buttons of a card: one table of what may happen next, each the command that it means.

Whether the person who clicks may is decided at the click; a channel message is the same for all its readers. Of a card that
tells of a failure the first button is the safe one: it shows, and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.command.commands import (
    Approve,
    Cancel,
    Command,
    DiffReleases,
    FailureLogs,
    Logs,
    Promote,
    Remind,
    Restart,
    Rollback,
    Snooze,
    Stop,
)
from bot.command.release_forms import DeclineForm, PromoteForm, RollbackForm
from bot.views.button_element import button_element, confirm_dialog
from core.promotion import GOING_BACK, TRANSITIONS, UNTOUCHED, WAITING, Phase, Promotion, PromotionEvent
from core.records.release import ReleaseEntry

_BLOCK = "promotion"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonContext:
    """What the buttons of a card follow from.

    Attributes:
        promotion: whose card.
        changes: one plain sentence of what approving it changes.
        live: its app still runs its release, as far as the records know.
        active: the release that the app runs by the records, None where none was ever verified.
        source: of a rollback, the release that it goes back to.
    """

    promotion: Promotion
    changes: str = ""
    live: bool = False
    active: str | None = None
    source: ReleaseEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """What one button means, when it is there, and what it asks before it does it.

    Attributes:
        name: what its `action_id` ends with; it never changes, whatever the words on it.
        label: the words on it, the deed itself.
        spoken: what a screen reader says of it: the label, by which one who speaks to their computer calls it, and what it is
            done to.
        shown: whether it stands on the card now.
        command: what clicking it says, as if it had been typed.
        question: what its dialog tells; without one it changes nothing and is done at once.
        confirm: the words that do it, never "Yes".
        deny: the words that do not.
        style: how it looks among the others.
        follows: it follows a promotion that has ended: a click counts only while it still stands there.
    """

    name: str
    label: Callable[[ButtonContext], str]
    spoken: Callable[[ButtonContext], str]
    shown: Callable[[ButtonContext], bool]
    command: Callable[[ButtonContext], Command]
    question: Callable[[ButtonContext], str] | None = None
    confirm: str = ""
    deny: str = ""
    style: Literal["primary", "danger"] | None = None
    follows: bool = False

    @property
    def action_id(self) -> str:
        return f"promotion.{self.name}"


def _may(event: PromotionEvent) -> Callable[[ButtonContext], bool]:
    """Return whether an event may follow by the transition table; nothing may while a promotion goes back."""

    def shown(context: ButtonContext) -> bool:
        phase = context.promotion.phase
        return phase not in GOING_BACK and ((phase, event) in TRANSITIONS or (phase, event) in UNTOUCHED)

    return shown


def _words(label: str) -> Callable[[ButtonContext], str]:
    return lambda _: label


def _spoken(label: str) -> Callable[[ButtonContext], str]:
    return lambda c: f"{label} promotion of {c.promotion.release} to {c.promotion.app}"


def _cancelling(context: ButtonContext) -> str:
    promotion = context.promotion
    if promotion.untouched:
        return "Nothing was changed so far, and nothing will be."
    if promotion.kind == "rollback":
        return "A rollback is not undone by itself: the app stays as it is now, and a person must go on."
    if promotion.back_to is None:
        return "There is no verified release to go back to: what this one created is removed, or a person must go on."
    if promotion.restarts:
        return "The processes of before the restart are brought back, as far as they are gone."
    return f"{promotion.app} goes back to {promotion.back_to}."


def _logs(context: ButtonContext) -> Command:
    """Of what has ended show what was stored: the pods that failed are gone, and those of now are well."""
    p = context.promotion
    return FailureLogs(app=p.app, promotion=p.id) if p.settled else Logs(app=p.app)


def _can_be_left(context: ButtonContext) -> bool:
    """Tell whether a live release can be left for the verified one before it."""
    p = context.promotion
    forward = p.kind == "promote" and not p.restarts and p.back_to not in {None, p.release}
    return p.phase is Phase.RUNNING and forward and context.live


def _can_be_undone(context: ButtonContext) -> bool:
    """Tell whether an app that a promotion left as it was may go back to what it ran before: nothing else became live since."""
    p = context.promotion
    left = p.phase in {Phase.STOPPED, Phase.FAILURE} or _changed_by_hand(p)
    forward = p.kind == "promote" and not p.restarts
    return left and forward and p.back_to is not None and context.active == p.back_to


def _changed_by_hand(promotion: Promotion) -> bool:
    """Tell whether somebody else rolled something out in the middle of it (engine rule 12)."""
    return promotion.phase is Phase.SUPERSEDED and not promotion.superseded_by


def _can_be_promoted_over(context: ButtonContext) -> bool:
    """Tell whether what somebody else rolled out in the middle may be replaced by what was meant: nothing became live since."""
    p = context.promotion
    forward = p.kind == "promote" and not p.restarts
    return _changed_by_hand(p) and forward and context.active == p.back_to


def _rollback_failed(context: ButtonContext) -> bool:
    """Tell whether somebody has to choose anew where the app goes: where a person's rollback went did not come up."""
    p = context.promotion
    return p.phase is Phase.FAILURE and p.kind == "rollback"


def _counts_down(context: ButtonContext) -> bool:
    return context.promotion.phase is Phase.COUNTDOWN


def _failed(context: ButtonContext) -> bool:
    return context.promotion.phase in {Phase.REVERTED, Phase.FAILURE, Phase.STOPPED}


def _is_free(context: ButtonContext) -> bool:
    """Tell whether a promotion that failed may simply be asked for again: its release is not on hold."""
    return _failed(context) and context.promotion.spares_release and context.promotion.kind == "promote"


def _is_held(context: ButtonContext) -> bool:
    """Tell whether a promotion that failed is asked for again only with a reason: its release is on hold."""
    return _failed(context) and not context.promotion.spares_release and context.promotion.kind == "promote"


def _came_to_nothing(context: ButtonContext) -> bool:
    return context.promotion.phase in {Phase.REFUSED, Phase.DECLINED, Phase.EXPIRED}


def _back(context: ButtonContext) -> Command:
    assert context.promotion.back_to is not None, "the button is shown only where there is one"
    return Rollback(app=context.promotion.app, release=context.promotion.back_to)


def again(context: ButtonContext) -> Command:
    """Return what asks for the same once more."""
    p = context.promotion
    if p.restarts:
        return Restart(app=p.app, service=p.restarts[0] if len(p.restarts) == 1 else None)
    if p.kind == "rollback" and context.source:
        return Rollback(app=p.app, release=context.source.id)
    return Promote(app=p.app, release=p.release)


def _repeating(context: ButtonContext) -> str:
    p = context.promotion
    if p.restarts:
        return f"{p.app} is restarted, if the policy lets you."
    return f"{p.release} is asked for once more, by you; the policy is asked anew."


BUTTONS = (
    Button(
        name="approve",
        label=_words("Approve"),
        spoken=_spoken("Approve"),
        shown=_may(PromotionEvent.APPROVED),
        command=lambda c: Approve(promotion=c.promotion.id),
        question=lambda c: c.changes,
        confirm="Approve",
        deny="Not yet",
        style="primary",
    ),
    Button(
        name="decline",
        label=_words("Decline"),
        spoken=_spoken("Decline"),
        shown=_may(PromotionEvent.DECLINED),
        command=lambda c: DeclineForm(promotion=c.promotion.id),
        question=lambda _: "It ends here. Who asked may ask again.",
        confirm="Decline",
        deny="Keep waiting",
        style="danger",
    ),
    Button(
        name="remind",
        label=_words("Remind"),
        spoken=lambda c: f"Remind those who can approve {c.promotion.release} of {c.promotion.app}",
        shown=_may(PromotionEvent.APPROVED),
        command=lambda c: Remind(promotion=c.promotion.id),
    ),
    Button(
        name="diff",
        label=_words("Diff"),
        spoken=lambda c: f"Diff: show what {c.promotion.release} changes in {c.promotion.app}",
        shown=lambda c: c.promotion.phase in WAITING and not c.promotion.restarts,
        command=lambda c: DiffReleases(app=c.promotion.app, release=c.promotion.release),
    ),
    Button(
        name="cancel",
        label=_words("Cancel"),
        spoken=_spoken("Cancel"),
        shown=_may(PromotionEvent.CANCELLED),
        command=lambda c: Cancel(promotion=c.promotion.id),
        question=_cancelling,
        confirm="Cancel it",
        deny="Keep going",
    ),
    Button(
        name="roll_back_now",
        label=_words("Roll back now"),
        spoken=_spoken("Roll back now the"),
        shown=_counts_down,
        command=lambda c: Cancel(promotion=c.promotion.id),
        question=_cancelling,
        confirm="Roll back now",
        deny="Wait",
        style="primary",
    ),
    Button(
        name="stop",
        label=_words("Stop"),
        spoken=_spoken("Stop the way back of the"),
        shown=_counts_down,
        command=lambda c: Stop(promotion=c.promotion.id),
        question=lambda c: (
            f"{c.promotion.app} stays as it is now, failed, until you or somebody else rolls back or promotes."
        ),
        confirm="I take it in hand",
        deny="Let it go back",
        style="danger",
    ),
    Button(
        name="snooze",
        label=_words("Snooze 10 min"),
        spoken=_spoken("Snooze 10 min the way back of the"),
        shown=_counts_down,
        command=lambda c: Snooze(promotion=c.promotion.id),
    ),
    Button(
        name="logs",
        label=_words("Logs"),
        spoken=lambda c: f"Logs of {c.promotion.app}",
        shown=lambda c: _failed(c) or _counts_down(c) or _changed_by_hand(c.promotion),
        command=_logs,
        follows=True,
    ),
    Button(
        name="rollback",
        label=lambda c: f"Roll back to {c.promotion.back_to}",
        spoken=lambda c: f"Roll back to {c.promotion.back_to} from {c.promotion.release}: {c.promotion.app}",
        shown=lambda c: _can_be_left(c) or _can_be_undone(c),
        command=_back,
        question=lambda c: (
            f"{c.promotion.app} goes back from {c.promotion.release} to {c.promotion.back_to}, with the variables of then."
            + (" What somebody has set by hand is replaced." if _changed_by_hand(c.promotion) else "")
        ),
        confirm="Roll back",
        deny="Stay",
        follows=True,
    ),
    Button(
        name="promote_over",
        label=_words("Promote over it"),
        spoken=lambda c: f"Promote over it {c.promotion.release} to {c.promotion.app}",
        shown=_can_be_promoted_over,
        command=lambda c: Promote(app=c.promotion.app, release=c.promotion.release, overwrite=True),
        question=lambda c: (
            f"{c.promotion.release} is promoted once more, and what somebody has set by hand is replaced. To leave it as it"
            " is, do nothing."
        ),
        confirm="Promote over it",
        deny="Leave it",
        follows=True,
    ),
    Button(
        name="rollback_elsewhere",
        label=_words("Roll back…"),
        spoken=lambda c: f"Roll back… and choose where to: {c.promotion.app}",
        shown=_rollback_failed,
        command=lambda c: RollbackForm(app=c.promotion.app),
        follows=True,
    ),
    Button(
        name="promote_again",
        label=_words("Promote again"),
        spoken=lambda c: f"Promote again {c.promotion.release} to {c.promotion.app}",
        shown=_is_free,
        command=again,
        question=_repeating,
        confirm="Promote again",
        deny="Leave it",
        follows=True,
    ),
    Button(
        name="promote_anyway",
        label=_words("Promote again…"),
        spoken=lambda c: f"Promote again… and say why: {c.promotion.release} to {c.promotion.app}",
        shown=_is_held,
        # A dialog asks why, since its release is on hold (engine rule 7).
        command=lambda c: PromoteForm(app=c.promotion.app, release=c.promotion.release),
        follows=True,
    ),
    Button(
        name="ask_again",
        label=_words("Ask again"),
        spoken=_spoken("Ask again for the"),
        shown=_came_to_nothing,
        command=again,
        question=_repeating,
        confirm="Ask again",
        deny="Leave it",
        follows=True,
    ),
)
ACTION_IDS = tuple(button.action_id for button in BUTTONS)


def shown(context: ButtonContext) -> list[Button]:
    """Return the buttons that stand on a card now, in their order."""
    return [button for button in BUTTONS if button.shown(context)]


def gone(action_id: str, context: ButtonContext) -> bool:
    """Tell whether a button that follows an ending does not stand there any more, since the app has moved on."""
    return any(b.action_id == action_id and b.follows and not b.shown(context) for b in BUTTONS)


def buttons(context: ButtonContext) -> dict[str, Any] | None:
    """Return the actions block, or None where there is nothing to do."""
    elements = [_element(button, context) for button in shown(context)]
    if not elements:
        return None
    return {
        "type": "actions",
        # Slack keeps what a reader has done with a block under its id: a new state is a new block.
        "block_id": f"{_BLOCK}:{context.promotion.id}:{context.promotion.revision}",
        "elements": elements,
    }


def promotion_of(block_id: str) -> str | None:
    """Return whose card a block of buttons stands on, whatever they mean; None where it is none of ours."""
    kind, _, rest = block_id.partition(":")
    return rest.partition(":")[0] if kind == _BLOCK else None


def _element(button: Button, context: ButtonContext) -> dict[str, Any]:
    element = button_element(
        button.action_id,
        button.label(context),
        button.command(context),
        context.promotion.revision,
        button.spoken(context),
    )
    if button.question:
        element["confirm"] = _dialog(button, button.question(context), context)
    return element | ({"style": button.style} if button.style else {})


def _dialog(button: Button, question: str, context: ButtonContext) -> dict[str, Any]:
    what = button.confirm if button.follows else f"{button.label(context)} {context.promotion.release}"
    title = f"{what} for {context.promotion.app}?"
    return confirm_dialog(title, question, button.confirm, button.deny, danger=button.style != "primary")

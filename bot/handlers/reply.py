"""What whoever asks gets."""

from dataclasses import dataclass

from bot.command.forms import Form
from bot.views.answers import Answer
from bot.views.refusals import refusal
from core.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the caller gets.

    Attributes:
        promotion: id of the promotion that this request has asked for or joined; None for anything else.
        form: what is still to be entered: nothing was done so far.
    """

    answer: Answer
    promotion: str | None = None
    form: Form | None = None


def refused(error: UserError) -> Reply:
    """Return the reply to a request that was refused, or that broke something here."""
    return Reply(answer=refusal(error))

"""What a person reads when something cannot be: the sentence, and what to do now."""

from bot.views.answers import Answer
from core.errors import UserError


def refusal(error: UserError) -> Answer:
    """Return the answer to the person who asked, and to nobody else."""
    return Answer(refusal=error, hint=error.hint)

"""What a person reads when something cannot be: the sentence, and what to do now."""

from bot.views.answers import Answer
from core.errors import Unexpected, UserError


def refusal(error: UserError) -> Answer:
    """Return the answer to the person who asked, and to nobody else."""
    return Answer(refusal=error, hint=error.hint)


def unexpected(reference: str) -> Answer:
    """Return the answer where something broke here; the log has the same reference with everything else."""
    sentence = "something went wrong here, and nothing more was done"
    return refusal(Unexpected(sentence, hint=f"Ask whoever runs this bot for the log of {reference}."))

"""What keeps anything new from starting: one refusal for all that writes or begins something."""

from collections.abc import Callable

from core.errors import Unavailable


def check_startable(why_not: Callable[[], str]) -> None:
    """Raise Unavailable for the reason that is given, if there is one: the disk is nearly full (engine rule 16)."""
    if reason := why_not():
        raise Unavailable(reason)

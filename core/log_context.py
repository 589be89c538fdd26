"""What a task is about, for the lines that it writes into the log: which promotion, build, delivery or request."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("_ABOUT", default=MappingProxyType({}))


def log_about(**ids: str) -> None:
    """Let what this task and those that it starts write into the log from now on tell what it is about.

    Args:
        ids: `promotion`, `build`, `delivery`, `request` or `app` → its id, "" for none; others that were said before stay.
    """
    about = {**_ABOUT.get(), **ids}
    _ABOUT.set({name: value for name, value in about.items() if value})


def logged_about() -> Mapping[str, str]:
    """Return what this task is about."""
    return _ABOUT.get()

"""What this task may not say in the log: an error that nobody foresaw can hold whatever a cluster has sent."""

from contextvars import ContextVar

from core.redaction.redactor import Redactor

_KNOWN: ContextVar[Redactor | None] = ContextVar("what knows the values of this task's app", default=None)


def keep_quiet(redact: Redactor) -> None:
    """Let nothing that this task and those that it starts write into the log hold one of these values."""
    _KNOWN.set(redact)


def quiet(text: str) -> str:
    """Return a text of the log without the values that this task knows of."""
    redact = _KNOWN.get()
    return redact(text) if redact else text

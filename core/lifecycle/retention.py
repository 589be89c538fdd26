"""What a reader is told in the place of what is not kept any more."""

from datetime import datetime

from core.policy.retention import DAY
from core.records.line import Line


def not_kept(what: str, of: str, seconds: float | None) -> str:
    """Return why something is not there any more.

    Args:
        what: what is missing, such as `lines`.
        of: of what, in the plural, such as `rollouts`.
        seconds: for how long they are kept now; None is for ever.
    """
    if seconds is None:
        why = "they were deleted before the policy kept them for ever"
    else:
        why = (
            f"those of {of} that ended more than {_days(seconds)} ago are deleted (`retention` in the policy)"
        )
    return f"its {what} are not kept any more: {why}"


def line_not_kept(what: str, at: datetime, seconds: float | None) -> Line:
    """Return the line that stands where such lines of a rollout stood."""
    return Line(at=at, object="retention", text=not_kept(what, "rollouts", seconds), key="retention")


def _days(seconds: float) -> str:
    days = seconds / DAY
    return "1 day" if days == 1 else f"{days:g} days"

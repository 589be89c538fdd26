"""Why objects are as they are, told on each of them: without it `kubectl` and every tool beside it would have to ask Slack."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCause:
    """The promotion that applies an object, as the object's annotations tell it.

    Attributes:
        promotion: its id.
        requested_by: who asked for it, as a log shows them.
        text: what it does, in a line, as `kubectl rollout history` shows it.
    """

    promotion: str
    requested_by: str
    text: str

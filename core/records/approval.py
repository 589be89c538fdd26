"""One person's decision about a promotion."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A click on Approve or Decline, or the command; one a person and promotion."""

    promotion: str
    actor: Actor
    decision: Literal["approve", "decline"]
    at: datetime
    reason: str = ""

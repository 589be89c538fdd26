"""Who asks, and from where: the same value for Slack, a terminal and CI."""

from dataclasses import dataclass
from typing import Literal

from core.actor import Actor

# Where a request comes from: Slack, or over HTTP from a terminal or CI.
Source = Literal["slack", "http"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, from where, and by which delivery: what every use case takes first.

    Attributes:
        channel: the Slack channel it was typed in; None from a terminal.
        delivery: the delivery in the inbox that is being carried out, or None; the transaction that does what it asks
            for also marks it as done.
    """

    actor: Actor
    source: Source
    channel: str | None = None
    delivery: int | None = None

"""What a channel is told that belongs to no promotion: a message of its own, kept until Slack has it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.sentence import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence for a channel.

    Attributes:
        nonce: what its post carried, if one was ever tried; with one it may be in Slack: look for it before posting again.
        tried_at: when that was.
        since: when it was written.
    """

    id: int
    channel: str
    said: Sentence
    nonce: str
    tried_at: datetime | None
    since: datetime


class Notices(Protocol):
    """The notices that Slack does not have yet; every method is durable when it returns. One sender uses it."""

    async def due(self) -> list[Notice]:
        """Return those to post now, oldest first; failed and delayed ones are left out."""
        ...

    async def sending(self, notice: int, nonce: str) -> None:
        """Before the call: from now on it may be in Slack, carrying this nonce."""
        ...

    async def again(self, notice: int, not_before: datetime) -> None:
        """It is certain that it is not in Slack: post it afresh, then."""
        ...

    async def posted(self, notice: int, ts: str) -> None: ...

    async def failed(self, notice: int, error: str) -> None:
        """Slack will never take it."""
        ...

    async def postpone(self, notice: int, not_before: datetime) -> None: ...

"""The one message that tells of all rollouts of a channel where very many run at once (engine rule 39)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

# Above so many at once, edits of every card would not fit into what Slack takes in a minute.
MOST_ROLLOUTS = 20
# Whoever starts later than this is told of by a new message: the old one is far up in the channel by then.
JOINING_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A message that is not posted, or shows less than there is.

    Attributes:
        ts: None until it was posted.
        wanted: grows with each change of what it tells of, and is what it should show.
        over: none of its rollouts is under way any more, so this is its last state.
        nonce, tried_at: of its post, as of a card's (`CardDue`).
        since: when it was asked for.
    """

    id: int
    channel: str
    ts: str | None
    wanted: int
    over: bool
    nonce: str
    tried_at: datetime | None
    since: datetime


class Digests(Protocol):
    """The digests of a process's one sender; every method is durable when it returns."""

    async def gather(self) -> None:
        """Begin one where more than `MOST_ROLLOUTS` run in a channel, and let what has started since join it."""
        ...

    async def due(self) -> list[Digest]:
        """Return those to post or edit now; failed and delayed ones are left out."""
        ...

    async def sending(self, digest: int, nonce: str) -> None:
        """Before the call: from now on it may be in Slack, carrying this nonce."""
        ...

    async def again(self, digest: int, not_before: datetime) -> None:
        """It is certain that it is not in Slack: post it afresh, then."""
        ...

    async def posted(self, digest: int, ts: str) -> None:
        """It is in Slack, in some state."""
        ...

    async def shown(self, due: Digest) -> None:
        """It shows what was due, or something newer."""
        ...

    async def failed(self, digest: int, error: str) -> None:
        """Slack will never show it: its rollouts are told of by their cards and threads again."""
        ...

    async def postpone(self, digest: int, not_before: datetime) -> None: ...

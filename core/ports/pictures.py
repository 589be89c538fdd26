"""The pictures of rollouts that Slack does not have yet, and what draws one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

# Values that can be written as JSON → the bytes of a PNG. It raises PictureFailure.
Draw = Callable[[Mapping[str, Any]], Awaitable[bytes]]


class PictureFailure(Exception):
    """There is no picture of these values, and asking again would give none: the text says why, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureDue:
    """One picture that belongs into a thread.

    Attributes:
        channel, thread: where the card is; None while it is not posted.
        ended: the thread has its terminal message, under which the picture goes.
        lost: there is no thread, and never will be.
        file: Slack's name of the file if one may be in the thread already; "" means that none can be.
        tried_at: when that was.
        since: when the picture was asked for.
        not_before: what must wait, waits until then.
    """

    promotion: str
    channel: str | None
    thread: str | None
    ended: bool
    lost: bool
    file: str
    tried_at: datetime | None
    since: datetime
    not_before: datetime | None


class Pictures(Protocol):
    """The pictures that Slack does not have; every method is durable when it returns. One sender uses it."""

    async def open(self) -> list[PictureDue]:
        """Return those of which the outcome is open, oldest first, also those that must wait."""
        ...

    async def uploaded(self, promotion: str, file: str) -> None:
        """Before the call that shows it: from now on this file may be in the thread."""
        ...

    async def again(self, promotion: str, not_before: datetime) -> None:
        """It is certain that no file is in the thread: begin anew, then."""
        ...

    async def postpone(self, promotion: str, not_before: datetime) -> None: ...

    async def end(self, promotion: str, how: str) -> None:
        """Nothing more is to be done: `posted`, or why it never will be."""
        ...

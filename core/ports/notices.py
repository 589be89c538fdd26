"""What people are told beside cards and threads: messages of their own, each kept until Slack has it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from core.sentence import Sentence

# `notice`: a sentence; `build`: a build that is announced; `ask`: a channel is told of what waits for approval; `reminder`: those
# who can approve it are reminded, in the thread of its card; `soon`: it starts in a few minutes, there too; `blind`: nobody
# sees what becomes of it, there too.
NoticeKind = Literal["notice", "build", "ask", "reminder", "soon", "blind"]

IN_THREAD = frozenset({"reminder", "soon", "blind"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message.

    Attributes:
        channel: where it is posted: of a reminder that of the card.
        nonce: what its post carried, if one was ever tried; with one it may be in Slack: look for it before posting again.
        tried_at: when that was.
        since: when it was written.
        promotion: what it is about, if it waits for an approval, for its time, or to be seen.
        app, release: the build that it announces.
        whom: who is called by it, as the policy names them.
        card: the ts of the card that it leads to, in `card_channel`.
        over: what it is about waits no longer, so nobody is told any more.
    """

    id: int
    channel: str
    said: Sentence
    nonce: str
    tried_at: datetime | None
    since: datetime
    kind: NoticeKind = "notice"
    promotion: str | None = None
    app: str = ""
    release: str = ""
    whom: tuple[str, ...] = ()
    card: str | None = None
    card_channel: str = ""
    over: bool = False

    @property
    def thread(self) -> str | None:
        """The message that it stands under."""
        return self.card if self.kind in IN_THREAD else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A message that announces a build.

    Attributes:
        ts: None while it is not known to be posted.
    """

    app: str
    release: str
    channel: str
    ts: str | None


class Notices(Protocol):
    """The notices that Slack does not have yet; every method is durable when it returns. One sender uses it."""

    async def due(self) -> list[Notice]:
        """Return those to post now, oldest first; failed and delayed ones are left out, and those whose card is not posted."""
        ...

    async def sending(self, notice: int, nonce: str) -> None:
        """Before the call: from now on it may be in Slack, carrying this nonce."""
        ...

    async def again(self, notice: int, not_before: datetime) -> None:
        """It is certain that it is not in Slack: post it afresh, then."""
        ...

    async def posted(self, notice: int, ts: str, channel: str | None = None) -> None:
        """It is in Slack; `channel` is where, as Slack says."""
        ...

    async def failed(self, notice: int, error: str) -> None:
        """Slack will never take it."""
        ...

    async def postpone(self, notice: int, not_before: datetime) -> None: ...

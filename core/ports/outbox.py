"""What is still to be told in Slack, as values, and the durable outbox that hands them out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from core.ports.digests import Digests
from core.ports.notices import Notices
from core.promotion import Phase
from core.records.build import BuildStatus
from core.records.line import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The parent message of a promotion or a build as far as Slack has it.

    Attributes:
        subject: id of the promotion or the build.
        ts: Slack's name of the message, None until it was posted.
        shown: revision that the message shows: of the promotion, or of the card of a build itself; -1 before the first.
        failed: Slack's permanent error (`not_in_channel` …) where it will never be shown, else "".
        closed_channel: where it was until that channel closed; since then it is with the requester. "" if it never moved.
        closed_by: Slack's error, by which that was noticed; of one that never moved, the one for which it was posted anew.
    """

    subject: str
    channel: str
    ts: str | None = None
    shown: int = -1
    failed: str = ""
    closed_channel: str = ""
    closed_by: str = ""


Fitting = Callable[[Sequence[Line]], int]
Fits = Callable[[Sequence[Line]], bool]
Shown = Callable[[Line], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDue:
    """A card that is not posted, or shows less than there is.

    Attributes:
        wanted: the revision that it should show.
        phase: the promotion's at that revision, or the status of the build: how urgent the card is, without a look at either.
        nonce: what its post carried, if one was ever tried; "" means that it cannot be in Slack. With a nonce
            and no `card.ts` the outcome is unknown: look for the nonce before posting again.
        tried_at: when that was.
        since: when the card was asked for.
        digested: a digest stands for it, so it is edited for a new phase only.
    """

    card: Card
    wanted: int
    phase: Phase | BuildStatus
    nonce: str
    tried_at: datetime | None
    since: datetime
    digested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadDue:
    """A thread with something to send now.

    Attributes:
        app: whose promotion or build it is.
        ts: the card's, under which messages go.
        waiting: lines that are in no message yet.
        ending: the terminal message waits too, so the verdict is out: send before other threads.
        since: when the verdict was given, else the time of the first line that waits.
        digested: a digest stands for its card, so the thread has milestones only.
    """

    subject: str
    app: str
    channel: str
    ts: str
    waiting: int
    ending: bool
    since: datetime
    digested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of a thread.

    Attributes:
        kind: `lines`, or `terminal`, whose words are made from what has ended.
        nonce: random; goes into the message's metadata, by which an unknown outcome is found out.
        attempts: how often it was handed out for sending, this time included.
        tried_at: when it last was.
        lines: (number, line), all of one `Line.kind`; in a terminal message the last ones, as far as they fit beside it.
    """

    id: int
    subject: str
    kind: Literal["lines", "terminal"]
    nonce: str
    attempts: int
    tried_at: datetime | None
    lines: tuple[tuple[int, Line], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LostPost:
    """A message that may be in Slack or not; look for its nonce in the thread."""

    post: Post
    channel: str
    thread: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits to be sent, for metrics; `oldest` is when the longest waiting of it was written."""

    cards: int
    lines: int
    posts: int
    oldest: datetime | None


class Outbox(Protocol):
    """The outbox; every method is durable when it returns, but `card_shown` and `post_sent`. One sender uses it.

    These two are written with the next write, or by `write_down`: a process that dies before finds the message by its nonce,
    and edits the card once more.

    Attributes:
        notices: what belongs to no promotion.
        digests: what tells of many promotions at once.
    """

    @property
    def notices(self) -> Notices: ...

    @property
    def digests(self) -> Digests: ...

    async def cards_due(self) -> list[CardDue]:
        """Return cards to post or edit now, oldest first; failed and delayed ones are left out."""
        ...

    async def card_sending(self, subject: str, nonce: str) -> None:
        """Before the call: from now on the card may be in Slack, carrying this nonce."""
        ...

    async def card_again(self, subject: str, not_before: datetime | None = None) -> None:
        """It is certain that the card is not in Slack: post it afresh, then."""
        ...

    async def card_posted(self, subject: str, ts: str, shown: int, channel: str | None = None) -> None:
        """The card is in Slack; `channel` is where, if that is not where it was sent to."""
        ...

    async def channel_closed(self, subject: str, error: str) -> None:
        """Slack says that nobody sees the channel, or the bot may not post there: the requester gets what is left directly (engine rule 60)."""
        ...

    async def card_gone(self, subject: str, ts: str, error: str) -> bool:
        """Slack says that this message of the card is gone, or can be changed no more: let it be posted anew, if that is worth it.

        It is once, for as long as something is to be said, or has just been.
        """
        ...

    async def card_shown(self, subject: str, revision: int) -> None: ...

    async def card_failed(self, subject: str, error: str) -> None:
        """Slack will never show this card; its thread is given up too."""
        ...

    async def postpone_card(self, subject: str, not_before: datetime) -> None: ...

    async def threads_due(self) -> list[ThreadDue]: ...

    async def leave_out(self, threads: Mapping[str, Shown]) -> bool:
        """Put aside the lines that their threads do not show, which stay in the records; tell whether there were any."""
        ...

    async def claim_lines(
        self, subject: str, *, most: int, fitting: Fitting, shown: Shown | None = None
    ) -> Post | None:
        """Return the next message of lines, stored as being sent; None where no line can be sent now.

        Args:
            subject: whose thread.
            most: lines that one message may have.
            fitting: says how many of these go into one, at least one: whoever sends it knows how long they are there.
            shown: tells which lines stand in the thread; the others are left out. All do without it.
        """
        ...

    async def claim_verdict(
        self, subject: str, *, most: int, fits: Fits, shown: Shown | None = None
    ) -> Post | None:
        """Return the terminal message, stored as being sent, with the lines that are left; None where they do not fit.

        Args:
            subject: whose thread.
            most: lines that may stand in it.
            fits: tells whether these go into it.
            shown: see `claim_lines`.
        """
        ...

    async def post_sent(self, post_id: int, ts: str) -> None: ...

    async def post_dead(self, post_id: int, error: str) -> None: ...

    async def post_unknown(self, post_id: int) -> None: ...

    async def post_again(self, post_id: int, not_before: datetime | None = None) -> None: ...

    async def postpone_post(self, post_id: int, not_before: datetime) -> None: ...

    async def posts_unknown(self) -> list[LostPost]: ...

    async def next_due(self, after: datetime) -> datetime | None:
        """Return when the next delay ends that lasts longer than until `after`, or None."""
        ...

    async def write_down(self) -> None:
        """Write what `card_shown` and `post_sent` have left to write."""
        ...

    async def recover(self, *, but: Collection[str] = ()) -> None:
        """At a start, and after whatever broke off: what was being sent has an unknown outcome.

        Args:
            but: those for which a call is under way, whose outcome will be known.
        """
        ...

    async def backlog(self) -> Backlog: ...

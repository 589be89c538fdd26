"""What people are told: lines, cards, notices and reminders, as the core reads and writes them; part of the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.ports.notices import Announcement, NoticeKind
from core.ports.outbox import Card
from core.records.line import Line
from core.records.pod_sample import PodSample
from core.records.release import Release
from core.records.reminder import Reminder
from core.sentence import Sentence


class MessageReader(Protocol):
    """Read what people are told; what the store promises of every read holds here."""

    async def lines(self, subject: str, after: int = 0, limit: int = 500) -> list[tuple[int, Line]]:
        """Return (number, line) with number > after; numbers begin at 1 and have no gaps."""
        ...

    async def evidence(self, promotion_id: str) -> Line | None:
        """Return the block of log lines that proves why it failed, None where there is none."""
        ...

    async def samples(self, promotion_id: str) -> list[PodSample]:
        """Return how many pods there were over time, oldest first; rows are few, however long it took."""
        ...

    async def card(self, subject: str) -> Card | None: ...

    async def digest_cards(self, digest: int) -> list[Card]:
        """Return the cards that a digest stands for, oldest first."""
        ...

    async def promotion_of_card(self, channel: str, ts: str) -> str | None:
        """Return the promotion whose card a message is, if it is one."""
        ...

    async def build_of_card(self, channel: str, ts: str) -> str | None:
        """Return the build whose card a message is, if it is one."""
        ...

    async def notice_place(self, notice: int) -> tuple[str, str | None] | None:
        """Return the channel and the ts of a notice, or None; no ts while it is not known to be posted."""
        ...

    async def announcement(self, notice: int) -> Announcement | None:
        """Return the build that a notice announces, if it is such."""
        ...

    async def announced(self, channel: str, ts: str) -> Announcement | None:
        """Return the build that a message announces, if it is such."""
        ...

    async def reminder(self, promotion_id: str) -> Reminder | None:
        """Return when those who can approve a promotion are reminded, if they are or were."""
        ...

    async def reminders_due(self, now: datetime) -> list[str]:
        """Return the promotions of which somebody is to be reminded by now."""
        ...


class MessageWriter(Protocol):
    """Write what people are told; what the store promises of a transaction holds here."""

    async def add_lines(self, subject: str, lines: Sequence[Line]) -> int:
        """Append the lines whose key is new; return how many were."""
        ...

    async def add_samples(self, promotion_id: str, samples: Sequence[PodSample]) -> None:
        """Keep how many pods there were; beyond a number of rows for a promotion nothing is added."""
        ...

    async def add_picture(self, promotion_id: str) -> None:
        """Write the outbox row of the picture of how it went; one for a promotion."""
        ...

    async def add_card(self, subject: str, channel: str) -> None:
        """Write the outbox row of the card of a promotion or a build, its first."""
        ...

    async def add_terminal(self, subject: str) -> None:
        """Write the outbox row of the terminal message; unique for a thread (engine rule 40)."""
        ...

    async def add_notice(
        self,
        channel: str,
        said: Sentence,
        *,
        kind: NoticeKind = "notice",
        promotion: str | None = None,
        release: Release | None = None,
        whom: Sequence[str] = (),
    ) -> bool:
        """Write the outbox row of a message beside cards and threads; False where that build, or a reminder that waits, has one.

        Args:
            channel: where it is posted.
            said: the words.
            kind: what it is for.
            promotion: what it is about, if it waits for an approval.
            release: what it announces.
            whom: who is called by it, as the policy names them.
        """
        ...

    async def schedule_reminder(self, promotion_id: str, due_at: datetime) -> None:
        """Remind those who can approve it then, and no longer at another time."""
        ...

    async def reminded(self, promotion_id: str, told_at: datetime | None) -> None:
        """Nothing more is due; `told_at` is when somebody was reminded, None where nobody was."""
        ...

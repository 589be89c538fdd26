"""The outbox: what Slack is still to be told, and what became of it, so that a restart repeats and loses nothing.

One sender uses it. Of a card: `card_sending`, post, `card_posted`; then `card_shown` after each edit. Of a
thread: `claim_verdict` where what is left fits into one message with the verdict, else `claim_lines`; post; `post_sent`.
After a time-out `post_unknown`, look the nonce up, then `post_sent` or `post_again`. What was taken is written with the next
write, or by `write_down`. At a start `recover`, since whatever was being sent when the process died has an unknown outcome.
"""

import secrets
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from sqlite3 import Row

from core.clock import Clock
from core.ports.outbox import Backlog, CardDue, Fits, Fitting, LostPost, Post, Shown, ThreadDue
from core.records.line import Line
from storage.codec import actor_of, datetime_or_none, json, timestamp, timestamp_or_none
from storage.database import Database
from storage.keys import Vault
from storage.outbox.digests import SqliteDigests
from storage.outbox.notices import SqliteNotices
from storage.outbox.pictures import SqlitePictures
from storage.outbox.rows import card_due_of, lost_post_of, post_of, thread_due_of
from storage.outbox.unwritten import UnwrittenOutcomes
from storage.promotions.rows import line_of
from storage.session import Session
from storage.timing import DatabaseTask

# SQLite's word for no limit.
ALL = -1
# So long after the end people may still look for the card of a promotion, though its last message is out.
JUST_ENDED = timedelta(minutes=10)


class SqliteOutbox:
    """`core.ports.outbox.Outbox`: cards and threads as far as Slack does not have them.

    Attributes:
        notices: what belongs to no promotion.
        digests: what tells of many promotions at once.
        pictures: how rollouts went that did not go as usual.
    """

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._reading = Session(database.reader)
        self._unwritten = UnwrittenOutcomes()
        self.notices = SqliteNotices(database, vault, clock)
        self.digests = SqliteDigests(database, clock)
        self.pictures = SqlitePictures(database, clock)

    # Cards

    async def cards_due(self) -> list[CardDue]:
        """Return cards to post or edit now, oldest first; failed and delayed ones are left out."""
        due = [card_due_of(row) for row in await self._reading.all("cards_due", now=self._now())]
        return [each for each in due if each.wanted > self._unwritten.cards.get(each.card.subject, -1)]

    async def card_sending(self, subject: str, nonce: str) -> None:
        """Before the HTTP call: from now on the card may be in Slack, carrying this nonce."""
        await self._run("card_sending", subject=subject, nonce=nonce, now=self._now())

    async def card_again(self, subject: str, not_before: datetime | None = None) -> None:
        """It is certain that the card is not in Slack: post it afresh, then."""
        await self._run("card_again", subject=subject, not_before=timestamp_or_none(not_before))

    async def card_posted(self, subject: str, ts: str, shown: int, channel: str | None = None) -> None:
        """The card is in Slack, in this channel; a second answer with another ts changes nothing."""
        await self._run("card_posted", subject=subject, ts=ts, shown=shown, channel=channel)

    async def channel_closed(self, subject: str, error: str) -> None:
        """Go on in the requester's direct messages; the card is given up where that is no person, or closed as well."""
        async with self._writing() as session:
            row = await session.one("requester", subject=subject)
            requester = actor_of(row["requested_by"]) if row else None
            if requester is not None and requester.kind == "slack":
                moving = {"subject": subject, "error": error, "channel": requester.id}
                if await session.run("move_card", moving):
                    return
            await session.run("card_failed", {"subject": subject, "error": error})

    async def card_gone(self, subject: str, ts: str, error: str) -> bool:
        """Let a card whose message is gone be posted anew; tell whether it will be."""
        since = timestamp(self._clock.now() - JUST_ENDED)
        gone = {"subject": subject, "ts": ts, "error": error, "since": since}
        async with self._writing() as session:
            return bool(await session.run("card_gone", gone))

    async def card_shown(self, subject: str, revision: int) -> None:
        """The card shows this revision now, or a newer one; written with the next write."""
        self._unwritten.shown(subject, revision)

    async def card_failed(self, subject: str, error: str) -> None:
        """Slack will never show this card (`not_in_channel` …); its thread is given up too."""
        await self._run("card_failed", subject=subject, error=error)

    async def postpone_card(self, subject: str, not_before: datetime) -> None:
        """Leave the card alone until then."""
        await self._run("postpone_card", subject=subject, not_before=timestamp(not_before))

    # Threads

    async def threads_due(self) -> list[ThreadDue]:
        """Return threads that have something to send now, by how long it has waited.

        A thread whose message has an unknown outcome, or must wait, is left out: its order would break.
        """
        rows = await self._reading.all("threads_due", now=self._now())
        return [thread_due_of(row) for row in rows if not self._is_told(row)]

    def _is_told(self, row: Row) -> bool:
        """Tell whether a thread only seems to have something to send, since its last message is not written down yet."""
        sent = self._unwritten.posts
        nothing_new = row["waiting"] == 0 and row["terminal_id"] is None
        return row["terminal_id"] in sent or (nothing_new and row["batch_id"] in sent)

    async def leave_out(self, threads: Mapping[str, Shown]) -> bool:
        """Put aside the lines that their threads do not show; tell whether there were any. Without any nothing is written."""
        found = [subject for subject in threads if await self._hidden(subject, threads[subject])]
        if found:
            async with self._writing() as session:
                for subject in found:
                    await self._put_aside(session, subject, threads[subject])
        return bool(found)

    async def _hidden(self, subject: str, shown: Shown) -> bool:
        lines = await self._unsent(self._reading, subject, ALL)
        return not all(shown(line) for _, line in lines)

    async def _put_aside(self, session: Session, subject: str, shown: Shown) -> None:
        hidden = [seq for seq, line in await self._unsent(session, subject, ALL) if not shown(line)]
        if not hidden:
            return
        held = await session.one("left_out", subject=subject)
        if held is None:
            new = {"subject": subject, "nonce": secrets.token_hex(16), "created_at": self._now()}
            (held,) = await session.all("add_left_out", **new)
        rows = [{"post": held["id"], "subject": subject, "seq": seq} for seq in hidden]
        await session.many("leave_out", rows)

    async def claim_lines(
        self, subject: str, *, most: int, fitting: Fitting, shown: Shown | None = None
    ) -> Post | None:
        """Return the next message of lines, stored as `sending`; None where no line can be sent now.

        A message that was handed out before and has no outcome is handed out again, with its nonce and lines.
        None also while the outcome of one is unknown, a delay runs, or the terminal message is out.
        """
        async with self._writing() as session:
            open_posts = await session.all("open_posts", subject=subject)
            batch = next((row for row in open_posts if row["kind"] == "lines"), None)
            if batch is not None:
                return await self._send(session, batch["id"]) if self._may_go(batch) else None
            terminal_is_out = any(row["state"] != "pending" for row in open_posts)
            if terminal_is_out or not await session.all("postable", subject=subject):
                return None
            if shown is not None:
                await self._put_aside(session, subject, shown)
            lines = await self._unsent(session, subject, most)
            if not lines:
                return None
            count = fitting([line for _, line in lines])
            made = await self._made(session, subject)
            await self._put(session, subject, made, last=lines[count - 1][0])
            return await self._send(session, made)

    async def claim_verdict(
        self, subject: str, *, most: int, fits: Fits, shown: Shown | None = None
    ) -> Post | None:
        """Return the terminal message with the lines that are left, stored as `sending`; None where they do not fit yet.

        None also while the card is not out, a message of lines has no outcome, or a delay runs.
        """
        async with self._writing() as session:
            open_posts = await session.all("open_posts", subject=subject)
            # Lines come before the terminal message, so it is due when it stands first.
            first = next(iter(open_posts), None)
            if first is None or first["kind"] != "terminal" or not self._may_go(first):
                return None
            if first["state"] == "pending":
                if shown is not None:
                    await self._put_aside(session, subject, shown)
                lines = await self._unsent(session, subject, most + 1)
                if len(lines) > most or not fits([line for _, line in lines]):
                    return None
                if lines:
                    await self._put(session, subject, first["id"], last=lines[-1][0])
            return await self._send(session, first["id"])

    async def post_sent(self, post_id: int, ts: str) -> None:
        """The message is in Slack; written with the next write."""
        self._unwritten.posts[post_id] = ts

    async def post_dead(self, post_id: int, error: str) -> None:
        """Slack will never take this message; the thread goes on without it, and ends with the terminal one."""
        async with self._writing() as session:
            for row in await session.all("post_dead", id=post_id, error=error):
                if row["kind"] == "terminal":
                    await session.run("end_thread", {"subject": row["subject"]})

    async def post_unknown(self, post_id: int) -> None:
        """Nobody knows whether the message is in Slack: it must be looked up before it is sent again."""
        await self._run("post_unknown", id=post_id)

    async def post_again(self, post_id: int, not_before: datetime | None = None) -> None:
        """It is certain that the message is not in Slack: send it again, then."""
        await self._run("post_again", id=post_id, not_before=timestamp_or_none(not_before))

    async def postpone_post(self, post_id: int, not_before: datetime) -> None:
        """Leave the message, or the look-up of its outcome, alone until then."""
        await self._run("delay_post", id=post_id, not_before=timestamp(not_before))

    async def posts_unknown(self) -> list[LostPost]:
        """Return messages whose outcome can be looked up now, oldest first."""
        rows = await self._reading.all("posts_unknown", now=self._now())
        lost = [row for row in rows if row["id"] not in self._unwritten.posts]
        return [lost_post_of(row, await self._lines_of(self._reading, row["id"])) for row in lost]

    async def write_down(self) -> None:
        """Write what Slack has taken, if anything is not written yet."""
        if self._unwritten:
            async with self._writing():
                pass

    async def recover(self, *, but: Collection[str] = ()) -> None:
        """At a start, and after whatever broke off: what was being sent has an unknown outcome."""
        await self._run("interrupted_posts", but=json(sorted(but)))

    async def next_due(self, after: datetime) -> datetime | None:
        """Return when the next delay ends that lasts longer than until then, or None."""
        row = await self._reading.one("next_due", now=timestamp(after))
        assert row is not None, "an aggregate always gives a row"
        return datetime_or_none(row["moment"])

    async def backlog(self) -> Backlog:
        """Count what waits."""
        row = await self._reading.one("backlog")
        assert row is not None, "an aggregate always gives a row"
        return Backlog(
            cards=row["cards"],
            lines=row["lines"],
            posts=row["posts"],
            oldest=datetime_or_none(row["oldest"]),
        )

    def _now(self) -> str:
        return timestamp(self._clock.now())

    def _may_go(self, row: Row) -> bool:
        waits = row["not_before"] is not None and row["not_before"] > self._now()
        return row["state"] != "unknown" and not waits

    async def _unsent(self, session: Session, subject: str, most: int) -> list[tuple[int, Line]]:
        rows = await session.all("unsent_lines", subject=subject, limit=most)
        return [line_of(row, self._vault) for row in rows]

    async def _made(self, session: Session, subject: str) -> int:
        (row,) = await session.all(
            "add_batch", subject=subject, nonce=secrets.token_hex(16), created_at=self._now()
        )
        return int(row["id"])

    async def _put(self, session: Session, subject: str, post_id: int, *, last: int) -> None:
        await session.run("put_into_batch", {"post": post_id, "subject": subject, "last": last})

    async def _send(self, session: Session, post_id: int) -> Post:
        (row,) = await session.all("sending_post", id=post_id, now=self._now())
        return post_of(row, await self._lines_of(session, post_id))

    async def _lines_of(self, session: Session, post_id: int) -> tuple[tuple[int, Line], ...]:
        rows = await session.all("lines_of_post", post=post_id)
        return tuple(line_of(row, self._vault) for row in rows)

    @asynccontextmanager
    async def _writing(self) -> AsyncGenerator[Session]:
        """Give a transaction in which everything that Slack has taken until now is written first."""
        async with self._database.transaction(DatabaseTask.OUTBOX) as connection:
            session = Session(connection)
            written = await self._unwritten.write(session)
            yield session
        self._unwritten.forget(written)

    async def _run(self, statement: str, **parameters: object) -> None:
        async with self._writing() as session:
            await session.run(statement, parameters)

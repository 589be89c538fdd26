"""What Slack has taken and no row says yet: it is written with the next write, so that no message needs two transactions.

A process that dies before that finds the message by its nonce, and edits the card once more: nothing is lost or doubled.
"""

from dataclasses import dataclass, field

from storage.session import Session


@dataclass(slots=True)
class UnwrittenOutcomes:
    """What is in Slack.

    Attributes:
        posts: id of a message → its ts.
        cards: promotion or build → what its card shows.
    """

    posts: dict[int, str] = field(default_factory=dict)
    cards: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.posts or self.cards)

    def shown(self, subject: str, revision: int) -> None:
        self.cards[subject] = max(revision, self.cards.get(subject, revision))

    async def write(self, session: Session) -> "UnwrittenOutcomes":
        """Write everything into this transaction; return what to `forget` once it is committed."""
        written = UnwrittenOutcomes(dict(self.posts), dict(self.cards))
        for post_id, ts in written.posts.items():
            for row in await session.all("post_sent", id=post_id, ts=ts):
                # After the terminal message nothing more goes into the thread.
                if row["kind"] == "terminal":
                    await session.run("end_thread", {"subject": row["subject"]})
        shown = [{"subject": subject, "shown": revision} for subject, revision in written.cards.items()]
        await session.many("card_shown", shown)
        return written

    def forget(self, written: "UnwrittenOutcomes") -> None:
        """Forget what is written by now; what came meanwhile stays."""
        self.posts = {post_id: ts for post_id, ts in self.posts.items() if post_id not in written.posts}
        self.cards = {key: shown for key, shown in self.cards.items() if written.cards.get(key) != shown}

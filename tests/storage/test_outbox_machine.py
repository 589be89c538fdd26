"""The outbox between a sender that dies and a Slack that loses calls: each line once and in order, one ending, and that last."""

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from core.ports.outbox import Post
from tests.storage.machines import SETTINGS, StoreMachine
from tests.storage.making import carded, make_line

P, MOST = "PAAAAAAAAAA", 3


class OutboxMachine(StoreMachine):
    """One thread; `slack` is what has arrived there, nonce → what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.slack: dict[str, tuple[tuple[int, ...], bool]] = {}
        self.lines = 0
        self.ended = False
        self.in_hand: Post | None = None
        self.does(carded, self.store, P)

    # What the rollout says

    @precondition(lambda self: not self.ended)
    @rule(count=st.integers(1, 5))
    def say(self, count: int) -> None:
        fresh = [make_line(number) for number in range(self.lines + 1, self.lines + count + 1)]

        async def saying() -> int:
            async with self.store.transaction() as tx:
                # What was said before is said again after a restart, and is no news.
                old = [make_line(self.lines)] if self.lines else []
                return await tx.add_lines(P, [*old, *fresh])

        assert self.does(saying) == count
        self.lines += count

    @precondition(lambda self: not self.ended)
    @rule()
    def end(self) -> None:
        async def ending() -> None:
            async with self.store.transaction() as tx:
                await tx.add_terminal(P)

        self.does(ending)
        self.ended = True

    # What the sender does

    @precondition(lambda self: self.in_hand is None)
    @rule(fits=st.integers(0, 4), size=st.integers(1, MOST))
    def take(self, fits: int, size: int) -> None:
        """Take the next message: the ending with what fits beside it, or a batch of lines."""
        outbox = self.store.outbox
        if not self.does(outbox.threads_due):
            return
        post = self.does(outbox.claim_verdict, P, most=MOST, fits=lambda lines: len(lines) <= fits)
        self.in_hand = post or self.does(
            outbox.claim_lines, P, most=MOST, fitting=lambda lines: min(size, len(lines))
        )

    def _arrives(self, post: Post) -> None:
        assert post.nonce not in self.slack, "it is posted a second time"
        self.slack[post.nonce] = (tuple(number for number, _ in post.lines), post.kind == "terminal")

    def _taken(self) -> Post:
        post, self.in_hand = self.in_hand, None
        assert post is not None
        return post

    @precondition(lambda self: self.in_hand)
    @rule()
    def it_is_posted(self) -> None:
        post = self._taken()
        self._arrives(post)
        self.does(self.store.outbox.post_sent, post.id, f"{post.id}.0")

    @precondition(lambda self: self.in_hand)
    @rule()
    def slack_says_later(self) -> None:
        self.does(self.store.outbox.post_again, self._taken().id)

    @precondition(lambda self: self.in_hand)
    @rule(arrives=st.booleans())
    def the_answer_is_lost(self, arrives: bool) -> None:
        post = self._taken()
        if arrives:
            self._arrives(post)
        self.does(self.store.outbox.post_unknown, post.id)

    @rule(arrives=st.booleans())
    def the_process_dies(self, arrives: bool) -> None:
        """What was being sent may be in Slack or not; what Slack had taken may be written or not."""
        post, self.in_hand = self.in_hand, None
        if post and arrives:
            self._arrives(post)
        self.reopen()
        self.does(self.store.outbox.recover)

    @rule()
    def look_up(self) -> None:
        """Find out what became of messages without an outcome, as the sender does."""
        for lost in self.does(self.store.outbox.posts_unknown):
            if lost.post.nonce in self.slack:
                self.does(self.store.outbox.post_sent, lost.post.id, "1.0")
                # Its thread waits until that is written.
                self.does(self.store.outbox.write_down)
            else:
                self.does(self.store.outbox.post_again, lost.post.id)

    @rule()
    def write_down(self) -> None:
        self.does(self.store.outbox.write_down)

    # What must be true

    @invariant()
    def the_thread_is_in_order(self) -> None:
        numbers = [number for lines, _ in self.slack.values() for number in lines]
        assert numbers == list(range(1, len(numbers) + 1))
        endings = [ending for _, ending in self.slack.values()]
        assert sum(endings) <= 1
        assert not any(endings[:-1]), "something came after the ending"

    def teardown(self) -> None:
        try:
            self.everything_arrives()
        finally:
            super().teardown()

    def everything_arrives(self) -> None:
        """Send what is left, with nothing in the way: then everything is there and nothing is owed."""
        for _ in range(self.lines + 5):
            self.look_up()
            if self.in_hand is None:
                self.take(fits=4, size=MOST)
            if self.in_hand is not None:
                self.it_is_posted()
        self.write_down()
        self.the_thread_is_in_order()
        said = [number for lines, _ in self.slack.values() for number in lines]
        assert said == list(range(1, self.lines + 1))
        assert any(ending for _, ending in self.slack.values()) is self.ended
        backlog = self.does(self.store.outbox.backlog)
        assert (backlog.lines, backlog.posts) == (0, 0)


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = SETTINGS

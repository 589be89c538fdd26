"""The inbox under everything that may happen to it in any order: it keeps each delivery once, in order, until it is handled."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from core.errors import Conflict
from core.policy.retention import REPEATED_SECONDS
from tests.storage.machines import SETTINGS, StoreMachine
from tests.storage.making import make_app


@dataclass
class Kept:
    """What the model knows of a delivery."""

    payload: bytes
    number: int = 0
    done: bool = False
    handled_at: float | None = None


class InboxMachine(StoreMachine):
    """Keys are few, so that repetitions are many."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Kept] = {}
        self.apps = 0

    @property
    def open(self) -> list[Kept]:
        return [each for each in self.kept.values() if each.handled_at is None]

    @rule(key=st.sampled_from("abcdefgh"), payload=st.binary(max_size=20))
    def keep(self, key: str, payload: bytes) -> None:
        fresh = self.does(self.store.inbox.keep, key, "command", payload, self.clock.now())
        assert fresh is (key not in self.kept)
        if fresh:
            self.kept[key] = Kept(payload)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), fails=st.booleans())
    def carry_out(self, data: st.DataObject, fails: bool) -> None:
        """Write something for a delivery; only what is committed is done."""
        delivery = data.draw(st.sampled_from(self.open))
        self.apps += 1

        async def carrying() -> None:
            async with self.store.transaction(delivery=delivery.number) as tx:
                await tx.add_app(make_app(f"app-{self.apps}"))
                if fails:
                    raise Conflict("no")

        try:
            self.does(carrying)
        except Conflict:
            assert fails
        else:
            delivery.done = True

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def only_look(self, data: st.DataObject) -> None:
        """A transaction that changes nothing has carried nothing out."""
        delivery = data.draw(st.sampled_from(self.open))

        async def looking() -> None:
            async with self.store.transaction(delivery=delivery.number) as tx:
                await tx.apps()

        self.does(looking)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def handle(self, data: st.DataObject) -> None:
        delivery = data.draw(st.sampled_from(self.open))
        self.does(self.store.inbox.handled, delivery.number, self.clock.now())
        delivery.handled_at = self.clock.monotonic()

    @rule(hours=st.sampled_from((0.1, 3, 24, 30)))
    def time_passes(self, hours: float) -> None:
        self.clock.jump(timedelta(hours=hours).total_seconds())

    @rule()
    def prune(self) -> None:
        """Forget what Slack cannot repeat any more, and nothing else."""
        old = self.clock.monotonic() - REPEATED_SECONDS
        gone = [
            key for key, each in self.kept.items() if each.handled_at is not None and each.handled_at < old
        ]
        before = self.does(self.store.retention.aged_rows).get("inbox", 0)
        self.does(self.store.retention.age, "inbox", self.clock.now() - timedelta(seconds=REPEATED_SECONDS))
        assert self.does(self.store.retention.aged_rows).get("inbox", 0) - before == len(gone)
        for key in gone:
            del self.kept[key]

    @rule()
    def restart(self) -> None:
        self.reopen()

    @invariant()
    def what_is_open_is_pending_in_order(self) -> None:
        pending = self.does(self.store.inbox.pending)
        assert [(each.payload, each.done) for each in pending] == [(e.payload, e.done) for e in self.open]
        numbers = [each.id for each in pending]
        assert numbers == sorted(numbers)
        for known, each in zip(self.open, pending, strict=True):
            assert known.number in {0, each.id}
            known.number = each.id
        if numbers:
            later = self.does(self.store.inbox.pending, after=numbers[0], limit=2)
            assert [each.id for each in later] == numbers[1:3]


TestInbox = InboxMachine.TestCase
TestInbox.settings = SETTINGS

"""Promotions as they are stored, moved by the table in any order, by several at once: at most one of an app is in flight."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from core.errors import Conflict
from core.promotion import WAITING, Phase, Promotion, PromotionEvent, advance
from tests.storage.machines import SETTINGS, StoreMachine
from tests.storage.making import NOW, make_app, make_promotion, make_release

APPS = ("one", "two")


def release_of(app: str) -> str:
    return "R" + app.upper().ljust(10, "A")


class PromotionMachine(StoreMachine):
    """The model is a list of promotions as each was last stored."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Promotion] = {}
        # What somebody has read before, and may act upon although it has changed since.
        self.stale: list[Promotion] = []

    @initialize()
    def apps(self) -> None:
        async def making() -> None:
            async with self.store.transaction() as tx:
                for app in APPS:
                    await tx.add_app(make_app(app))
                    await tx.add_release(make_release(release_of(app), app=app))

        self.does(making)

    def _flying(self, app: str) -> list[Promotion]:
        return [p for p in self.model.values() if p.app == app and p.in_flight]

    @rule(app=st.sampled_from(APPS), waits=st.booleans())
    def ask(self, app: str, waits: bool) -> None:
        """Ask for one; where another is in flight, one that need not wait is refused."""
        phase = Phase.AWAITING_APPROVAL if waits else Phase.PENDING
        asked = make_promotion(release_of(app), app=app, phase=phase)
        refused = not waits and bool(self._flying(app))

        async def asking() -> None:
            async with self.store.transaction() as tx:
                await tx.add_promotion(asked)

        try:
            self.does(asking)
        except Conflict:
            assert refused
        else:
            assert not refused
            self.model[asked.id] = asked

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        self.stale.append(data.draw(st.sampled_from(list(self.model.values()))))

    @precondition(lambda self: self.stale)
    @rule(data=st.data(), event=st.sampled_from(PromotionEvent), fails=st.booleans())
    def move(self, data: st.DataObject, event: PromotionEvent, fails: bool) -> None:
        """Let something happen to one that was read earlier: it counts only if it is still in that phase."""
        was = data.draw(st.sampled_from(self.stale))
        touched = replace(was, touched_at=NOW) if event is PromotionEvent.APPLIED else was
        try:
            moved = advance(touched, event, now=self.clock.now())
        except Conflict:
            return
        taken = moved.in_flight and any(p.id != was.id for p in self._flying(was.app))
        stale = self.model[was.id].phase is not was.phase

        async def moving() -> None:
            async with self.store.transaction() as tx:
                await tx.save_promotion(moved, was=was.phase)
                if fails:
                    raise InterruptedError

        try:
            self.does(moving)
        except Conflict:
            assert stale or taken
        except InterruptedError:
            assert fails
            assert not any((stale, taken))
        else:
            assert not any((fails, stale, taken))
            self.model[was.id] = moved

    @rule()
    def restart(self) -> None:
        self.reopen()

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        read = self.store.read
        for app in APPS:
            of_app = [p for p in self.model.values() if p.app == app]
            flying = [p for p in of_app if p.in_flight]
            assert len(flying) <= 1
            assert self.does(read.promotions, app, 1000) == of_app[::-1]
            assert self.does(read.in_flight, app) == next(iter(flying), None)
            waiting = {p.id for p in of_app if p.phase in WAITING}
            assert {p.id for p in self.does(read.awaiting, app)} == waiting
        unsettled = {p.id for p in self.model.values() if not p.settled}
        assert {p.id for p in self.does(read.unsettled)} == unsettled


TestPromotions = PromotionMachine.TestCase
TestPromotions.settings = SETTINGS

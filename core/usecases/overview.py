"""What concerns one person now, over all apps that they may view: what their Home tab shows, and which buttons they may press."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.actor import Actor
from core.clock import Clock
from core.lifecycle.access import Access
from core.lifecycle.explain import Action, ActionContext, explain
from core.lifecycle.freezing import FrozenApp, frozen
from core.lifecycle.guards import current_rule
from core.lifecycle.holds import fork_point, rollback_candidate, why_held
from core.lifecycle.principal import Principal
from core.lifecycle.rights import explain_right
from core.ports.store import Store, StoreReader
from core.promotion import GOING_BACK, Phase, Promotion
from core.records.app import App
from core.records.approval import Approval
from core.records.release import ReleaseEntry
from core.sentence import EMPTY_SENTENCE, Sentence

# Slack takes a hundred blocks; whoever views more apps than this sees the first by name, and is told so.
MOST_APPS = 15
MOST_PROMOTIONS, MOST_HELD, MOST_MINE = 10, 5, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionItem:
    """A promotion that has not ended. Attributes: may: what this person may do about it now, of approve, decline and cancel."""

    promotion: Promotion
    approvals: Sequence[Approval]
    may: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppItem:
    """An app.

    Attributes:
        active: what runs, None where nothing does.
        may: of promote and rollback.
    """

    app: App
    active: ReleaseEntry | None
    may: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldItem:
    """A release on hold. Attributes: may: promote it all the same, with a reason."""

    release: ReleaseEntry
    why: Sentence
    may: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What concerns one person.

    Attributes:
        refused: why they are shown nothing, or nothing.
        waiting: what they may approve or decline now; `rolling`: what else has not ended.
        frozen: the apps in which nothing new is promoted now, and why.
        mine: what they asked for last, newest first.
        more_apps: how many apps are left out.
    """

    refused: Sentence = EMPTY_SENTENCE
    waiting: Sequence[PromotionItem] = ()
    rolling: Sequence[PromotionItem] = ()
    apps: Sequence[AppItem] = ()
    frozen: Sequence[FrozenApp] = ()
    held: Sequence[HeldItem] = ()
    mine: Sequence[Promotion] = ()
    more_apps: int = 0


class OverviewReader:
    """Reads it; every button in it is one that `explain` allows this person now."""

    def __init__(
        self, store: Store, access: Access, clock: Clock, why_not_startable: Callable[[], str]
    ) -> None:
        self._store = store
        self._access = access
        self._clock = clock
        self._why_not_startable = why_not_startable

    async def of(self, actor: Actor) -> Overview:
        """Return what concerns somebody of all that they may view."""
        principal = await self._access.principal(actor)
        if principal.unchecked:
            return Overview(refused=Sentence.of(f"I cannot check who you are: {principal.unchecked}"))
        if principal.stranger:
            return Overview(refused=principal.stranger)
        read, policy = self._store.read, self._access.policy
        viewable = [
            app for app in await read.apps() if explain_right(policy, principal, "view", app.name).allowed
        ]
        shown = viewable[:MOST_APPS]
        names = {app.name for app in viewable}
        open_ = [p for p in await read.unsettled() if p.app in names]
        items = [await self._promotion(read, principal, p) for p in open_]
        for_me = [item for item in items if item.may & {"approve", "decline"}]
        freezes = await read.freezes()
        ices = [frozen(policy, freezes, app.name, self._clock.now()) for app in shown]
        held, mine = [], []
        for app in shown:
            held += await self._held(read, principal, app)
            mine += [p for p in await read.promotions(app.name, MOST_MINE) if p.requested_by.key == actor.key]
        return Overview(
            waiting=for_me[:MOST_PROMOTIONS],
            rolling=[item for item in items if item not in for_me][:MOST_PROMOTIONS],
            apps=[await self._app(read, principal, app, open_) for app in shown],
            frozen=[each for each in ices if each is not None],
            held=sorted(held, key=lambda item: item.release.created_at, reverse=True)[:MOST_HELD],
            mine=sorted(mine, key=lambda p: p.requested_at, reverse=True)[:MOST_MINE],
            more_apps=len(viewable) - len(shown),
        )

    async def _promotion(
        self, read: StoreReader, principal: Principal, promotion: Promotion
    ) -> PromotionItem:
        approvals = await read.approvals(promotion.id)
        meets = self._meets(
            promotion=promotion,
            approvals=approvals,
            rule=await current_rule(read, self._access.policy, promotion),
        )
        deciding = ("approve", "decline") if promotion.phase is Phase.AWAITING_APPROVAL else ()
        kinds = () if promotion.phase in GOING_BACK else (*deciding, "cancel")
        may = {
            kind for kind in kinds if explain(Action(kind=kind, app=promotion.app), principal, meets).allowed
        }
        return PromotionItem(promotion=promotion, approvals=approvals, may=frozenset(may))

    async def _app(
        self, read: StoreReader, principal: Principal, app: App, open_: Sequence[Promotion]
    ) -> AppItem:
        active = await read.release_entry(app.name, app.active_release) if app.active_release else None
        flying = next((p for p in open_ if p.app == app.name and p.in_flight), None)
        newest, _ = await fork_point(read, app.name)
        newer = newest if newest and newest.build and newest.id != app.active_release else None
        meets = self._meets(active=active, in_flight=flying, freezes=await read.freezes())
        of = {"promote": replace(meets, release=newer), "rollback": meets}
        back = await rollback_candidate(read, app.name, but={active.id} if active else set())
        kinds = ("promote", *(("rollback",) if back else ()))
        may = {
            kind for kind in kinds if explain(Action(kind=kind, app=app.name), principal, of[kind]).allowed
        }
        return AppItem(app=app, active=active, may=frozenset(may))

    async def _held(self, read: StoreReader, principal: Principal, app: App) -> list[HeldItem]:
        found = []
        active = await read.release_entry(app.name, app.active_release) if app.active_release else None
        for release in await read.held_entries(app.name, MOST_HELD):
            meets = self._meets(
                active=active,
                release=release,
                in_flight=await read.in_flight(app.name),
                held=await why_held(read, release),
                freezes=await read.freezes(),
            )
            action = Action(kind="promote", app=app.name, anyway="asked for in the dialog")
            may = {"promote"} if explain(action, principal, meets).allowed else set()
            found.append(HeldItem(release=release, why=meets.held, may=frozenset(may)))
        return found

    def _meets(self, **facts: object) -> ActionContext:
        return ActionContext(
            policy=self._access.policy,
            now=self._clock.now(),
            not_startable=self._why_not_startable(),
            **facts,  # type: ignore[arg-type]
        )

"""What concerns one person now, over all apps that they may view: what their Home tab shows, and which buttons they may press."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.actor import Actor
from core.clock import Clock
from core.errors import UserError
from core.lifecycle.access import Access
from core.lifecycle.contexts import decision_context
from core.lifecycle.explain import Action, explain
from core.lifecycle.freezing import FrozenApp, frozen
from core.lifecycle.holds import fork_point, rollback_candidate, why_held
from core.lifecycle.principal import Principal
from core.lifecycle.rights import explain_right
from core.ports.store import Store, StoreReader
from core.promotion import GOING_BACK, Phase, Promotion
from core.records.app import App
from core.records.approval import Approval
from core.records.release import ReleaseEntry
from core.sentence import EMPTY_SENTENCE, Sentence
from core.usecases.asking import PromotionRequest, considered

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
            apps=[await self._app(read, principal, app) for app in shown],
            frozen=[each for each in ices if each is not None],
            held=sorted(held, key=lambda item: item.release.created_at, reverse=True)[:MOST_HELD],
            mine=sorted(mine, key=lambda p: p.requested_at, reverse=True)[:MOST_MINE],
            more_apps=len(viewable) - len(shown),
        )

    async def _promotion(
        self, read: StoreReader, principal: Principal, promotion: Promotion
    ) -> PromotionItem:
        meets = await decision_context(
            read,
            self._access.policy,
            promotion,
            self._clock.now(),
            not_startable=self._why_not_startable(),
        )
        deciding = ("approve", "decline") if promotion.phase is Phase.AWAITING_APPROVAL else ()
        kinds = () if promotion.phase in GOING_BACK else (*deciding, "cancel")
        may = {
            kind for kind in kinds if explain(Action(kind=kind, app=promotion.app), principal, meets).allowed
        }
        return PromotionItem(promotion=promotion, approvals=meets.approvals, may=frozenset(may))

    async def _app(self, read: StoreReader, principal: Principal, app: App) -> AppItem:
        active = await read.release_entry(app.name, app.active_release) if app.active_release else None
        newest, _ = await fork_point(read, app.name)
        newer = newest if newest and newest.build and newest.id != app.active_release else active
        back = await rollback_candidate(read, app.name, but={active.id} if active else set())
        asked: list[PromotionRequest] = []
        if newer is not None:
            asked.append(PromotionRequest(app=app.name, release=newer.id))
        if back is not None:
            asked.append(PromotionRequest(app=app.name, kind="rollback", release=back))
        may = {each.kind for each in asked if await self._may(read, principal, each)}
        return AppItem(app=app, active=active, may=frozenset(may))

    async def _held(self, read: StoreReader, principal: Principal, app: App) -> list[HeldItem]:
        found = []
        for release in await read.held_entries(app.name, MOST_HELD):
            again = PromotionRequest(app=app.name, release=release.id, anyway="asked for in the dialog")
            may = {"promote"} if await self._may(read, principal, again) else set()
            found.append(HeldItem(release=release, why=await why_held(read, release), may=frozenset(may)))
        return found

    async def _may(self, read: StoreReader, principal: Principal, request: PromotionRequest) -> bool:
        """Tell whether somebody could ask for it now, by what `Promoter.request` goes by."""
        policy, now = self._access.policy, self._clock.now()
        try:
            await considered(read, policy, principal, request, now, self._why_not_startable())
        except UserError:
            return False
        return True

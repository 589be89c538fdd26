"""Starting what waits for a time, for its app or for the end of a freeze, and telling people a little before."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from core.lifecycle.access import Access
from core.lifecycle.beginning import begin
from core.lifecycle.due import must_wait
from core.lifecycle.freezing import FrozenApp, frozen
from core.lifecycle.gate import lapsed_approvals, stored_bundle
from core.lifecycle.rights import explain_right
from core.ports.cluster import Cluster
from core.ports.store import Store
from core.promotion import Phase, Promotion, PromotionEvent
from core.sentence import EMPTY_SENTENCE, Sentence, TimeOfDay
from core.usecases.decider import Decider

log = logging.getLogger(__name__)

# So long before it starts people are told, with a way to call it off.
NOTICE = timedelta(minutes=10)


class PromotionScheduler:
    """Looks through what waits; each start is one transaction, and nothing but records says that it is due."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        decider: Decider,
        *,
        why_not_startable: Callable[[], str],
    ) -> None:
        """Wire it; the arguments are those of `Decider`, which hands over what has started."""
        self._store = store
        self._cluster = cluster
        self._access = access
        self._decider = decider
        self._why_not_startable = why_not_startable

    async def start_due(self, now: datetime) -> None:
        """Start everything whose time has come, and tell people of what starts soon."""
        for promotion in await self._store.read.all_awaiting():
            if promotion.phase is not Phase.SCHEDULED:
                continue
            if _is_soon(promotion, now):
                await self._remind(promotion)
            busy = await self._store.read.in_flight(promotion.app) is not None
            freeze = await self._freeze(promotion, now)
            if (
                not must_wait(promotion, busy=busy, frozen=freeze is not None, now=now)
                and not self._why_not_startable()
            ):
                await self._start(promotion, freeze)

    async def _freeze(self, promotion: Promotion, now: datetime) -> FrozenApp | None:
        return frozen(self._access.policy, await self._store.read.freezes(), promotion.app, now)

    async def _start(self, promotion: Promotion, freeze: FrozenApp | None) -> None:
        void = await self._lapsed(promotion, freeze)
        bundle = await stored_bundle(self._store.read, promotion)
        async with self._store.transaction() as tx:
            current = await tx.promotion(promotion.id)
            if current.phase is not Phase.SCHEDULED:
                return
            begun = await begin(
                tx,
                self._cluster,
                self._access.policy,
                current,
                PromotionEvent.DUE,
                bundle=bundle,
                void=void,
            )
        self._decider.hand_over(begun)

    async def _lapsed(self, promotion: Promotion, freeze: FrozenApp | None) -> Sentence:
        """Return what keeps it: a right that is gone since, of whoever asked for it or of those who approved it, or a freeze."""
        app, policy = promotion.app, self._access.policy
        asks = await self._access.principal(promotion.requested_by)
        right = explain_right(policy, asks, "promote", app)
        if not right.allowed:
            return Sentence.of(
                promotion.requested_by, ", who asked for it, may not promote it now: ", right.because
            )
        if asks.actor.kind == "token" and await self._store.read.token_revoked_since(
            asks.actor.id, promotion.requested_at
        ):
            return Sentence.of(promotion.requested_by, ", which asked for it, was revoked since")
        if freeze is not None and policy.overriding_role(asks.actor, app, asks.groups) is None:
            return freeze.sentence
        if not promotion.approvals_needed:
            return EMPTY_SENTENCE
        return await lapsed_approvals(self._store.read, self._access, promotion)

    async def _remind(self, promotion: Promotion) -> None:
        async with self._store.transaction() as tx:
            current = await tx.promotion(promotion.id)
            waits = current.waits_for
            if current.phase is not Phase.SCHEDULED or waits is None or waits.at is None or waits.reminded:
                return
            reminded = replace(current, waits_for=replace(waits, reminded=True))
            await tx.save_promotion(reminded, was=current.phase)
            if current.channel is not None:
                said = Sentence.of(
                    f"{current.release} of {current.app} starts at ",
                    TimeOfDay(waits.at),
                    ", asked for by ",
                    current.requested_by,
                )
                await tx.add_notice(current.channel, said, kind="soon", promotion=current.id)
        self._decider.hand_over(reminded)


def _is_soon(promotion: Promotion, now: datetime) -> bool:
    """Tell whether people are to be told: not of what was asked for within the ten minutes."""
    waits = promotion.waits_for
    if waits is None or waits.at is None or waits.reminded:
        return False
    return waits.at - NOTICE <= now < waits.at and waits.at - promotion.requested_at > NOTICE

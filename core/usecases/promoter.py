"""Asking for a promotion or a rollback. What people decide about it later is core.usecases.decider's."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.actor import Actor, Caller
from core.clock import Clock
from core.errors import Conflict
from core.failpoints import failpoint
from core.ids import new_id
from core.lifecycle.access import Access
from core.lifecycle.bundles import current_binding
from core.lifecycle.cautions import cautions
from core.lifecycle.due import moment, turn, zone_of
from core.lifecycle.freezing import frozen
from core.lifecycle.glass import glass_broken
from core.lifecycle.guards import limits_of
from core.lifecycle.once import use_once
from core.lifecycle.principal import Principal
from core.lifecycle.reminding import ask_for_approval
from core.lifecycle.startable import check_startable
from core.lifecycle.take_over import claim_rollout
from core.lifecycle.transition import move, start
from core.lifecycle.visibility import undelivered_card
from core.log_context import log_about
from core.ports.cluster import Cluster
from core.ports.outbox import Card
from core.ports.store import Store, Transaction
from core.promotion import Phase, Promotion, PromotionEvent
from core.records.release import Release, ReleaseEntry
from core.records.waits_for import WaitsFor
from core.sentence import Sentence
from core.usecases.asking import (
    PromotionRequest,
    RequestBundle,
    RequestContext,
    considered,
    prepared,
    restarted,
)
from core.usecases.attempts import StaleRequest, until_current
from core.usecases.decider import Decider

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionResult:
    """What became of a request.

    Attributes:
        promotion: the promotion, new or, with `already_waiting`, the one that already waits for the same release.
        rolled_back_to: for a rollback, the release that was copied.
        skipped: why the newest release was not taken, or "".
        already_waiting: nothing new was made.
        came_too_late: `--force`, `--overwrite` or the reason came too late: somebody has approved it without.
        undelivered_card: the card of the app's promotion before, where the channel of this one did not take it.
    """

    promotion: Promotion
    rolled_back_to: str = ""
    skipped: str = ""
    already_waiting: bool = False
    came_too_late: bool = False
    undelivered_card: Card | None = None


class Promoter:
    """Takes requests, each in one transaction with its audit and outbox rows."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        decider: Decider,
        clock: Clock,
        *,
        why_not_startable: Callable[[], str],
    ) -> None:
        """Wire the use cases.

        Args:
            store: the records.
            cluster: renders bundles.
            access: who may do what.
            decider: ends what waits in vain before a request, and hands over what has started after it.
            clock: tells when a request is looked at before its transaction.
            why_not_startable: says why nothing may start now (disk nearly full), or "".
        """
        self._store = store
        self._cluster = cluster
        self._access = access
        self._decider = decider
        self._clock = clock
        self._why_not_startable = why_not_startable

    async def request(self, caller: Caller, request: PromotionRequest) -> PromotionResult:
        """Ask for a promotion, a rollback or a restart; each needs a right of its own.

        Raises:
            UserError: the guards of contract 5, in their order; the sentence says which.
        """
        principal = await self._access.require_principal(caller.actor, request.action.verb, request.app)
        caller = replace(caller, actor=principal.actor)
        request = _timed(request, principal, self._clock.now())
        check_startable(self._why_not_startable)
        await self._decider.expire_stale(*await self._store.read.awaiting(request.app))

        async def attempt() -> PromotionResult:
            asked = await considered(
                self._store.read, self._access.policy, principal, request, self._clock.now()
            )
            bundle = await prepared(self._store, self._cluster, asked, request)
            async with self._store.transaction(delivery=caller.delivery) as tx:
                if request.build and not await tx.finish_promotion_job(request.build):
                    raise Conflict(f"the release of {request.build} was asked for already")
                requested = await self._request(tx, caller, request, bundle, principal)
                requested = replace(
                    requested, undelivered_card=await undelivered_card(tx, requested.promotion)
                )
                failpoint("request.before_commit")
            failpoint("request.after_commit")
            log_about(app=request.app, promotion=requested.promotion.id)
            log.info("%s of %s is asked for", requested.promotion.release, request.app)
            self._decider.hand_over(requested.promotion)
            return requested

        return await until_current(attempt)

    async def _request(
        self,
        tx: Transaction,
        caller: Caller,
        request: PromotionRequest,
        bundle: RequestBundle | None,
        principal: Principal,
    ) -> PromotionResult:
        asked = await considered(tx, self._access.policy, principal, request, tx.now)
        if asked.waiting is not None:
            return await self._again(tx, asked, asked.waiting, caller.actor, request)
        if bundle is None or not await bundle.fits(tx, asked):
            raise StaleRequest
        await use_once(tx, caller, request.app)
        copied = None
        if request.kind == "rollback":
            copied = asked.release
            await self._copy(tx, bundle.release, caller.actor)
        promotion = await self._plan(tx, asked, bundle, caller, request)
        # A restart makes no other release the active one, so what waits to do so goes on waiting.
        for older in () if promotion.restarts else asked.context.awaiting:
            await move(
                tx,
                older,
                PromotionEvent.SUPERSEDED,
                actor=caller.actor,
                superseded_by=promotion.release,
                taken_over_by=caller.actor,
            )
        if promotion.phase is Phase.PENDING:
            promotion = await claim_rollout(tx, asked.context, promotion)
        await self._record(tx, promotion, copied)
        if promotion.phase is Phase.AWAITING_APPROVAL:
            await ask_for_approval(tx, promotion, asked.rules, asked.rule)
        if promotion.break_glass and (channel := asked.context.app.channel or promotion.channel):
            await tx.add_notice(channel, glass_broken(promotion))
        return PromotionResult(
            promotion=promotion, rolled_back_to=copied.id if copied else "", skipped=asked.skipped
        )

    async def _again(
        self,
        tx: Transaction,
        asked: RequestContext,
        waiting: Promotion,
        actor: Actor,
        request: PromotionRequest,
    ) -> PromotionResult:
        """Point to the one that waits for the same release; `--force`, `--overwrite` and a reason are added while nobody has approved.

        Whoever adds them asks for what goes out as the first one does, so they cannot approve it either (engine rule 41); and a
        click on a card that did not show it yet approves nothing (rule 9).
        """
        more = replace(
            waiting,
            force=waiting.force or request.force,
            overwrite=waiting.overwrite or request.overwrite,
            anyway=waiting.anyway or (request.anyway if asked.held else None),
            revision=waiting.revision + 1,
            added_at=waiting.revision + 1,
        )
        if (more.force, more.overwrite, more.anyway) == (waiting.force, waiting.overwrite, waiting.anyway):
            return PromotionResult(promotion=waiting, already_waiting=True)
        if await tx.approvals(waiting.id):
            return PromotionResult(promotion=waiting, already_waiting=True, came_too_late=True)
        if actor.key != waiting.requested_by.key:
            more = replace(more, authors=tuple(dict.fromkeys((*waiting.authors, actor))))
        await tx.save_promotion(more, was=waiting.phase)
        detail = {
            "app": more.app,
            "release": more.release,
            "force": more.force,
            "overwrite": more.overwrite,
            "anyway": more.anyway is not None,
        }
        await tx.audit(actor, "promote.again", more.id, detail)
        return PromotionResult(promotion=more, already_waiting=True)

    async def _copy(self, tx: Transaction, copy: Release, actor: Actor) -> None:
        """Copy a release forward, as Convox rolls back; the description names the source."""
        sequence = await tx.next_sequence(copy.app)
        await tx.add_release(replace(copy, sequence=sequence, created_at=tx.now, created_by=actor))
        await tx.audit(actor, "release.copy", copy.id, {"app": copy.app, "from": copy.copy_of})

    async def _plan(
        self,
        tx: Transaction,
        asked: RequestContext,
        bundle: RequestBundle,
        caller: Caller,
        request: PromotionRequest,
    ) -> Promotion:
        """Store what would run, and say what it needs before it starts."""
        app, rules, release = asked.context.app, asked.rules, bundle.release
        if bundle.sealed is not None:
            await tx.save_bundle(bundle.bundle, bundle.sealed)
        count = 0 if release.id == app.active_release else asked.rule.count
        through = [asked.freeze] if asked.freeze else []
        if request.break_glass and count:
            through.append(Sentence.of(f"{count} approval{'s are' if count > 1 else ' is'} missing"))
            count = 0
        waits_for = request.waits_for
        if waits_for and waits_for.what == "free":
            freeze = frozen(self._access.policy, await tx.freezes(), request.app, tx.now)
            waits_for = turn(freeze, busy=asked.context.in_flight is not None)
        # Said on the card as the reason why a release on hold went out: no hold, no reason.
        anyway = request.anyway if asked.held else None
        variables_of = app.active_release if request.variables == "now" else None
        return Promotion(
            id=new_id("promotion"),
            app=request.app,
            release=release.id,
            kind=request.kind,
            phase=_first_phase(count, waits_for),
            waits_for=waits_for,
            requested_by=caller.actor,
            requested_at=tx.now,
            source=caller.source,
            channel=app.channel or rules.channel or caller.channel,
            force=request.force,
            overwrite=request.overwrite,
            cautions=cautions(bundle.bundle, first=app.active_release is None, variables_of=variables_of),
            variables_of=variables_of,
            anyway=anyway,
            # Where nothing is in the way no glass is broken.
            break_glass=request.break_glass if through else None,
            through=tuple(through),
            along=bundle.along,
            authors=bundle.authors,
            restarts=restarted(bundle.bundle, request),
            limits=limits_of(rules, first=app.active_release is None),
            approvals_needed=count,
            expires_at=tx.now + timedelta(seconds=asked.rule.expires) if count else None,
            binding=await current_binding(tx, self._cluster, app, bundle.bundle, follows=asked.follows),
        )

    async def _record(self, tx: Transaction, promotion: Promotion, copied: ReleaseEntry | None) -> None:
        await tx.add_promotion(promotion)
        if promotion.channel is not None:
            await tx.add_card(promotion.id, promotion.channel)
        await tx.audit(
            promotion.requested_by,
            "restart.request" if promotion.restarts else f"{promotion.kind}.request",
            promotion.id,
            {
                "app": promotion.app,
                "release": promotion.release,
                "copy_of": copied.id if copied else None,
                "variables_of": promotion.variables_of,
                "force": promotion.force,
                "overwrite": promotion.overwrite,
                "anyway": promotion.anyway is not None,
                "break_glass": promotion.break_glass,
                "through": [str(each) for each in promotion.through],
                "approvals": promotion.approvals_needed,
                "waits_for": _audited(promotion.waits_for),
                "restarts": list(promotion.restarts),
            },
        )
        if promotion.phase is Phase.PENDING:
            await start(tx, promotion)


def _first_phase(approvals: int, waits_for: WaitsFor | None) -> Phase:
    if approvals:
        return Phase.AWAITING_APPROVAL
    return Phase.SCHEDULED if waits_for else Phase.PENDING


def _audited(waits: WaitsFor | None) -> str | None:
    """Return what it waits for beside its approvals, as the audit has it: `time 2026-12-01T17:00:00+00:00`, `free`, `window`."""
    if waits is None:
        return None
    return f"{waits.what} {waits.at.isoformat()}" if waits.at else waits.what


def _timed(request: PromotionRequest, principal: Principal, now: datetime) -> PromotionRequest:
    """Return the request with what it waits for; a time of day is that of whoever asks.

    Raises:
        Invalid: what was typed is no time, or no time that can be waited for.
    """
    if request.at is not None:
        at = moment(request.at, zone_of(principal.zone), now)
        return replace(request, waits_for=WaitsFor(what="time", at=at))
    if request.queue:
        return replace(request, waits_for=WaitsFor(what="free"))
    return request

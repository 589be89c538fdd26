"""Asking for a promotion or a rollback. What people decide about it later is core.usecases.decider's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from core.actor import Actor, Caller
from core.errors import Conflict, NotFound, Taken, Unavailable
from core.failpoints import failpoint
from core.ids import new_id
from core.lifecycle.access import Access
from core.lifecycle.bundles import bundle_of, current_binding
from core.lifecycle.guards import (
    PromotionContext,
    approval_rule,
    busy_error,
    check_pinned,
    guard,
    guard_rollback,
    limits_of,
    read_context,
)
from core.lifecycle.holds import newest_promotable, why_held
from core.lifecycle.take_over import claim_rollout
from core.lifecycle.transition import move, start
from core.lifecycle.visibility import undelivered_card
from core.ports.cluster import Cluster
from core.ports.outbox import Card
from core.ports.store import Store, Transaction
from core.promotion import Phase, Promotion, PromotionEvent, PromotionKind
from core.records.release import Release
from core.usecases.decider import Decider
from core.usecases.registrar import TRIES


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRequest:
    """What is asked for."""

    app: str
    kind: PromotionKind = "promote"
    release: str | None = None
    force: bool = False
    overwrite: bool = False
    anyway: str | None = None

    @property
    def takes_over(self) -> bool:
        return self.force or self.kind == "rollback"


class Promoter:
    """Takes requests, each in one transaction with its audit and outbox rows."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        decider: Decider,
        *,
        why_not_startable: Callable[[], str],
    ) -> None:
        """Wire the use cases.

        Args:
            store: the records.
            cluster: renders bundles.
            access: who may do what.
            decider: ends what waits in vain before a request, and hands over what has started after it.
            why_not_startable: says why nothing may start now (disk nearly full), or "".
        """
        self._store = store
        self._cluster = cluster
        self._access = access
        self._decider = decider
        self._why_not_startable = why_not_startable

    async def request(self, caller: Caller, request: PromotionRequest) -> PromotionResult:
        """Ask for a promotion or a rollback; either is the name of the right that it needs.

        Raises:
            UserError: the guards of contract 5, in their order; the sentence says which.
        """
        caller = replace(caller, actor=await self._access.require(caller.actor, request.kind, request.app))
        if reason := self._why_not_startable():
            raise Unavailable(reason)
        await self._decider.expire_stale(*await self._store.read.awaiting(request.app))
        for _ in range(TRIES):
            try:
                async with self._store.transaction(delivery=caller.delivery) as tx:
                    requested = await self._request(tx, caller, request)
                    requested = replace(
                        requested, undelivered_card=await undelivered_card(tx, requested.promotion)
                    )
                    failpoint("request.before_commit")
            except Taken:
                continue
            failpoint("request.after_commit")
            self._decider.hand_over(requested.promotion)
            return requested
        raise Conflict("no free id was found", hint="try again")

    async def _request(self, tx: Transaction, caller: Caller, request: PromotionRequest) -> PromotionResult:
        context = await read_context(tx, request.app)
        if context.in_flight is not None and not request.takes_over:
            raise busy_error(context.in_flight)
        release, copied, skipped = await self._target(tx, context, caller.actor, request)
        same = next((p for p in context.awaiting if p.release == release.id), None)
        if same is not None:
            return await self._again(tx, context, same, caller.actor, request)
        if request.kind == "promote":
            guard(context, release, anyway=request.anyway)
        promotion = await self._plan(tx, context, release, copied, caller, request)
        for older in context.awaiting:
            await move(
                tx,
                older,
                PromotionEvent.SUPERSEDED,
                actor=caller.actor,
                superseded_by=release.id,
                taken_over_by=caller.actor,
            )
        if promotion.phase is Phase.PENDING:
            promotion = await claim_rollout(tx, context, promotion)
        await self._record(tx, promotion, copied)
        return PromotionResult(
            promotion=promotion, rolled_back_to=copied.id if copied else "", skipped=skipped
        )

    async def _again(
        self,
        tx: Transaction,
        context: PromotionContext,
        waiting: Promotion,
        actor: Actor,
        request: PromotionRequest,
    ) -> PromotionResult:
        """Point to the one that waits for the same release; `--force`, `--overwrite` and a reason are added while nobody has approved."""
        release = context.find(waiting.release)
        held = why_held(release, context.releases, context.statuses) if release else ""
        more = replace(
            waiting,
            force=waiting.force or request.force,
            overwrite=waiting.overwrite or request.overwrite,
            anyway=waiting.anyway or (request.anyway if held else None),
            revision=waiting.revision + 1,
        )
        if (more.force, more.overwrite, more.anyway) == (waiting.force, waiting.overwrite, waiting.anyway):
            return PromotionResult(promotion=waiting, already_waiting=True)
        if await tx.approvals(waiting.id):
            return PromotionResult(promotion=waiting, already_waiting=True, came_too_late=True)
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

    async def _target(
        self, tx: Transaction, context: PromotionContext, actor: Actor, request: PromotionRequest
    ) -> tuple[Release, Release | None, str]:
        """Return the release to promote, the one it was copied from, and what to say of a skipped one."""
        if request.kind == "rollback":
            assert request.release is not None
            source = await tx.release(request.app, request.release)
            guard_rollback(context, source)
            return await self._copy(tx, source, actor), source, ""
        if request.release is not None:
            return await tx.release(request.app, request.release), None, ""
        newest, skipped = newest_promotable(context.releases, context.statuses)
        if newest is None:
            held = f": {skipped.id} is on hold" if skipped else ""
            raise NotFound(f"no releases to promote{held}")
        return newest, None, f"{skipped.id} is on hold and was skipped" if skipped else ""

    async def _copy(self, tx: Transaction, source: Release, actor: Actor) -> Release:
        """Copy a release forward, as Convox rolls back; the description names the source."""
        copy = Release(
            id=new_id("release"),
            app=source.app,
            sequence=await tx.next_sequence(source.app),
            build=source.build,
            environment=source.environment,
            description=f"rollback to {source.id}",
            created_at=tx.now,
            created_by=actor,
            copy_of=source.id,
        )
        await tx.add_release(copy)
        await tx.audit(actor, "release.copy", copy.id, {"app": source.app, "from": source.id})
        return copy

    async def _plan(
        self,
        tx: Transaction,
        context: PromotionContext,
        release: Release,
        copied: Release | None,
        caller: Caller,
        request: PromotionRequest,
    ) -> Promotion:
        """Render what would run, and say what it needs before it starts."""
        rules = self._access.policy.rules(request.app)
        rule = approval_rule(rules, kind=request.kind, target=copied, statuses=context.statuses)
        again = release.id == context.app.active
        assert release.build is not None
        check_pinned(await tx.build(request.app, release.build), rules, rule.count)
        bundle = await bundle_of(tx, self._cluster, release, context.app, rules)
        if await tx.bundle(release.id) is None:
            await tx.save_bundle(bundle)
        count = 0 if again else rule.count
        return Promotion(
            id=new_id("promotion"),
            app=request.app,
            release=release.id,
            kind=request.kind,
            phase=Phase.AWAITING_APPROVAL if count else Phase.PENDING,
            requested_by=caller.actor,
            requested_at=tx.now,
            source=caller.source,
            channel=caller.channel or context.app.channel or rules.channel,
            force=request.force,
            overwrite=request.overwrite,
            # Said on the card as the reason why a release on hold went out: no hold, no reason.
            anyway=request.anyway if why_held(release, context.releases, context.statuses) else None,
            limits=limits_of(rules, first=context.app.active is None),
            approvals_needed=count,
            expires_at=tx.now + timedelta(seconds=rule.expires) if count else None,
            approved_for=await current_binding(tx, self._cluster, context.app, bundle),
        )

    async def _record(self, tx: Transaction, promotion: Promotion, copied: Release | None) -> None:
        await tx.add_promotion(promotion)
        if promotion.channel is not None:
            await tx.add_card(promotion.id, promotion.channel)
        if promotion.phase is Phase.PENDING:
            await start(tx, promotion)
        await tx.audit(
            promotion.requested_by,
            f"{promotion.kind}.request",
            promotion.id,
            {
                "app": promotion.app,
                "release": promotion.release,
                "copy_of": copied.id if copied else None,
                "force": promotion.force,
                "overwrite": promotion.overwrite,
                "anyway": promotion.anyway is not None,
                "approvals": promotion.approvals_needed,
            },
        )

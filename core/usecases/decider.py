"""Use cases of a promotion that waits or runs: approve, decline, cancel, expire."""

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from core.actor import BOT, Caller
from core.errors import Busy, Conflict, Invalid, NotFound
from core.failpoints import failpoint
from core.lifecycle.access import Access
from core.lifecycle.approvals import missing
from core.lifecycle.beginning import begin
from core.lifecycle.build_ending import cancel_builds
from core.lifecycle.contexts import decision_context
from core.lifecycle.explain import Action, ActionContext, explain
from core.lifecycle.gate import lapsed_approvals, stored_bundle
from core.lifecycle.guards import busy_error
from core.lifecycle.holds import hold
from core.lifecycle.principal import Principal
from core.lifecycle.startable import check_startable
from core.lifecycle.transition import move
from core.lifecycle.visibility import why_unseen
from core.log_context import log_about
from core.policy.people import among
from core.ports.announcer import Announcer
from core.ports.cluster import Cluster
from core.ports.rollouts import RolloutRunner
from core.ports.store import Store, Transaction
from core.promotion import Phase, Promotion, PromotionEvent
from core.records.approval import Approval
from core.records.bundle import Bundle
from core.records.step import PruneJob
from core.sentence import CommandLine, Sentence

# For so long, from now, what failed may be left as it is without somebody who takes it in hand.
LONGEST_COUNTDOWN = timedelta(days=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A promotion with one more approval, and how many people must still give theirs."""

    promotion: Promotion
    missing: int


class Decider:
    """What people decide about a promotion: the right first, then one transaction with its audit and outbox rows."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        announcer: Announcer,
        runner: RolloutRunner,
        *,
        why_not_startable: Callable[[], str],
    ) -> None:
        """Wire the use cases.

        Args:
            store: the records.
            cluster: knows what would be pruned, which is part of what was approved.
            access: who may do what.
            announcer: is woken after a commit that wrote outbox rows.
            runner: is handed every promotion that has started.
            why_not_startable: says why nothing may start now (disk nearly full), or "".
        """
        self._store = store
        self._cluster = cluster
        self._access = access
        self._announcer = announcer
        self._runner = runner
        self._why_not_startable = why_not_startable

    async def approve(self, caller: Caller, promotion_id: str, *, app: str | None = None) -> Approved:
        """Approve; the last approval that was missing starts the rollout.

        Args:
            caller: who asks.
            promotion_id: what is approved.
            app: whose promotion the caller takes it for, if they said so; its own app counts.

        Raises:
            NotFound: there is no such promotion, or it is of another app.
            Conflict: it no longer waits, or this person has decided; the sentence says who and when.
            Forbidden: this person may not, now.
        """
        promotion = await self._find(promotion_id, app)
        principal = await self._access.require_principal(caller.actor, "approve", promotion.app)
        check_startable(self._why_not_startable)
        actor, groups = principal.actor, principal.groups
        await self.expire_stale(promotion)
        void = await lapsed_approvals(self._store.read, self._access, promotion, more=1)
        bundle = await stored_bundle(self._store.read, promotion)
        rules = self._access.policy.rules(promotion.app)
        people = rules.promote.people + rules.rollback.people
        strange = bool(people) and not among(actor, people, groups)
        unable = await self._access.unable(people if strange else (), actor, groups)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            promotion = await tx.promotion(promotion_id)
            await self._enforce(tx, "approve", principal, promotion, unable)
            _check_seen(caller, promotion)
            await tx.add_approval(
                Approval(promotion=promotion.id, actor=actor, decision="approve", at=tx.now)
            )
            detail = {"app": promotion.app, "bound": str(promotion.binding)}
            await tx.audit(actor, "promotion.approve", promotion.id, detail)
            decided = await self._count(tx, promotion, bundle, void)
            left = missing(decided, await tx.approvals(promotion.id))
            failpoint("approve.before_commit")
        failpoint("approve.after_commit")
        _tell(decided, "approved")
        self.hand_over(decided)
        if decided.phase is Phase.REFUSED:
            raise Conflict(Sentence.of(f"{promotion_id} was refused: ", decided.reason))
        return Approved(promotion=decided, missing=left)

    async def _find(self, promotion_id: str, app: str | None) -> Promotion:
        promotion = await self._store.read.promotion(promotion_id)
        if app and promotion.app != app:
            raise NotFound(f"{promotion.id} is of the app {promotion.app}, not of {app}")
        return promotion

    async def _count(
        self, tx: Transaction, promotion: Promotion, bundle: Bundle, void: Sentence
    ) -> Promotion:
        """Count the approvals; with the last one it starts, unless it is void: then it stops nobody else's."""
        if missing(promotion, await tx.approvals(promotion.id)):
            shown = replace(promotion, revision=promotion.revision + 1)
            await tx.save_promotion(shown, was=promotion.phase)
            return shown
        return await begin(
            tx,
            self._cluster,
            self._access.policy,
            promotion,
            PromotionEvent.APPROVED,
            bundle=bundle,
            void=void,
        )

    async def decline(
        self, caller: Caller, promotion_id: str, reason: str = "", *, app: str | None = None
    ) -> Promotion:
        """Decline for everybody; `app` and what is raised are as in `approve`."""
        promotion = await self._find(promotion_id, app)
        principal = await self._access.require_principal(caller.actor, "approve", promotion.app)
        actor = principal.actor
        await self.expire_stale(promotion)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            promotion = await tx.promotion(promotion_id)
            await self._enforce(tx, "decline", principal, promotion)
            await tx.add_approval(
                Approval(promotion=promotion.id, actor=actor, decision="decline", at=tx.now, reason=reason)
            )
            said = Sentence.of(reason)
            declined = await move(
                tx, promotion, PromotionEvent.DECLINED, actor=actor, declined_by=actor, reason=said
            )
        _tell(declined, "declined")
        self._announcer.wake()
        return declined

    async def cancel(self, caller: Caller, promotion_id: str, *, app: str | None = None) -> Promotion:
        """Stop this promotion, running or waiting; what was touched goes back. `app` is as in `approve`.

        Raises:
            NotFound: there is no such promotion, or it is of another app.
            Conflict: `app is not updating`, since it has ended, or it is already going back.
        """
        promotion = await self._find(promotion_id, app)
        return await self._cancel(caller, promotion.app, promotion_id)

    async def cancel_app(self, caller: Caller, app: str) -> Promotion:
        """Stop what is running, or else what is waiting; raises as `cancel` does."""
        return await self._cancel(caller, app, None)

    async def _cancel(self, caller: Caller, app: str, promotion_id: str | None) -> Promotion:
        principal = await self._access.require_principal(caller.actor, "cancel", app)
        actor = principal.actor
        await self.expire_stale(*await self._store.read.awaiting(app))
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.app(app)
            waiting = await tx.awaiting(app)
            running = await tx.in_flight(app)
            promotion = (
                await tx.promotion(promotion_id) if promotion_id else running or next(iter(waiting), None)
            )
            meets = ActionContext(policy=self._access.policy, now=tx.now, promotion=promotion)
            explain(Action(kind="cancel", app=app), principal, meets).enforce()
            assert promotion is not None, "it is refused"
            if promotion.phase is Phase.COUNTDOWN:
                # It has failed already: who does not wait for the end of the countdown is not why it goes back.
                cancelled = await move(tx, promotion, PromotionEvent.DUE, actor=actor)
            else:
                cancelled = await move(
                    tx, promotion, PromotionEvent.CANCELLED, actor=actor, cancelled_by=actor
                )
            failpoint("cancel.before_commit")
        failpoint("cancel.after_commit")
        _tell(cancelled, "cancelled")
        self.hand_over(cancelled)
        return cancelled

    async def stop(self, caller: Caller, promotion_id: str, *, app: str | None = None) -> Promotion:
        """Take a promotion that counts down in hand: nothing of it goes back by itself. `app` is as in `approve`.

        Raises:
            NotFound: there is no such promotion, or it is of another app.
            Conflict: it is not about to go back by itself, or goes back already.
        """
        promotion = await self._find(promotion_id, app)
        principal = await self._access.require_principal(caller.actor, "cancel", promotion.app)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            promotion = await self._counting_down(tx, "stop", principal, promotion_id)
            if not promotion.spares_release:
                await hold(tx, promotion)
            actor = principal.actor
            stopped = await move(tx, promotion, PromotionEvent.STOPPED, actor=actor, stopped_by=actor)
            failpoint("cancel.before_commit")
        failpoint("cancel.after_commit")
        self.hand_over(stopped)
        return stopped

    async def snooze(
        self, caller: Caller, promotion_id: str, seconds: float, *, app: str | None = None
    ) -> Promotion:
        """Put the end of a countdown off by so many seconds; `app` and what is raised are as in `stop`.

        Raises:
            Invalid: it would stand for longer than a day from now.
        """
        promotion = await self._find(promotion_id, app)
        principal = await self._access.require_principal(caller.actor, "cancel", promotion.app)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            promotion = await self._counting_down(tx, "snooze", principal, promotion_id)
            assert promotion.countdown is not None, "it began with one"
            countdown = promotion.countdown.later(seconds)
            if countdown.at - tx.now > LONGEST_COUNTDOWN:
                raise Invalid(
                    f"{promotion.id} would stand as it is for more than a day",
                    hint=Sentence.of(CommandLine(f"stop {promotion.id}"), " keeps it from going back at all"),
                )
            put_off = replace(promotion, countdown=countdown, revision=promotion.revision + 1)
            await tx.save_promotion(put_off, was=promotion.phase)
            detail = {"app": promotion.app, "release": promotion.release, "seconds": seconds}
            await tx.audit(principal.actor, "promotion.snooze", promotion.id, detail)
        self._announcer.wake()
        return put_off

    async def _counting_down(
        self, tx: Transaction, kind: Literal["stop", "snooze"], principal: Principal, promotion_id: str
    ) -> Promotion:
        promotion = await tx.promotion(promotion_id)
        meets = ActionContext(policy=self._access.policy, now=tx.now, promotion=promotion)
        explain(Action(kind=kind, app=promotion.app), principal, meets).enforce()
        return promotion

    async def delete_app(self, caller: Caller, app: str) -> None:
        """Delete an app: what waits and what is built is cancelled, its workloads and Services are removed, its records stay.

        Raises:
            Conflict: it is locked.
            Busy: something of it is rolling out.
        """
        actor = await self._access.require(caller.actor, "admin", app)
        check_startable(self._why_not_startable)
        await self.expire_stale(*await self._store.read.awaiting(app))
        async with self._store.transaction(delivery=caller.delivery) as tx:
            found = await tx.app(app)
            if found.locked:
                raise Conflict(f"app is locked: {app}", hint=Sentence.of(CommandLine(f"apps unlock {app}")))
            if running := await tx.in_flight(app):
                raise Busy(
                    busy_error(running).sentence,
                    hint=Sentence.of("wait, or stop it with ", CommandLine(f"apps cancel {app}")),
                )
            for waiting in await tx.awaiting(app):
                await move(tx, waiting, PromotionEvent.CANCELLED, actor=actor, cancelled_by=actor)
            await cancel_builds(tx, app, actor)
            await self._ask_removal(tx, app)
            await tx.link(app, None)
            await tx.delete_app(app)
            detail = {"channel": found.channel, "release": found.active_release}
            await tx.audit(actor, "app.delete", app, detail)
        self._announcer.wake()
        self._runner.clear_up(app)

    async def _ask_removal(self, tx: Transaction, app: str) -> None:
        """Ask for the removal of all that was ever rolled out, in the name of the promotion that claimed the namespace last."""
        if (last := await tx.last_touched(app)) is None:
            return
        left = {ref for job in await tx.prune_jobs(app) for ref in job.refs}
        refs = left | await tx.bundle_refs(app, self._cluster.pruned_kinds)
        await tx.finish_prune_job(last.id)
        await tx.add_prune_job(PruneJob(promotion=last.id, app=app, refs=tuple(sorted(refs))))

    async def expire(self, now: datetime) -> None:
        """End every wait for an approval that nobody gave in time, or that nobody can see."""
        # All that wait are looked through every few seconds: only what seems to be over is locked.
        for promotion in await self._store.read.all_awaiting():
            late = promotion.expires_at is not None and now >= promotion.expires_at
            if late or why_unseen(await self._store.read.card(promotion.id)):
                await self.expire_stale(promotion)

    async def expire_stale(self, *promotions: Promotion) -> None:
        """End those of the promotions that wait in vain; applied before any click (engine, cells)."""
        for promotion in promotions:
            if promotion.phase is not Phase.AWAITING_APPROVAL:
                continue
            # No part of any delivery: a request that only ended these was not carried out.
            async with self._store.transaction() as tx:
                current = await tx.promotion(promotion.id)
                if current.phase is not Phase.AWAITING_APPROVAL:
                    continue
                if current.expires_at is not None and tx.now >= current.expires_at:
                    await move(tx, current, PromotionEvent.EXPIRED, actor=BOT)
                elif why := why_unseen(await tx.card(current.id)):
                    await move(tx, current, PromotionEvent.REFUSED, actor=BOT, reason=Sentence.of(why))
                else:
                    continue
            self._announcer.wake()

    async def _enforce(
        self,
        tx: Transaction,
        kind: Literal["approve", "decline"],
        principal: Principal,
        promotion: Promotion,
        unable: Container[str] = (),
    ) -> None:
        """Raise what `explain` says against it, in the transaction that would decide it."""
        meets = await decision_context(
            tx,
            self._access.policy,
            promotion,
            tx.now,
            not_startable=self._why_not_startable(),
            unable=unable,
        )
        explain(Action(kind=kind, app=promotion.app), principal, meets).enforce()

    def hand_over(self, promotion: Promotion) -> None:
        """After the commit: tell people, and drive what has started."""
        self._announcer.wake()
        self._runner.wake(promotion.app)
        if promotion.in_flight:
            self._runner.drive(promotion)


def _check_seen(caller: Caller, promotion: Promotion) -> None:
    """Refuse an approval of less than would run: somebody has added to it since the card was shown (engine rule 9)."""
    if caller.seen is None or caller.seen >= promotion.added_at:
        return
    added = [
        f"`{flag}`" for flag, on in (("--force", promotion.force), ("--overwrite", promotion.overwrite)) if on
    ]
    if promotion.anyway:
        added.append(f"a reason to promote what is on hold, “{promotion.anyway}”")
    raise Conflict(
        f"{promotion.id} asks for more than when its card was shown to you: {', '.join(added)}; nothing was approved",
        hint="look at the card as it is now, and approve that",
    )


def _tell(promotion: Promotion, what: str) -> None:
    """Say in the log what somebody has decided; who it was stands in the audit."""
    log_about(app=promotion.app, promotion=promotion.id)
    log.info("%s of %s is %s: %s", promotion.release, promotion.app, what, promotion.phase)

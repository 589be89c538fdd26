"""Use cases of promotions: ask, approve, decline, cancel, expire. Driving one to its end is core.rollout's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, Protocol

from core.access import Access
from core.actor import BOT, Actor
from core.approval import Approval
from core.approvals import may_approve, missing
from core.errors import Conflict, Forbidden, NotFound, Taken, Unwritable
from core.failpoints import failpoint
from core.gate import lost, mismatch
from core.holds import newest_free, why_held
from core.ids import new_id
from core.policy import ApprovalRule
from core.ports import Announcer, Cluster, Store, Transaction
from core.promotion import GOING_BACK, Event, Phase, Promotion, advance
from core.records import ALL, TRIES
from core.release import Release, Standing
from core.requests import (
    Ground,
    approval_rule,
    binding,
    bundle_of,
    busy,
    check_pinned,
    guard,
    guard_rollback,
    limits_of,
    read_ground,
    target_of,
)
from core.rollout.starting import NOT_IN_CHANNEL, is_unseen
from core.transitions import move, start


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What became of a request.

    Attributes:
        promotion: the promotion, new or, with `pointer`, the one that already waits for the same release.
        rolled_back_to: for a rollback, the release that was copied.
        skipped: why the newest release was not taken, or "".
        pointer: nothing new was made.
    """

    promotion: Promotion
    rolled_back_to: str = ""
    skipped: str = ""
    pointer: bool = False


class Driver(Protocol):
    """Whoever drives started promotions to their end."""

    def drive(self, promotion: Promotion) -> None:
        """Go on with the promotion in a task of its own; returns at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came in."""

    actor: Actor
    app: str
    source: Literal["slack", "http"]
    channel: str | None
    kind: Literal["promote", "rollback"] = "promote"
    release: str | None = None
    force: bool = False
    anyway: str | None = None


class Promoter:
    """Decide on promotions, each decision in one transaction with its audit and outbox rows."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        announcer: Announcer,
        driver: Driver,
        *,
        startable: Callable[[], str],
    ) -> None:
        """Wire the use cases.

        Args:
            store: the records.
            cluster: renders bundles.
            access: who may do what.
            announcer: is woken after a commit that wrote outbox rows.
            driver: is handed every promotion that has started.
            startable: says why nothing may start now (disk nearly full), or "".
        """
        self._store = store
        self._cluster = cluster
        self._access = access
        self._announcer = announcer
        self._driver = driver
        self._startable = startable

    async def request(self, asked: Asked) -> Requested:
        """Ask for a promotion or a rollback.

        Raises:
            UserError: the guards of contract 5, in their order; the sentence says which.
        """
        if reason := self._startable():
            raise Unwritable(reason)
        await self._end_vain(*await self._store.read.awaiting(asked.app))
        for _ in range(TRIES):
            try:
                async with self._store.transaction() as tx:
                    requested = await self._request(tx, asked)
                    failpoint("request.before_commit")
            except Taken:
                continue
            failpoint("request.after_commit")
            self._hand_over(requested.promotion)
            return requested
        raise Conflict("no free id was found", hint="try again")

    async def _request(self, tx: Transaction, asked: Asked) -> Requested:
        ground = await read_ground(tx, asked.app, everything=ALL)
        takes_over = asked.force or asked.kind == "rollback"
        if ground.in_flight is not None and not takes_over:
            raise busy(ground.in_flight)
        release, copied, skipped = await self._target(tx, ground, asked)
        same = next((p for p in ground.awaiting if p.release == release.id), None)
        if same is not None:
            return Requested(promotion=same, pointer=True)
        if asked.kind == "promote":
            guard(ground, release, anyway=asked.anyway)
        promotion = await self._plan(tx, ground, release, copied, asked)
        for older in ground.awaiting:
            await move(
                tx, older, Event.SUPERSEDED, actor=asked.actor, superseded_by=release.id, by=asked.actor
            )
        if promotion.phase is Phase.PENDING:
            promotion = await self._begin(tx, ground, promotion)
        await self._record(tx, promotion, copied)
        return Requested(promotion=promotion, rolled_back_to=copied.id if copied else "", skipped=skipped)

    async def _target(
        self, tx: Transaction, ground: Ground, asked: Asked
    ) -> tuple[Release, Release | None, str]:
        """Return the release to promote, the one it was copied from, and what to say of a skipped one."""
        if asked.kind == "rollback":
            assert asked.release is not None
            source = await tx.release(asked.app, asked.release)
            guard_rollback(ground, source)
            return await self._copy(tx, source, asked.actor), source, ""
        if asked.release is not None:
            return await tx.release(asked.app, asked.release), None, ""
        newest, skipped = newest_free(ground.releases, ground.standings)
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
        self, tx: Transaction, ground: Ground, release: Release, copied: Release | None, asked: Asked
    ) -> Promotion:
        """Render what would run, and say what it needs before it starts."""
        rules = self._access.policy.rules(asked.app)
        rule = approval_rule(rules, kind=asked.kind, target=copied, standings=ground.standings)
        again = release.id == ground.app.active
        assert release.build is not None
        check_pinned(await tx.build(asked.app, release.build), rules, rule)
        bundle = await bundle_of(tx, self._cluster, release, ground.app, rules)
        if await tx.bundle(release.id) is None:
            await tx.save_bundle(bundle)
        count = 0 if again else rule.count
        return Promotion(
            id=new_id("promotion"),
            app=asked.app,
            release=release.id,
            kind=asked.kind,
            phase=Phase.AWAITING_APPROVAL if count else Phase.PENDING,
            requested_by=asked.actor,
            requested_at=tx.now,
            source=asked.source,
            channel=asked.channel or ground.app.channel or rules.channel,
            force=asked.force,
            # Said on the card as the reason why a release on hold went out: no hold, no reason.
            anyway=asked.anyway if why_held(release, ground.releases, ground.standings) else None,
            limits=limits_of(rules, first=ground.app.active is None),
            approvals=count,
            expires_at=tx.now + timedelta(seconds=rule.expires) if count else None,
            approved_for=await binding(tx, ground.app, bundle),
        )

    async def _begin(self, tx: Transaction, ground: Ground, promotion: Promotion) -> Promotion:
        """Start: take over what is in flight, raise the fencing token, fix the way back."""
        holder = ground.in_flight
        if holder is not None:
            await move(
                tx,
                holder,
                Event.SUPERSEDED,
                actor=promotion.requested_by,
                superseded_by=promotion.release,
                by=promotion.requested_by,
            )
            failpoint("takeover.before_commit")
        if promotion.kind == "rollback":
            await self._withdraw(tx, ground)
        app = replace(ground.app, token=ground.app.token + 1)
        await tx.save_app(app)
        return replace(
            promotion,
            started_at=tx.now,
            stage_at=tx.now,
            token=app.token,
            back_to=target_of(ground, promotion.release),
            baseline_of=_baseline_of(holder),
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
                "anyway": promotion.anyway is not None,
                "approvals": promotion.approvals,
            },
        )

    async def _withdraw(self, tx: Transaction, ground: Ground) -> None:
        """A person turned away from these: never an automatic target again (engine rule 6)."""
        flying = ground.in_flight.release if ground.in_flight else None
        for release in {ground.app.active, flying} - {None}:
            assert release is not None
            standing = ground.standings.get(release) or Standing(release=release)
            await tx.save_standing(replace(standing, withdrawn=True))

    async def approve(self, actor: Actor, promotion_id: str) -> Promotion:
        """Approve; the last approval that was missing starts the rollout.

        Raises:
            NotFound: there is no such promotion.
            Conflict: it no longer waits, or this person has decided; the sentence says who and when.
            Forbidden: this person may not, now.
        """
        if reason := self._startable():
            raise Unwritable(reason)
        promotion = await self._store.read.promotion(promotion_id)
        actor = await self._access.require(actor, "approve", promotion.app)
        groups = await self._access.groups()
        await self._end_vain(promotion)
        void = await lost(self._access, promotion, await self._store.read.approvals(promotion.id), more=1)
        async with self._store.transaction() as tx:
            promotion = await tx.promotion(promotion_id)
            await self._check_waits(tx, promotion)
            rule = await self._rule(tx, promotion)
            decision = may_approve(promotion, rule, await tx.approvals(promotion.id), actor, groups)
            if not decision.allowed:
                raise Forbidden(decision.why)
            await tx.add_approval(
                Approval(promotion=promotion.id, actor=actor, decision="approve", at=tx.now)
            )
            await tx.audit(actor, "promotion.approve", promotion.id, {"bound": promotion.approved_for})
            decided = await self._count(tx, promotion, void)
            failpoint("approve.before_commit")
        failpoint("approve.after_commit")
        self._hand_over(decided)
        if decided.phase is Phase.REFUSED:
            raise Conflict(f"{promotion_id} was refused: {decided.reason}")
        return decided

    async def _count(self, tx: Transaction, promotion: Promotion, void: str) -> Promotion:
        """Count the approvals; with the last one it starts, unless it is void: then it stops nobody else's."""
        if missing(promotion, await tx.approvals(promotion.id)):
            shown = replace(promotion, revision=promotion.revision + 1)
            await tx.save_promotion(shown, was=promotion.phase)
            return shown
        ground = await read_ground(tx, promotion.app, everything=ALL)
        takes_over = promotion.force or promotion.kind == "rollback"
        if ground.in_flight is not None and not takes_over:
            void = busy(ground.in_flight).sentence
        if void := void or await mismatch(tx, promotion):
            return await move(tx, promotion, Event.REFUSED, actor=BOT, reason=void)
        started = await self._begin(tx, ground, advance(promotion, Event.APPROVED, now=tx.now))
        await tx.save_promotion(started, was=promotion.phase)
        await start(tx, started)
        return started

    async def decline(self, actor: Actor, promotion_id: str, reason: str = "") -> Promotion:
        """Decline for everybody; raises as `approve` does."""
        promotion = await self._store.read.promotion(promotion_id)
        actor = await self._access.require(actor, "approve", promotion.app)
        await self._end_vain(promotion)
        async with self._store.transaction() as tx:
            promotion = await tx.promotion(promotion_id)
            await self._check_waits(tx, promotion)
            await tx.add_approval(
                Approval(promotion=promotion.id, actor=actor, decision="decline", at=tx.now, reason=reason)
            )
            declined = await move(tx, promotion, Event.DECLINED, actor=actor, by=actor, reason=reason)
        self._announcer.wake()
        return declined

    async def cancel(self, actor: Actor, app: str, promotion_id: str | None = None) -> Promotion:
        """Stop what is running or waiting; what was touched goes back.

        Raises:
            Conflict: `app is not updating`, or it is already going back.
        """
        actor = await self._access.require(actor, "cancel", app)
        await self._end_vain(*await self._store.read.awaiting(app))
        async with self._store.transaction() as tx:
            await tx.app(app)
            waiting = await tx.awaiting(app)
            running = await tx.in_flight(app)
            promotion = (
                await tx.promotion(promotion_id) if promotion_id else running or next(iter(waiting), None)
            )
            if promotion is None or promotion.settled:
                raise Conflict(_not_running(promotion))
            if promotion.phase in GOING_BACK:
                raise Conflict(f"{promotion.id} is already going back", hint="its thread tells how far it is")
            cancelled = await move(tx, promotion, Event.CANCELLED, actor=actor, by=actor)
            failpoint("cancel.before_commit")
        failpoint("cancel.after_commit")
        self._hand_over(cancelled)
        return cancelled

    async def expire(self) -> None:
        """End every wait for an approval that nobody gave in time, or that nobody can see."""
        await self._end_vain(*await self._store.read.unsettled())

    async def _end_vain(self, *promotions: Promotion) -> None:
        """End those of the promotions that wait in vain; applied before any click (engine, cells)."""
        for promotion in promotions:
            if promotion.phase is not Phase.AWAITING_APPROVAL:
                continue
            async with self._store.transaction() as tx:
                current = await tx.promotion(promotion.id)
                if current.phase is not Phase.AWAITING_APPROVAL:
                    continue
                if current.expires_at is not None and tx.now >= current.expires_at:
                    await move(tx, current, Event.EXPIRED, actor=BOT)
                elif is_unseen(current, await tx.card(current.id)):
                    await move(tx, current, Event.REFUSED, actor=BOT, reason=NOT_IN_CHANNEL)
                else:
                    continue
            self._announcer.wake()

    async def _check_waits(self, tx: Transaction, promotion: Promotion) -> None:
        """Raise the answer to a stale click: already decided, by whom and when."""
        if promotion.phase is Phase.AWAITING_APPROVAL:
            return
        decisions = await tx.approvals(promotion.id)
        if promotion.phase is Phase.EXPIRED:
            raise Conflict(f"{promotion.id} has expired: nobody can approve it any more")
        if promotion.phase is Phase.DECLINED and promotion.by and promotion.settled_at:
            raise Conflict(f"already declined by {promotion.by.mention} at {promotion.settled_at:%H:%M} UTC")
        if decisions:
            last = decisions[-1]
            raise Conflict(f"already approved by {last.actor.mention} at {last.at:%H:%M} UTC")
        raise Conflict(f"{promotion.id} is not waiting for an approval: it is {promotion.phase}")

    async def _rule(self, tx: Transaction, promotion: Promotion) -> ApprovalRule:
        rules = self._access.policy.rules(promotion.app)
        release = await tx.release(promotion.app, promotion.release)
        source = await tx.release(promotion.app, release.copy_of) if release.copy_of else None
        standings = await tx.standings(promotion.app)
        return approval_rule(rules, kind=promotion.kind, target=source, standings=standings)

    def _hand_over(self, promotion: Promotion) -> None:
        self._announcer.wake()
        if promotion.in_flight:
            self._driver.drive(promotion)


def _baseline_of(holder: Promotion | None) -> str | None:
    """Return whose intent a take-over inherits: it holds what that one inherited itself."""
    if holder is None:
        return None
    return holder.id if holder.touched_at else holder.baseline_of


def _not_running(promotion: Promotion | None) -> str:
    if promotion is None or not promotion.settled_at:
        return "app is not updating"
    return f"app is not updating: {promotion.id} ended {promotion.phase} at {promotion.settled_at:%H:%M} UTC"

"""What a promotion rests on when it is asked for and again with its last approval: guards, approvals needed, patience."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import Busy, Conflict, Forbidden, Invalid, UserError
from core.lifecycle.holds import rollback_candidate, why_held
from core.policy.authorization import ApprovalRule, Policy, Rules
from core.ports.store import StoreReader
from core.promotion import GOING_BACK, Promotion, PromotionKind
from core.records.app import App
from core.records.build import Build, is_pinned
from core.records.progress import Limits
from core.records.release import Release, ReleaseStatus
from core.sentence import EMPTY_SENTENCE, Channel, Sentence, TimeOfDay


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionContext:
    """Everything about an app that deciding on a promotion needs, read in one transaction."""

    app: App
    releases: Sequence[Release]
    statuses: Mapping[str, ReleaseStatus]
    in_flight: Promotion | None
    awaiting: Sequence[Promotion]

    @property
    def active(self) -> Release | None:
        return self.find(self.app.active)

    def find(self, release_id: str | None) -> Release | None:
        return next((r for r in self.releases if r.id == release_id), None)


async def read_context(tx: StoreReader, app: str) -> PromotionContext:
    """Read the context of an app; raises NotFound for an unknown one."""
    return PromotionContext(
        app=await tx.app(app),
        releases=await tx.releases(app),
        statuses=await tx.release_statuses(app),
        in_flight=await tx.in_flight(app),
        awaiting=await tx.awaiting(app),
    )


def busy_error(holder: Promotion) -> Busy:
    """Say who promotes what since when and where (engine rule 3); the first words are Convox's."""
    back = holder.phase in GOING_BACK
    stop = "" if back else f", stop it with `apps cancel {holder.app}`"
    where = Sentence.of(" in ", Channel(holder.channel)) if holder.channel else ""
    since = TimeOfDay(holder.started_at or holder.requested_at, seconds=True)
    return Busy(
        Sentence.of(
            *(
                "app is currently updating: ",
                holder.requested_by,
                f" promotes {holder.release} since ",
                since,
            ),
            *(where, ", and it is going back" if back else ""),
        ),
        hint=f"wait{stop}, or take over with `--force`",
    )


def guard(context: PromotionContext, release: Release, *, anyway: str | None) -> None:
    """Refuse what may not be promoted, in Convox's order and words; the busy guard comes before this one.

    Raises:
        Invalid: no manifest, or older than the active release.
        Conflict: the release or its build is on hold and no reason was given.
    """
    if release.build is None:
        raise Invalid("can not promote a release with an empty manifest")
    active = context.active
    if active and release.sequence < active.sequence:
        raise Invalid(
            "can not promote an older release, try rollback",
            hint=f"`releases rollback {release.id} -a {release.app}`",
        )
    if not anyway and (held := on_hold_error(context, release)):
        raise held


def refused_since(context: PromotionContext, promotion: Promotion) -> Sentence:
    """Ask the guards again when the last approval is given: return why it may not start any more, or nothing.

    What `guard` and `busy_error` refuse is refused here too, so a new guard has one place. `unpinned_since` asks the one
    that needs the build.
    """
    if context.in_flight is not None and not promotion.takes_over:
        return busy_error(context.in_flight).sentence
    release = context.find(promotion.release)
    if promotion.kind == "rollback" or release is None:
        return EMPTY_SENTENCE
    try:
        guard(context, release, anyway=promotion.anyway)
    except UserError as refused:
        return Sentence.of(refused.sentence, "; ", refused.hint)
    return EMPTY_SENTENCE


def on_hold_error(context: PromotionContext, release: Release) -> Conflict | None:
    """Return what is said of a release that is on hold and of how it goes out all the same (engine rule 7)."""
    held = why_held(release, context.releases, context.statuses)
    if not held:
        return None
    return Conflict(
        Sentence.of(f"{release.id} is on hold: ", held),
        hint=f'`releases promote {release.id} -a {release.app} --anyway "reason"` promotes it all the same',
    )


def guard_rollback(context: PromotionContext, source: Release) -> None:
    """Refuse what may not be rolled back to; a release that was verified may always be (engine rule 7).

    Raises:
        Invalid: the release has no manifest.
        Conflict: it, or its build, failed and was never verified.
    """
    if source.build is None:
        raise Invalid("can not promote a release with an empty manifest")
    status = context.statuses.get(source.id)
    verified = status is not None and status.verified_at is not None
    held = why_held(source, context.releases, context.statuses)
    if held and not verified:
        raise Conflict(
            Sentence.of(f"{source.id} is on hold: ", held),
            hint=f"roll back to a release that ran: `releases -a {source.app}` lists them",
        )


def approval_rule(
    rules: Rules, *, kind: PromotionKind, target: Release | None, statuses: Mapping[str, ReleaseStatus]
) -> ApprovalRule:
    """Return the rule that applies; a rollback is free only to a release that was verified (engine rule 8).

    Args:
        rules: the app's.
        kind: `promote` or `rollback`.
        target: for a rollback, the release that is copied forward with its own environment.
        statuses: by release id.
    """
    if kind == "promote" or target is None:
        return rules.promote
    status = statuses.get(target.id)
    return rules.rollback if status and status.verified_at else rules.promote


async def current_rule(read: StoreReader, policy: Policy, promotion: Promotion) -> ApprovalRule:
    """Return the rule that today's policy has for a promotion that was asked for before."""
    release = await read.release(promotion.app, promotion.release)
    source = await read.release(promotion.app, release.copy_of) if release.copy_of else None
    statuses = await read.release_statuses(promotion.app)
    return approval_rule(policy.rules(promotion.app), kind=promotion.kind, target=source, statuses=statuses)


def check_pinned(build: Build, rules: Rules, approvals: int) -> None:
    """Refuse images by tag where approvals are asked: what was approved could be re-pushed (engine rule 9)."""
    loose = sorted(name for name, image in build.images.items() if not is_pinned(image))
    if approvals and loose and not rules.unpinned:
        raise Forbidden(
            f"{build.app} needs approvals, and its images are not pinned by digest: {', '.join(loose)}",
            hint="build it with IMAGE@sha256:…, or allow `unpinned: true` in the policy",
        )


async def unpinned_since(read: StoreReader, rules: Rules, promotion: Promotion) -> Sentence:
    """Ask `check_pinned` again with the last approval, since the policy may allow tags no longer; return why not, or nothing."""
    release = await read.release(promotion.app, promotion.release)
    assert release.build is not None, "a release without one is refused with the request"
    try:
        check_pinned(await read.build(promotion.app, release.build), rules, promotion.approvals_needed)
    except Forbidden as refused:
        return Sentence.of(refused.sentence, "; ", refused.hint)
    return EMPTY_SENTENCE


def limits_of(rules: Rules, *, first: bool) -> Limits:
    """Fix the patience of a promotion; an app's first release may crash once more (contract 6)."""
    crashes = rules.crashes if rules.crashes is not None else (3 if first else 2)
    return Limits(deadline=rules.deadline, longest=rules.longest, crashes=crashes, restarts=rules.restarts)


def rollback_target(context: PromotionContext, leaving: str) -> str | None:
    """Return the release that an automatic rollback would go to, chosen when the promotion starts.

    A promotion that takes over inherits the target of the one it stops, never that one's release; where it promotes
    that target itself, or a person has turned away from it since, it takes the next older one.
    """
    flying = context.in_flight
    if flying is not None and flying.back_to != leaving and _stands(context, flying.back_to):
        return flying.back_to
    others = [r for r in context.releases if flying is None or r.id != flying.release]
    return rollback_candidate(others, context.statuses, leaving=leaving)


def _stands(context: PromotionContext, target: str | None) -> bool:
    status = context.statuses.get(target) if target else None
    return status is None or not (status.withdrawn or status.held)

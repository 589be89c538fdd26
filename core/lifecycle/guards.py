"""What a promotion rests on when it is asked for and again with its last approval: guards, approvals needed, patience."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from core.errors import Busy, Conflict, Forbidden, Invalid, UserError
from core.lifecycle.holds import rollback_candidate
from core.policy.authorization import ApprovalRule, Policy, Rules
from core.ports.store import StoreReader
from core.promotion import GOING_BACK, Promotion, PromotionKind
from core.records.app import App
from core.records.build import BuildEntry, is_pinned
from core.records.progress import Limits
from core.records.release import ReleaseEntry
from core.sentence import EMPTY_SENTENCE, Channel, CommandLine, Sentence, TimeOfDay


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionContext:
    """Everything about an app that deciding on a promotion needs, read in one transaction.

    Attributes:
        active: the app's active release, None before the first.
    """

    app: App
    active: ReleaseEntry | None
    in_flight: Promotion | None
    awaiting: Sequence[Promotion]


async def read_context(tx: StoreReader, name: str) -> PromotionContext:
    """Read the context of an app; raises NotFound for an unknown one."""
    app = await tx.app(name)
    return PromotionContext(
        app=app,
        active=await tx.release_entry(name, app.active_release) if app.active_release else None,
        in_flight=await tx.in_flight(name),
        awaiting=await tx.awaiting(name),
    )


def busy_error(holder: Promotion) -> Busy:
    """Say who promotes what since when and where (engine rule 3); the first words are Convox's."""
    back = holder.phase in GOING_BACK
    stop = () if back else (", stop it with ", CommandLine(f"apps cancel {holder.app}"))
    where = Sentence.of(" in ", Channel(holder.channel)) if holder.channel else ""
    since = TimeOfDay(holder.started_at or holder.requested_at, seconds=True)
    return Busy(
        Sentence.of(
            *(
                "app is currently updating: ",
                holder.requested_by,
                f" {'restarts' if holder.restarts else 'promotes'} {holder.release} since ",
                since,
            ),
            *(where, ", and it is going back" if back else ""),
        ),
        hint=Sentence.of("wait", *stop, ", or take over with `--force`"),
    )


def guard(release: ReleaseEntry, *, active: ReleaseEntry | None, held: Sentence, anyway: str | None) -> None:
    """Refuse what may not be promoted, in Convox's order and words; the busy guard comes before this one.

    Args:
        release: what is to be promoted.
        active: what is active.
        held: why the release is on hold, or nothing.
        anyway: the reason that was given for promoting it all the same.

    Raises:
        Invalid: no manifest, or older than the active release.
        Conflict: the release or its build is on hold and no reason was given.
    """
    if release.build is None:
        raise Invalid("can not promote a release with an empty manifest")
    if active and release.sequence < active.sequence:
        raise Invalid(
            "can not promote an older release, try rollback",
            hint=Sentence.of(CommandLine(f"releases rollback {release.id} -a {release.app}")),
        )
    if held and not anyway:
        raise on_hold_error(release, held)


def refused_since(
    context: PromotionContext, promotion: Promotion, release: ReleaseEntry, held: Sentence
) -> Sentence:
    """Ask all guards again when the last approval is given: return why it may not start any more, or nothing.

    What `guard`, `guard_rollback` and `busy_error` refuse is refused here too, so a new guard has one place. `unpinned_since`
    asks the one that needs the build.

    Args:
        context: of its app, now.
        promotion: what would start.
        release: what is promoted; of a rollback the release that is copied.
        held: why that is on hold, or nothing.
    """
    if context.in_flight is not None and not promotion.takes_over:
        return busy_error(context.in_flight).sentence
    try:
        if promotion.kind == "rollback":
            guard_rollback(release, held=held)
        else:
            guard(release, active=context.active, held=held, anyway=promotion.anyway)
    except UserError as refused:
        return Sentence.of(refused.sentence, "; ", refused.hint)
    return EMPTY_SENTENCE


def on_hold_error(release: ReleaseEntry, held: Sentence) -> Conflict:
    """Return what is said of a release that is on hold and of how it goes out all the same (engine rule 7): it asks for the reason.

    The flag that takes the reason is for whoever knows what it does, and is taught by no answer (contract 9.4).
    """
    return Conflict(
        Sentence.of(f"{release.id} is on hold: ", held),
        hint=Sentence.of(
            CommandLine(f"releases promote {release.id} -a {release.app} --ask"),
            " asks why it should go out all the same",
        ),
    )


def guard_rollback(source: ReleaseEntry, *, held: Sentence) -> None:
    """Refuse what may not be rolled back to; a release that was verified may always be (engine rule 7).

    Args:
        source: the release that is copied.
        held: why it is on hold, or nothing.

    Raises:
        Invalid: the release has no manifest.
        Conflict: it, or its build, failed and was never verified.
    """
    if source.build is None:
        raise Invalid("can not promote a release with an empty manifest")
    if held and not source.verified:
        raise Conflict(
            Sentence.of(f"{source.id} is on hold: ", held),
            hint=Sentence.of(
                "roll back to a release that ran: ", CommandLine(f"releases -a {source.app}"), " lists them"
            ),
        )


def approval_rule(rules: Rules, *, kind: PromotionKind, source: ReleaseEntry | None) -> ApprovalRule:
    """Return the rule that applies; a rollback is free only to a release that was verified (engine rule 8).

    Args:
        rules: the app's.
        kind: `promote` or `rollback`.
        source: for a rollback, the release that is copied forward with its own environment.
    """
    if kind == "promote" or source is None:
        return rules.promote
    return rules.rollback if source.verified else rules.promote


async def meant_release(read: StoreReader, promotion: Promotion) -> ReleaseEntry:
    """Return the release that people have asked for: of a rollback the one that is copied, not the copy, which never ran."""
    release = await read.release_entry(promotion.app, promotion.release)
    if promotion.kind == "rollback" and release.copy_of is not None:
        return await read.release_entry(promotion.app, release.copy_of)
    return release


async def current_rule(read: StoreReader, policy: Policy, promotion: Promotion) -> ApprovalRule:
    """Return the rule that today's policy has for a promotion that was asked for before."""
    release = await read.release_entry(promotion.app, promotion.release)
    own = release.copy_of if promotion.variables_of is None else None
    source = await read.release_entry(promotion.app, own) if own else None
    return approval_rule(policy.rules(promotion.app), kind=promotion.kind, source=source)


def check_pinned(build: BuildEntry, rules: Rules, approvals: int) -> None:
    """Refuse images by tag where approvals are asked: what was approved could be re-pushed (engine rule 9)."""
    loose = sorted(name for name, image in build.images.items() if not is_pinned(image))
    if approvals and loose and not rules.unpinned:
        raise Forbidden(
            f"{build.app} needs approvals, and its images are not pinned by digest: {', '.join(loose)}",
            hint="build it with IMAGE@sha256:…, or allow `unpinned: true` in the policy",
        )


async def unpinned_since(read: StoreReader, rules: Rules, promotion: Promotion) -> Sentence:
    """Ask `check_pinned` again with the last approval, since the policy may allow tags no longer; return why not, or nothing."""
    release = await read.release_entry(promotion.app, promotion.release)
    assert release.build is not None, "a release without one is refused with the request"
    try:
        check_pinned(await read.build_entry(promotion.app, release.build), rules, promotion.approvals_needed)
    except Forbidden as refused:
        return Sentence.of(refused.sentence, "; ", refused.hint)
    return EMPTY_SENTENCE


async def more_asked_since(read: StoreReader, policy: Policy, promotion: Promotion) -> Sentence:
    """Return how many approvals today's policy asks for, where these are more than it was asked for with, or nothing.

    Fewer change nothing: what was asked for is awaited.
    """
    app = await read.app(promotion.app)
    if promotion.break_glass is not None or promotion.release == app.active_release:
        return EMPTY_SENTENCE
    count, before = (await current_rule(read, policy, promotion)).count, promotion.approvals_needed
    if count <= before:
        return EMPTY_SENTENCE
    wants = f"{count} approval{'s' if count > 1 else ''}"
    return Sentence.of(
        f"the policy wants {wants} for it by now, and it was asked for with {before or 'none'}; ask again"
    )


def limits_of(rules: Rules, *, first: bool) -> Limits:
    """Fix the patience of a promotion; an app's first release may crash once more (contract 6)."""
    crashes = rules.crashes if rules.crashes is not None else (3 if first else 2)
    return Limits(
        deadline=rules.deadline,
        longest=rules.longest,
        crashes=crashes,
        restarts=rules.restarts,
        routes=rules.routes,
        rollback_after=rules.rollback_after,
    )


async def rollback_target(
    read: StoreReader, app: str, leaving: str, *, stopped: Promotion | None, left: AbstractSet[str]
) -> str | None:
    """Return the release that an automatic rollback would go to, chosen when the promotion starts.

    A promotion that takes over inherits the target of the one it stops, never that one's release; where it promotes
    that target itself, or a person has turned away from it since, it takes the next older one.

    Args:
        read: the records.
        app: whose.
        leaving: the release that is promoted.
        stopped: the promotion that is taken over, if any.
        left: releases that a person turns away from with this very promotion.
    """
    if stopped is not None and stopped.back_to != leaving and await _stands(read, stopped.back_to, left):
        return stopped.back_to
    return await rollback_candidate(read, app, but={leaving, *left, *({stopped.release} if stopped else ())})


async def _stands(read: StoreReader, target: str | None, left: AbstractSet[str]) -> bool:
    if target is None:
        return True
    status = await read.release_status(target)
    return not (status.withdrawn or status.held or target in left)

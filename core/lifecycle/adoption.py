"""What adopting a namespace changes in the records of its app, and what forbids it: engine rule 14, as functions of values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.actor import Actor
from core.errors import Busy, Conflict
from core.lifecycle.guards import busy_error
from core.ports.store import Transaction
from core.promotion import Promotion
from core.records.anchor import AuditHead
from core.records.app import App, adopt_command
from core.records.namespace_state import NamespaceState
from core.records.release import ReleaseEntry

# A bot that rolls something out writes to the cluster at its start, between waves and at its end; a promotion takes an
# hour at the most (engine rule 36). One that has nothing to do writes nothing: it cannot be seen.
QUIET_SECONDS = 600.0
LONGEST_ROLLOUT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionPlan:
    """What was found, and what an adoption makes of it.

    Attributes:
        app: as the records have it, `after`: as they will.
        state: the namespace.
        foreign: the other installation that the namespace belongs to, "" where none.
        why: what does not fit, a sentence each; empty where there is nothing to adopt. All but a head that is lost keep the bot from writing.
        active: what becomes of the active release, a sentence.
        notes: what else is worth knowing before it is done.
    """

    app: App
    after: App
    state: NamespaceState
    foreign: str
    why: tuple[str, ...]
    active: str
    notes: tuple[str, ...]

    @property
    def needed(self) -> bool:
        return bool(self.why)


def plan_adoption(
    app: App,
    state: NamespaceState,
    installation: str,
    *,
    known: Mapping[str, ReleaseEntry],
    lost: AuditHead | None,
) -> AdoptionPlan:
    """Compare the records of an app with its namespace.

    Args:
        app: as the database has it.
        state: the namespace as it is.
        installation: id of the database.
        known: of the releases that run, those that the database knows, with what has happened to them.
        lost: the head of the audit that the cluster remembers, where this database's audit does not have it.
    """
    anchor = state.anchor
    newest = max(anchor.token if anchor else 0, *(each.token for each in state.objects), 0)
    owner = anchor.installation if anchor else ""
    active, said = settled_release(app.active_release, state, known)
    moved = app.namespace_uid is not None and app.namespace_uid != state.uid
    after = replace(
        app,
        token=max(app.token, newest) + 1,
        active_release=active,
        namespace_uid=state.uid if moved else app.namespace_uid,
    )
    return AdoptionPlan(
        app=app,
        after=after,
        state=state,
        foreign=owner if owner != installation else "",
        why=tuple(_reasons(app, state, newest, lost)),
        active=said,
        notes=tuple(_notes(state, known)),
    )


def _reasons(app: App, state: NamespaceState, newest: int, lost: AuditHead | None) -> list[str]:
    reasons = [state.refused] if state.refused else []
    if newest > app.token + 1 and not reasons:
        reasons.append(
            f"objects in namespace {state.namespace} were written with a newer number ({newest}) than this database knows"
            f" ({app.token}), and the anchor that should say so is missing or older"
        )
    if lost is not None:
        reasons.append(
            f"when a promotion ended last, the audit had {lost.rows:,} rows, the last of them {lost.hash}; the audit of this"
            " database does not have that row: it was restored from a backup, or rewritten"
        )
    return reasons


def settled_release(
    believed: str | None, state: NamespaceState, known: Mapping[str, ReleaseEntry]
) -> tuple[str | None, str]:
    """Return the active release after an adoption, and the sentence that says why.

    Only what this very database has once seen healthy, or made active, is taken over from the cluster: a promotion of the active
    release asks nobody for approval.
    """
    running = running_releases(state)
    if running == [believed]:
        return believed, f"{believed} runs, and is what the records have as active"
    was = f"; the records had {believed} as active" if believed else ""
    if len(running) == 1 and running[0] in known and known[running[0]].verified:
        return running[0], f"{running[0]}, which this database has seen healthy before, becomes active{was}"
    if not running:
        return None, f"no release runs, so none is active from now on{was}"
    said = (
        f"what runs was not rolled out by this database ({', '.join(running)}), so no release is active until the next"
        f" promotion, which asks for approvals as any other{was}"
    )
    return None, said


def running_releases(state: NamespaceState) -> list[str]:
    """Return the releases for which workloads make pods, each once."""
    return sorted({each.release for each in state.objects if each.release})


def _notes(state: NamespaceState, known: Mapping[str, ReleaseEntry]) -> list[str]:
    notes = [
        f"{release} is on hold here, and stays so: `releases info {release} -a {entry.app}` says why"
        for release, entry in sorted(known.items())
        if entry.on_hold
    ]
    unknown = [each for each in state.objects if each.release and each.release not in known]
    notes += [
        f"{each.ref} runs {each.release}, which this database does not know: "
        + ", ".join(f"{name}={image}" for name, image in each.images)
        for each in unknown
    ]
    return notes


def check_admissible(
    plan: AdoptionPlan, given: str, in_flight: Promotion | None, *, stopped: bool = False
) -> None:
    """Raise where nobody may adopt the namespace now.

    Args:
        plan: what would be done.
        given: the installation that the operator has named with `--from`, "" where none.
        in_flight: the promotion of this database that is rolling out.
        stopped: the operator vouches that the other bot is stopped, which is asked where the cluster cannot tell.

    Raises:
        Busy: a promotion of the app is in flight here.
        Conflict: the namespace belongs to another installation than the one named, or that one still writes.
    """
    app, foreign = plan.app.name, plan.foreign
    if in_flight is not None:
        raise Busy(
            busy_error(in_flight).sentence,
            hint=f"start the bot: it ends what it may not write, by the anchor; then `{adopt_command(app, foreign)}`",
        )
    owner = plan.state.anchor.installation if plan.state.anchor else ""
    if given and given != owner and (foreign or not owner):
        raise Conflict(
            f"namespace {plan.state.namespace} does not belong to installation {given}, but to {owner or 'nobody'}",
            hint=f"if that one is meant: `{adopt_command(app, foreign)}`",
        )
    if not foreign:
        return
    if not given:
        raise Conflict(
            f"namespace {plan.state.namespace} belongs to another installation of convox-bot, {foreign}",
            hint="stop the bot of that installation for good, or take this cluster's kubeconfig away from it; then:"
            f" `{adopt_command(app, foreign)}`",
        )
    if plan.state.quiet_for is not None:
        _check_quiet(plan, plan.state.quiet_for)
    elif not stopped:
        raise Conflict(
            f"the cluster does not tell when something in namespace {plan.state.namespace} was changed last, so nobody"
            f" can see whether the bot of installation {foreign} still works",
            hint="stop that bot for good, and look that it is; then, to vouch for it:"
            f" `{adopt_command(app, foreign)} --stopped`",
        )


def _check_quiet(plan: AdoptionPlan, quiet: float) -> None:
    """Raise Conflict where the other bot is seen at work; one that is idle cannot be seen."""
    anchor = plan.state.anchor
    assert anchor is not None, "it names the installation"
    hint = f"stop that bot first, then ask again: `{adopt_command(plan.app.name, plan.foreign)}`"
    if quiet < QUIET_SECONDS:
        left = QUIET_SECONDS - quiet
        raise Conflict(
            f"a bot has changed something in namespace {plan.state.namespace} {quiet:.0f} s ago: that of installation"
            f" {plan.foreign} still works",
            hint=f"{hint} (it must have been quiet for ten minutes: {left:.0f} s from now)",
        )
    if anchor.under_way and quiet < LONGEST_ROLLOUT:
        raise Conflict(
            f"promotion {anchor.promotion} of installation {plan.foreign} has begun in namespace {plan.state.namespace} and"
            " has not ended",
            hint=f"{hint} (without its end, an hour after its last change: {LONGEST_ROLLOUT - quiet:.0f} s from now)",
        )


async def record_adoption(tx: Transaction, plan: AdoptionPlan, by: Actor) -> None:
    """Make the records what the plan says, with its row of the audit; the anchor is adopted by then.

    Raises:
        Conflict: the app is not as it was shown any more.
    """
    app, anchor = plan.app, plan.state.anchor
    if await tx.app(app.name) != app or await tx.in_flight(app.name) is not None:
        raise Conflict(
            f"{app.name} was promoted or changed just now: its anchor is adopted and its records are not",
            hint="ask again",
        )
    await tx.save_app(plan.after)
    head = anchor.head if anchor else None
    detail = {
        "namespace": plan.state.namespace,
        "from": plan.foreign,
        "token": {"was": app.token, "is": plan.after.token},
        "active": {"was": app.active_release, "is": plan.after.active_release},
        "anchor": {"token": anchor.token, "promotion": anchor.promotion} if anchor else None,
        "head": {"rows": head.rows, "hash": head.hash} if head else None,
    }
    await tx.audit(by, "app.adopt", app.name, detail)

"""May this person do that now, and why not: one answer for use cases, buttons, reminders and `why`.

The use cases enforce what `explain` returns, so that what a button, a list or an answer says and what is done cannot differ.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.errors import Conflict, Forbidden, NotFound, Unavailable, UserError
from core.lifecycle.approvals import already, may_approve, missing
from core.lifecycle.decided import no_longer_waits, not_counting_down, not_running, stopping
from core.lifecycle.due import must_wait
from core.lifecycle.freezing import frozen
from core.lifecycle.guards import approval_rule, busy_error, check_pinned, guard, guard_rollback
from core.lifecycle.principal import Principal
from core.lifecycle.rights import Explanation, explain_right
from core.policy.authorization import ApprovalRule, Policy, Verb
from core.promotion import GOING_BACK, Phase, Promotion
from core.records.approval import Approval
from core.records.build import BuildEntry
from core.records.freeze import Freeze
from core.records.release import ReleaseEntry
from core.sentence import EMPTY_SENTENCE, CommandLine, Sentence

# What people do: a verb of the policy, or a deed that needs the verb of another one.
ActionKind = Verb | Literal["decline", "restart", "stop", "snooze"]
# Of a rollback: those of the release that it goes back to, or those that run.
Variables = Literal["then", "now"]
# Nothing of it starts while the disk is nearly full (engine rule 16); stopping and declining always can be done.
STARTING = frozenset({"promote", "rollback", "restart", "approve"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What somebody would do.

    Attributes:
        app: the app, or the name that was typed.
        force, anyway, break_glass, variables: as of a request to promote or to roll back.
        waits: it starts later, and is asked about again then.
    """

    kind: ActionKind
    app: str
    force: bool = False
    waits: bool = False
    anyway: str | None = None
    break_glass: str | None = None
    variables: Variables = "then"

    @property
    def verb(self) -> Verb:
        """The right that it needs."""
        match self.kind:
            case "decline":
                return "approve"
            case "restart":
                return "scale"
            case "stop" | "snooze":
                return "cancel"
            case verb:
                return verb

    @property
    def takes_over(self) -> bool:
        return self.force or self.kind == "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """What it meets: records as they are now; what is left out is not judged by.

    Attributes:
        not_startable: why nothing may start now (disk nearly full), or "".
        in_flight, active: what is rolling out in the app, and its active release.
        release: what would be promoted, or copied by a rollback; `held` says why it is on hold, or nothing.
        build: of that release; with it, images by tag are refused where approvals are asked.
        waiting: the promotion that already waits for the same release: asking again points to it.
        freezes: those that people have called.
        promotion: what would be decided about or stopped, with its `approvals` and the rule that today's policy has for it.
        unable: whom nobody is advised to ask, as the policy names them.
    """

    policy: Policy
    now: datetime
    not_startable: str = ""
    in_flight: Promotion | None = None
    active: ReleaseEntry | None = None
    release: ReleaseEntry | None = None
    held: Sentence = EMPTY_SENTENCE
    build: BuildEntry | None = None
    waiting: Promotion | None = None
    freezes: Sequence[Freeze] = ()
    promotion: Promotion | None = None
    approvals: Sequence[Approval] = ()
    rule: ApprovalRule | None = None
    unable: Container[str] = ()


def explain(action: Action, principal: Principal, context: ActionContext) -> Explanation:
    """Say whether somebody may do something now, and if not, why and what to do.

    Args:
        action: what they would do.
        principal: who they are, looked up just now.
        context: what it meets.
    """
    right = explain_right(context.policy, principal, action.verb, action.app, context.unable)
    if not right.allowed:
        return right
    if context.not_startable and action.kind in STARTING:
        return Explanation(refusal=Unavailable(context.not_startable))
    check = _CHECKS.get(action.kind)
    try:
        if check is not None:
            check(action, principal, context)
    except UserError as refusal:
        return Explanation(refusal=refusal)
    return Explanation()


def _check_promote(action: Action, principal: Principal, context: ActionContext) -> None:
    """Refuse in Convox's order: busy, no manifest, older, on hold; then what is ours."""
    _check_glass(action, principal, context)
    _check_busy(action, context)
    if context.release is None or context.waiting is not None:
        return
    guard(context.release, active=context.active, held=context.held, anyway=action.anyway)
    _check_frozen(action, principal, context)
    if action.break_glass is None:
        _check_build(action, context)


def _check_rollback(action: Action, principal: Principal, context: ActionContext) -> None:
    """Refuse what never ran; going back to what did is the way out of trouble, so no freeze is in its way."""
    _check_busy(action, context)
    if context.release is None:
        return
    if action.variables == "now" and context.active is None:
        raise NotFound(f"nothing of {action.app} runs now whose variables it could take")
    guard_rollback(context.release, held=context.held)
    if not context.release.verified:
        _check_frozen(action, principal, context)
    _check_build(action, context)


def _check_restart(action: Action, _: Principal, context: ActionContext) -> None:
    _check_busy(action, context)
    if context.active is None:
        app = action.app
        hint = Sentence.of(CommandLine(f"releases promote -a {app}"), " rolls one out")
        raise NotFound(f"no release for app: {app}", hint=hint)


def _check_glass(action: Action, principal: Principal, context: ActionContext) -> None:
    """Refuse to break the glass for whoever may not; a machine never decides that it is an emergency."""
    if action.break_glass is None:
        return
    if principal.actor.kind != "slack":
        raise Forbidden(Sentence.of(principal.actor, " may not break the glass: only a person can"))
    explain_right(context.policy, principal, "break-glass", action.app, context.unable).enforce()


def _check_frozen(action: Action, principal: Principal, context: ActionContext) -> None:
    """Refuse what is new while the app is frozen, with who says so, why, until when, and what gets through."""
    freeze = frozen(context.policy, context.freezes, action.app, context.now)
    if freeze is None or action.break_glass is not None or action.waits:
        return
    if context.policy.overriding_role(principal.actor, action.app, principal.groups) is None:
        raise Conflict(freeze.sentence, hint=_through(action, context))


def _through(action: Action, context: ActionContext) -> Sentence:
    """Say how something goes out during a freeze."""
    if action.kind != "promote" or context.release is None:
        return Sentence.of("ask again when it is over")
    promote = f"releases promote {context.release.id} -a {action.app}"
    return Sentence.of(
        CommandLine(f"{promote} --queue"),
        " starts it when the freeze is over; in an emergency, whoever has break-glass: ",
        CommandLine(f'{promote} --break-glass "reason"'),
    )


def gets_through(action: Action, principal: Principal, context: ActionContext) -> Sentence:
    """Return the freeze that something goes through that may be done all the same, and by which right; nothing where there is none."""
    free = action.kind == "rollback" and context.release is not None and context.release.verified
    freeze = frozen(context.policy, context.freezes, action.app, context.now)
    if freeze is None or free or action.waits or action.kind not in {"promote", "rollback"}:
        return EMPTY_SENTENCE
    role = context.policy.overriding_role(principal.actor, action.app, principal.groups)
    return Sentence.of(freeze.sentence, f" (promoted all the same by the role {role})" if role else "")


def _check_busy(action: Action, context: ActionContext) -> None:
    if context.in_flight is not None and not action.takes_over and not action.waits:
        raise busy_error(context.in_flight)


def _check_build(action: Action, context: ActionContext) -> None:
    if context.build is not None:
        check_pinned(context.build, context.policy.rules(action.app), rule_of(action, context).count)


def rule_of(action: Action, context: ActionContext) -> ApprovalRule:
    """Return how many must approve what somebody asks for; a restart needs nobody."""
    rules = context.policy.rules(action.app)
    if action.kind == "restart":
        return ApprovalRule()
    rollback = action.kind == "rollback"
    # A release is as it was verified only with its own variables (engine rule 8).
    source = context.release if rollback and action.variables == "then" else None
    return approval_rule(rules, kind="rollback" if rollback else "promote", source=source)


def _check_approve(action: Action, principal: Principal, context: ActionContext) -> None:
    promotion, rule = context.promotion, context.rule
    if promotion is None or rule is None:
        return
    _check_waits(promotion, context)
    decision = may_approve(
        promotion, rule, context.approvals, principal.actor, principal.groups, context.unable
    )
    if not decision.allowed:
        raise Forbidden(decision.why)
    if missing(promotion, context.approvals) == 1 and not promotion.through:
        _check_start(action, principal, promotion, context)


def _check_start(action: Action, principal: Principal, promotion: Promotion, context: ActionContext) -> None:
    """Refuse the approval that would start it during a freeze that has begun meanwhile: it goes on waiting."""
    freeze = frozen(context.policy, context.freezes, action.app, context.now)
    if freeze is None or context.policy.overriding_role(principal.actor, action.app, principal.groups):
        return
    # As when it is asked for: going back to what ran well is the way out of trouble.
    if promotion.kind == "rollback" and context.release is not None and context.release.verified:
        return
    # Approved, it goes on waiting for its time or for the end of the freeze, and is asked about again then.
    if must_wait(promotion, busy=False, frozen=True, now=context.now):
        return
    hint = f"{promotion.id} goes on waiting: approve it when the freeze is over"
    raise Conflict(freeze.sentence, hint=hint)


def _check_decline(_: Action, principal: Principal, context: ActionContext) -> None:
    """Refuse a second decision of one person, and say what stops it all the same."""
    promotion = context.promotion
    if promotion is None:
        return
    _check_waits(promotion, context)
    if decided := already(promotion, context.approvals, principal.actor):
        stop = Sentence.of(CommandLine(f"apps cancel {promotion.app}"), " stops it for everybody")
        raise Conflict(decided, hint=stop)


def _check_waits(promotion: Promotion, context: ActionContext) -> None:
    if over := no_longer_waits(promotion, context.approvals, context.now):
        raise Conflict(over)


def _check_cancel(_: Action, __: Principal, context: ActionContext) -> None:
    promotion = context.promotion
    if promotion is None or promotion.settled:
        raise Conflict(not_running(promotion))
    if promotion.phase in GOING_BACK:
        raise stopping(promotion)


def _check_countdown(action: Action, __: Principal, context: ActionContext) -> None:
    promotion = context.promotion
    if promotion is None or promotion.phase is not Phase.COUNTDOWN:
        raise not_counting_down(promotion, action.app)


_CHECKS: Mapping[str, Callable[[Action, Principal, ActionContext], None]] = {
    "promote": _check_promote,
    "rollback": _check_rollback,
    "restart": _check_restart,
    "approve": _check_approve,
    "decline": _check_decline,
    "cancel": _check_cancel,
    "stop": _check_countdown,
    "snooze": _check_countdown,
}

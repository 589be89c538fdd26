"""Has this person the right: the part of every answer that no state of an app changes."""

from collections.abc import Container
from dataclasses import dataclass
from fnmatch import fnmatchcase

from core.errors import Forbidden, UserError
from core.lifecycle.principal import Principal
from core.policy.authorization import Policy, Verb
from core.policy.deeds import deed
from core.sentence import EMPTY_SENTENCE, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer.

    Attributes:
        refusal: why not, as it is said to the person, None where they may.
        because: why they have no right, as everybody else reads it.
        ask: whom it may advise to be asked, as the policy names them.
    """

    refusal: UserError | None = None
    because: Sentence = EMPTY_SENTENCE
    ask: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.refusal is None

    @property
    def why(self) -> Sentence:
        """Why not, with what to do now; nothing where they may."""
        if self.refusal is None:
            return EMPTY_SENTENCE
        hint = self.refusal.hint
        return Sentence.of(self.refusal.sentence, "; ", hint) if hint else self.refusal.sentence

    def enforce(self) -> None:
        """Raise the refusal, if it is one."""
        if self.refusal is not None:
            raise self.refusal


def explain_right(
    policy: Policy, principal: Principal, verb: Verb, app: str, unable: Container[str] = ()
) -> Explanation:
    """Say whether somebody has a right, whatever the app is doing: what is asked before anything is read or written.

    Args:
        policy: today's.
        principal: who they are.
        verb: the right.
        app: of which app, or the name that was typed.
        unable: whom nobody is advised to ask, as the policy names them.
    """
    if principal.unchecked:
        why = f"I cannot check whether you may {deed(verb, app)}: {principal.unchecked}"
        return Explanation(
            refusal=Forbidden(why, hint="try again in a minute"),
            because=Sentence.of(f"I cannot check who they are: {principal.unchecked}"),
        )
    if principal.stranger:
        return Explanation(refusal=Forbidden(principal.stranger), because=principal.stranger)
    if outside := _outside(principal, verb, app):
        return outside
    decision = policy.may(principal.actor, verb, app, principal.groups, unable)
    if decision.allowed:
        return Explanation()
    return Explanation(refusal=Forbidden(decision.why), because=decision.because, ask=decision.ask)


def _outside(principal: Principal, verb: Verb, app: str) -> Explanation | None:
    """Refuse a token what is of none of the apps that it was made for, whatever the policy gives it."""
    actor = principal.actor
    if any(fnmatchcase(app, pattern) for pattern in actor.apps):
        return None
    because = Sentence.of(f"this token is only for {', '.join(actor.apps)}")
    return Explanation(
        refusal=Forbidden(Sentence.of(f"you may not {deed(verb, app)}: ", because)), because=because
    )

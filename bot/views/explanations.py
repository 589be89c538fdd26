"""What one may do and why not, in words: the answers of `why`, `whoami` and `waiting`."""

from collections.abc import Sequence
from typing import Any

from core.actor import Actor
from core.lifecycle.approvals import seats_in_words
from core.lifecycle.freezing import FrozenApp
from core.lifecycle.rights import Explanation
from core.sentence import EMPTY_SENTENCE, Sentence, UserGroup
from core.usecases.explainer import AppExplanation, PrincipalRights, WaitingPromotion


def why_text(told: AppExplanation) -> Sentence:
    """Say what the person who asks may do to an app now, one thought a line."""
    lines: list[str | Sentence] = [told.freeze.sentence if told.freeze else f"{told.app} is not frozen"]
    lines += [
        Sentence.of(
            " ".join(filter(None, (each.action, each.target))), ": ", _answer(each.explanation, each.comes)
        )
        for each in told.possibilities
    ]
    lines += [waiting_row(each) for each in told.waiting]
    return Sentence.join("\n", [Sentence.of(line) for line in lines])


def waiting_text(waiting: Sequence[WaitingPromotion]) -> Sentence:
    """Say of everything that waits who asked, how many must still approve, and whether the person who reads may."""
    return Sentence.join("\n", [waiting_row(each) for each in waiting])


def waiting_row(each: WaitingPromotion) -> Sentence:
    p = each.promotion
    yes = [a.actor for a in each.approvals if a.decision == "approve"]
    by = Sentence.of(", approved by ", Sentence.join(", ", yes)) if yes else ""
    needed = Sentence.of(
        f"{each.missing} more approval{'s' if each.missing != 1 else ''}",
        *((" of ", seats_in_words(each.seats)) if each.seats else ()),
    )
    what = f"{p.id}: {p.release} to {p.app}, asked for by "
    return Sentence.of(
        what, p.requested_by, ", needs ", needed, by, "; approve it yourself: ", _answer(each.explanation)
    )


def _answer(explanation: Explanation, comes: Sentence = EMPTY_SENTENCE) -> Sentence:
    if not explanation.allowed:
        return Sentence.of("no, ", explanation.why)
    return Sentence.of("yes, ", comes) if comes else Sentence.of("yes")


def whoami_text(told: PrincipalRights) -> Sentence:
    """Say who somebody is here and what they may."""
    principal = told.principal
    if principal.unchecked:
        return Sentence.of(
            "you are ", principal.actor, f", and nothing is known of you now: {principal.unchecked}"
        )
    if principal.stranger:
        return Sentence.of("you are ", principal.actor, ", and may nothing here: ", principal.stranger)
    groups = [
        UserGroup(each) for each, people in sorted(principal.groups.items()) if principal.actor.id in people
    ]
    within = Sentence.of(", in ", Sentence.join(", ", groups)) if groups else ""
    rights = [Sentence.of(f"{app}: {' '.join(verbs)}") for app, verbs in told.rights]
    none = [Sentence.of("you may nothing of any app: the rights are given in the policy file")]
    return Sentence.join("\n", [Sentence.of("you are ", principal.actor, within), *(rights or none)])


def why_document(told: AppExplanation) -> dict[str, Any]:
    """Return the answer of `why` as JSON."""
    return {
        "app": told.app,
        "frozen": _freeze_document(told.freeze),
        "actions": [
            {
                "action": each.action,
                "target": each.target,
                **_document(each.explanation),
                "comes": str(each.comes),
            }
            for each in told.possibilities
        ],
        "waiting": waiting_documents(told.waiting),
    }


def waiting_documents(waiting: Sequence[WaitingPromotion]) -> list[dict[str, Any]]:
    return [
        {
            "promotion": each.promotion.id,
            "app": each.promotion.app,
            "release": each.promotion.release,
            "requested-by": _name(each.promotion.requested_by),
            "missing": each.missing,
            **_document(each.explanation),
        }
        for each in waiting
    ]


def whoami_document(told: PrincipalRights) -> dict[str, Any]:
    return {"actor": told.principal.actor.key, "rights": {app: list(verbs) for app, verbs in told.rights}}


def _freeze_document(freeze: FrozenApp | None) -> dict[str, Any] | None:
    if freeze is None:
        return None
    until = freeze.until.isoformat() if freeze.until else None
    return {"reason": freeze.reason, "by": _name(freeze.by) if freeze.by else None, "until": until}


def _document(explanation: Explanation) -> dict[str, Any]:
    return {"allowed": explanation.allowed, "why": str(explanation.why)}


def _name(actor: Actor) -> str:
    return actor.key

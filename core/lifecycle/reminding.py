"""Who is told that something waits for an approval: only those who can give it (contract 9.4)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from core.actor import Actor
from core.lifecycle.approvals import may_approve, missing
from core.policy.authorization import ApprovalRule, Policy, Rules
from core.policy.rules import EVERYBODY, GROUP, OIDC, TOKEN
from core.ports.store import Transaction
from core.promotion import Promotion
from core.records.approval import Approval
from core.sentence import Sentence

# More of a group are called together: a message that names dozens says nothing to any of them.
MOST_NAMED = 10


async def ask_for_approval(tx: Transaction, promotion: Promotion, rules: Rules, rule: ApprovalRule) -> None:
    """Tell the channel of `ask`, where the policy names nobody, and fix when people are reminded."""
    if promotion.channel is None:
        return
    if (channel := asked_channel(rules, rule)) is not None:
        await tx.add_notice(channel, request_of(promotion, 0), kind="ask", promotion=promotion.id)
    if rules.remind_after is not None:
        await tx.schedule_reminder(promotion.id, tx.now + timedelta(seconds=rules.remind_after))


def asked_channel(rules: Rules, rule: ApprovalRule) -> str | None:
    """Return the channel that is told in place of people, if so."""
    return rules.ask if rules.ask and not rule.people and not rules.ask.startswith(GROUP) else None


def request_of(promotion: Promotion, given: int) -> Sentence:
    """Say what waits, for how many approvals, after so many were given."""
    left = max(1, promotion.approvals_needed - given)
    many = f"{left} {'more ' if given else ''}approval{'s' if left > 1 else ''}"
    return Sentence.of(
        f"{promotion.release} of {promotion.app} waits for {many}, asked for by ", promotion.requested_by
    )


def reminder_of(promotion: Promotion, approvals: Sequence[Approval]) -> Sentence:
    """Say in the thread of its card what is still awaited."""
    given = promotion.approvals_needed - missing(promotion, approvals)
    return request_of(promotion, given)


def whom_to_remind(
    promotion: Promotion,
    policy: Policy,
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    groups: Mapping[str, frozenset[str]],
) -> tuple[str, ...]:
    """Return those who can still approve it, as a policy names them.

    Whoever is named in `from`, else in the group of `ask`, else whoever holds `approve` by name or group; of these the ones who may
    fill a seat of this promotion now. A group of more than ten such people is called as a group.
    """
    ask = policy.rules(promotion.app).ask or ""
    asked = rule.people or ((ask,) if ask.startswith(GROUP) else policy.holders("approve", promotion.app))
    found: dict[str, None] = {}
    for name in asked:
        if name == EVERYBODY or name.startswith((TOKEN, OIDC)):
            continue
        ids = groups.get(name.removeprefix(GROUP), frozenset()) if name.startswith(GROUP) else {name}
        able = sorted(each for each in ids if _able(promotion, policy, rule, approvals, groups, each))
        found |= dict.fromkeys(able if len(able) <= MOST_NAMED else [name])
    return tuple(found)


def _able(
    promotion: Promotion,
    policy: Policy,
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    groups: Mapping[str, frozenset[str]],
    user: str,
) -> bool:
    person = Actor("slack", user)
    holds = policy.may(person, "approve", promotion.app, groups).allowed
    return holds and may_approve(promotion, rule, approvals, person, groups).allowed

"""Who hears a sound when a message comes: only who is meant by it (contract 9.4), whoever else is named in it."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bot.views.mrkdwn import approver, prose
from core.actor import Actor
from core.policy.authorization import Rules, named
from core.policy.rules import GROUP
from core.promotion import Promotion
from core.records.approval import Approval

_PING = re.compile(r"<@([UW][A-Z0-9]+)>|<!subteam\^(S[A-Z0-9]+)>")


def quiet(payload: Mapping[str, Any], people: Iterable[Actor], but: Collection[str] = ()) -> dict[str, Any]:
    """Return a message in which people are named and not called.

    Args:
        payload: the message.
        people: whose names are known; another person is shown by their id.
        but: the mentions that stay, as Slack writes them.
    """
    names = {person.id: person.name for person in people if person.kind == "slack" and person.name}

    def named_only(found: re.Match[str]) -> str:
        if found[0] in but:
            return found[0]
        return f"@{prose(names.get(found[1], found[1]))}" if found[1] else f"group:{found[2]}"

    def walked(value: Any) -> Any:
        match value:
            case str():
                return _PING.sub(named_only, value)
            case dict():
                return {key: walked(each) for key, each in value.items()}
            case list() | tuple():
                return [walked(each) for each in value]
            case _:
                return value

    return {key: walked(each) for key, each in payload.items()}


def called(promotion: Promotion, rules: Rules) -> frozenset[str]:
    """Return whom the card of a promotion calls: whoever the policy names for its approval, else the group of `ask`."""
    rollback = promotion.kind == "rollback" and rules.rollback.count == promotion.approvals_needed
    rule = rules.rollback if rollback else rules.promote
    ask = (rules.ask,) if rules.ask and rules.ask.startswith(GROUP) else ()
    return (
        frozenset(approver(named(who)) for who in rule.people or ask)
        if promotion.approvals_needed
        else frozenset()
    )


def known(promotion: Promotion, approvals: Iterable[Approval]) -> list[Actor]:
    """Return the people whom the records of a promotion name."""
    p = promotion
    sentences = (p.cause, p.reason, *p.along)
    said = [part for sentence in sentences for part in sentence.parts if isinstance(part, Actor)]
    acted = [p.requested_by, p.declined_by, p.cancelled_by, p.stopped_by, p.taken_over_by]
    return [*said, *(a for a in acted if a), *(a.actor for a in approvals)]

"""Who is meant by the names in a policy: users, groups, tokens, everybody."""

from collections.abc import Iterable, Mapping

from core.actor import EVERYBODY_KINDS, Actor
from core.policy.rules import EVERYBODY, GROUP

Groups = Mapping[str, frozenset[str]]


def among(actor: Actor, who: Iterable[str], groups: Groups) -> bool:
    """Tell whether an actor is one of these: by id, by token name, by group, or as everybody."""
    for name in who:
        if name == EVERYBODY and actor.kind in EVERYBODY_KINDS:
            return True
        if name.startswith(GROUP):
            members = groups.get(name.removeprefix(GROUP), frozenset())
            if actor.kind == "slack" and actor.id in members:
                return True
        elif name == actor.key:
            return True
    return False

"""May this person do this now: membership, policy and fresh user groups, asked at every command and click."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from core.actor import Actor
from core.errors import Forbidden, Unreachable
from core.lifecycle.principal import Principal
from core.lifecycle.rights import explain_right
from core.policy.authorization import Policy, Verb
from core.policy.rules import GROUP, Rules
from core.ports.people import Directory
from core.sentence import EMPTY_SENTENCE, Sentence

MOST_LOOKED_UP = 10  # members of a group; Slack answers a hundred such questions a minute


class Access:
    """Answers for one rack; unknown means no (promise 6).

    Args:
        policy: returns the policy in force; it may be exchanged while the bot runs.
        directory: who people are.
    """

    def __init__(self, policy: Callable[[], Policy], directory: Directory) -> None:
        self._policy = policy
        self._directory = directory

    @property
    def policy(self) -> Policy:
        return self._policy()

    def rules(self, app: str) -> Rules:
        """Return what the policy in force says of an app."""
        return self._policy().rules(app)

    async def require(self, actor: Actor, verb: Verb, app: str) -> Actor:
        """Return the actor with the name that Slack knows, or raise Forbidden with the rule that failed."""
        return (await self.require_in_groups(actor, verb, app))[0]

    async def require_in_groups(
        self, actor: Actor, verb: Verb, app: str
    ) -> tuple[Actor, Mapping[str, frozenset[str]]]:
        """Return the actor as `require` does, with the user groups that were asked for it; a token is in none."""
        principal = await self.require_principal(actor, verb, app)
        return principal.actor, principal.groups

    async def require_principal(self, actor: Actor, verb: Verb, app: str) -> Principal:
        """Return who the actor is, as `require` does."""
        principal = await self.principal(actor)
        right = explain_right(self.policy, principal, verb, app)
        if not right.allowed:
            # Only whoever is refused is worth the look-ups: whom it is no use to ask is not named.
            unable = await self.unable(right.ask, principal.actor, principal.groups)
            explain_right(self.policy, principal, verb, app, unable).enforce()
        return principal

    async def principal(self, actor: Actor) -> Principal:
        """Return who somebody is now, for `explain`; it raises nothing, what is not known is said in it."""
        if actor.kind != "slack":
            # Whoever asks from a terminal must be answered while Slack is down.
            return Principal(actor=actor)
        try:
            person = await self._directory.person(actor.id)
            if not person.member:
                return Principal(actor=actor, stranger=Sentence.of(person.why_not))
            named = Actor("slack", actor.id, person.name)
            return Principal(actor=named, groups=await self.groups(), zone=person.zone)
        except Unreachable as error:
            return Principal(actor=actor, unchecked=str(error))

    async def unable(
        self, who: Iterable[str], actor: Actor, groups: Mapping[str, frozenset[str]]
    ) -> frozenset[str]:
        """Return those of the people and groups of a policy whom it is no use to ask: guests, strangers, whoever asks.

        A group is of use with one other full member in it; for a token none is looked up. While Slack does
        not answer the policy's word is all there is.
        """
        unable = set()
        for name in who:
            group = name.removeprefix(GROUP)
            if name.startswith(GROUP) and group not in groups:
                continue
            ids = groups[group] if name.startswith(GROUP) else {name}
            if not await self._anybody(sorted(ids - {actor.id})):
                unable.add(name)
        return frozenset(unable)

    async def _anybody(self, ids: Sequence[str]) -> bool:
        """Return whether one of the first few is a full member; more are not asked for the sake of an advice."""
        for user in ids[:MOST_LOOKED_UP]:
            try:
                if (await self._directory.person(user)).member:
                    return True
            except Unreachable:
                return True
        return False

    async def groups(self) -> Mapping[str, frozenset[str]]:
        """Return the members of every user group that the policy names; Unreachable where Slack does not say."""
        return {group: await self._directory.group(group) for group in sorted(self.policy.group_ids())}

    async def why_not(self, actor: Actor, verb: Verb, app: str) -> Sentence:
        """Return nothing where the actor has the right now, else why not."""
        try:
            await self.require(actor, verb, app)
        except Forbidden as error:
            return error.sentence
        return EMPTY_SENTENCE

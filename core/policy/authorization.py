"""Who may do what, how many must approve, and how patient a rollout is (contract 6)."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from core.actor import EVERYBODY_KINDS, Actor
from core.policy.build_rules import BuildRule, first_of_each_app
from core.policy.deeds import deed
from core.policy.freezes import Freezes
from core.policy.oidc_rules import OidcRule
from core.policy.people import Groups, among
from core.policy.reader import read_policy
from core.policy.retention import RetentionRules
from core.policy.rules import (
    GROUP,
    OIDC,
    TOKEN,
    VERBS,
    ApprovalRule,
    AppRules,
    ChannelRules,
    Grant,
    Role,
    Rules,
    Verb,
    Verbosity,
)
from core.sentence import EMPTY_SENTENCE, Sentence, UserGroup
from core.yaml.problems import Problems
from core.yaml.source import as_written
from core.yaml.tree import compose

__all__ = [
    "VERBS",
    "AppRules",
    "ApprovalRule",
    "Decision",
    "Grant",
    "Policy",
    "Role",
    "Rules",
    "Verb",
    "among",
    "named",
    "parse_policy",
]

MAX_NAMED_PEOPLE = 3  # people named in a refusal; a longer list is not read


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An answer with its reason.

    Attributes:
        why: for the person who asked; `because` is for everybody else who reads of them.
        ask: whom the reason may advise to be asked, as the policy names them.
    """

    allowed: bool
    why: Sentence = EMPTY_SENTENCE
    because: Sentence = EMPTY_SENTENCE
    ask: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A parsed policy file; see `parse_policy`. What it does not grant is denied.

    Attributes:
        everything: every full member and every token may do everything (`CONVOX_OPEN=1`).
        roles: all of the file, also those that nobody has.
        apps: the first that matches an app's name rules it.
        freezes: windows in which nothing new is promoted, and who may all the same.
        channels: what is said of a channel goes before what is said of an app.
        builds: which pushes are built, and what becomes of their releases.
        oidc: whose tokens of CI are taken.
        retention: how long what nobody decides by is kept.
    """

    everything: bool = False
    roles: tuple[Role, ...] = ()
    grants: tuple[Grant, ...] = ()
    apps: tuple[AppRules, ...] = ()
    freezes: Freezes = field(default_factory=Freezes)
    channels: tuple[ChannelRules, ...] = ()
    builds: tuple[BuildRule, ...] = ()
    oidc: tuple[OidcRule, ...] = ()
    retention: RetentionRules = field(default_factory=RetentionRules)

    @classmethod
    def open(cls, apps: tuple[AppRules, ...] = ()) -> "Policy":
        """Return the policy of `CONVOX_OPEN=1`: everything for everybody, with the rules of these apps."""
        return cls(everything=True, apps=apps)

    def rules(self, app: str) -> Rules:
        """Return how an app is rolled out."""
        return next((entry.rules for entry in self.apps if _matches(app, entry.match)), Rules())

    def verbosity(self, app: str, channel: str | None) -> Verbosity:
        """Return how much a channel hears of an app."""
        said = (entry.verbosity for entry in self.channels if entry.channel == channel)
        return next(said, self.rules(app).verbosity)

    def build_rules(self, repository: str, ref: str) -> tuple[BuildRule, ...]:
        """Return what is built of a push to a ref (`refs/heads/main`) of a repository (`github.com/acme/shop`), one rule an app."""
        return first_of_each_app(self.builds, repository, ref)

    def group_ids(self) -> frozenset[str]:
        """Return the id of every user group in the file: whoever asks must know their members."""
        named = {who for grant in self.grants for who in grant.who}
        for entry in self.apps:
            named |= {*entry.rules.promote.people, *entry.rules.rollback.people, entry.rules.ask or ""}
        return frozenset(who.removeprefix(GROUP) for who in named if who.startswith(GROUP))

    def may(
        self, actor: Actor, verb: Verb, app: str, groups: Groups, unable: Container[str] = ()
    ) -> Decision:
        """Say whether an actor has a right, and if not, what would give it and whom to ask.

        Args:
            actor: a full member, a valid token, a job whose token was verified or a push that is signed; that is checked before.
            verb: the right.
            app: an app's name; for what concerns no app of its own, the name typed.
            groups: group id → user ids, at least those of `group_ids()`; an unknown group has nobody.
            unable: whom nobody is advised to ask, as the policy names them.
        """
        if self.everything and (actor.kind in EVERYBODY_KINDS or self._takes(actor)):
            return Decision(allowed=True)
        if actor.kind == "webhook":
            return self._of_push(actor, verb, app)
        if any(among(actor, grant.who, groups) for grant in self._giving(verb, app)):
            return Decision(allowed=True)
        if verb == "approve" and among(actor, self._approvers(app), groups):
            return Decision(allowed=True)
        return self._denied(verb, app, unable)

    def holders(self, verb: Verb, app: str) -> tuple[str, ...]:
        """Return to whom the file grants a right, as it names them."""
        return tuple(dict.fromkeys(who for grant in self._giving(verb, app) for who in grant.who))

    def overriding_role(self, actor: Actor, app: str, groups: Groups) -> str | None:
        """Return the role by which an actor promotes through a freeze, None where they have none of these."""
        for grant in self.grants:
            if _matches(app, grant.apps) and among(actor, grant.who, groups):
                found = [role.name for role in grant.roles if role.name in self.freezes.override]
                if found:
                    return found[0]
        return None

    def _of_push(self, actor: Actor, verb: Verb, app: str) -> Decision:
        """Say whether a push has a right: the rule that has it built is all that gives one."""
        rules = [rule for rule in self.builds if rule.app == app and rule.covers(actor.id)]
        if rules and (verb == "build" or (verb == "promote" and any(r.promote != "never" for r in rules))):
            return Decision(allowed=True)
        because = Sentence.of(
            f"no rule under builds: of the policy file lets pushes to {actor.id} {deed(verb, app)}"
        )
        return Decision(allowed=False, why=because, because=because)

    def _takes(self, actor: Actor) -> bool:
        """Tell whether it is a job of a rule that there still is."""
        return actor.kind == "oidc" and any(rule.name == actor.id for rule in self.oidc)

    def _giving(self, verb: Verb, app: str) -> list[Grant]:
        return [
            grant
            for grant in self.grants
            if _matches(app, grant.apps) and any(verb in role.verbs for role in grant.roles)
        ]

    def _approvers(self, app: str) -> tuple[str, ...]:
        """Return who is named in `from`: to be named there is the right to approve that app."""
        rules = self.rules(app)
        return rules.promote.people + rules.rollback.people

    def _denied(self, verb: Verb, app: str, unable: Container[str]) -> Decision:
        roles = [role.name for role in self.roles if verb in role.verbs]
        if not roles:
            because = Sentence.of(f"no role of the policy file has the verb {verb}")
            return Decision(
                allowed=False, why=Sentence.of(f"you may not {deed(verb, app)}: ", because), because=because
            )
        need = f"the role {roles[0]}" if len(roles) == 1 else f"one of the roles {', '.join(roles)}"
        people = [who for grant in self._giving(verb, app) for who in grant.who]
        if verb == "approve":
            people += self._approvers(app)
        people = [
            who for who in dict.fromkeys(people) if not who.startswith((TOKEN, OIDC)) and who not in unable
        ]
        why = Sentence.of(
            f"you may not {deed(verb, app)}: that needs {need} for it (", _whom_to_ask(people), ")"
        )
        because = Sentence.of(f"they no longer have {need} for {app}")
        return Decision(allowed=False, why=why, because=because, ask=tuple(people))


def _whom_to_ask(who: Iterable[str]) -> Sentence:
    people = [named(name) for name in who]
    if not people:
        return Sentence.of("no person has it; it is given in the policy file")
    more = f" and {len(people) - MAX_NAMED_PEOPLE} more" if len(people) > MAX_NAMED_PEOPLE else ""
    return Sentence.of("ask ", Sentence.join(", ", people[:MAX_NAMED_PEOPLE]), more)


def named(who: str) -> Actor | UserGroup:
    """Return whom a policy means by a user id or `group:<id>`, for a sentence."""
    return UserGroup(who.removeprefix(GROUP)) if who.startswith(GROUP) else Actor("slack", who)


def _matches(app: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(app, pattern) for pattern in patterns)


def parse_policy(text: str, *, open_to_all: bool = False) -> Policy:
    """Read a policy file (contract 6).

    Args:
        text: the file.
        open_to_all: `CONVOX_OPEN=1`: grants may be left out, everybody may do everything, the apps' rules hold.

    Raises:
        Invalid: one problem a line, each with its line number, all at once.
    """
    problems = Problems()
    root = compose(as_written(text, problems), problems)
    roles, grants, apps, freezes, channels, builds, oidc, retention = read_policy(
        root, problems, members_needed=not open_to_all
    )
    problems.finish()
    return Policy(
        everything=open_to_all,
        roles=roles,
        grants=grants,
        apps=apps,
        freezes=freezes,
        channels=channels,
        builds=builds,
        oidc=oidc,
        retention=retention,
    )

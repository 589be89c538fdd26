"""Who a job is that shows its own token: by the rules of the policy in force, and the keys of the issuer that they name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.oidc.issuers import AGAIN_SECONDS, IssuerKeys
from bot.oidc.tokens import HINT, jwt_id, name_of, read_token, rule_for, verified
from core.actor import Actor, JwtId
from core.clock import Clock
from core.errors import Unauthorized, Unavailable, Unreachable
from core.policy.oidc_rules import OidcRule


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedJob:
    """A job whose token was verified, as it acts."""

    actor: Actor
    jwt_id: JwtId


class JobTokens:
    """Takes the tokens of jobs."""

    def __init__(self, rules: Callable[[], Sequence[OidcRule]], keys: IssuerKeys, clock: Clock) -> None:
        """Take the rules of the policy in force, who knows the keys, and what time it is."""
        self._rules = rules
        self._keys = keys
        self._clock = clock

    async def check(self, text: str) -> VerifiedJob:
        """Return whose token it is.

        Raises:
            Unauthorized: nobody's whom the policy takes.
            Unavailable: its issuer cannot be asked for its keys now.
        """
        token = read_token(text)
        rules = [rule for rule in self._rules() if rule.issuer == token.issuer]
        if not rules:
            raise Unauthorized(
                "the issuer of this token is none that the policy file names under oidc:",
                hint="an administrator adds a rule for it, or a stored token takes its place (docs/ci.md)",
            )
        try:
            key = await self._keys.find(rules[0].keys, token.issuer, token.key, token.key_type)
        except Unreachable as error:
            raise Unavailable(
                f"whether this token is right cannot be known: {error}", hint="try again in a minute"
            ) from None
        if key is None:
            raise Unauthorized(
                "this token is signed with a key that its issuer does not name",
                hint=f"where the issuer has just taken a new one, it is known in {AGAIN_SECONDS:g} s: let the job try again then; else {HINT}",
            )
        now = self._clock.now()
        claims = verified(token, key, [rule.audience for rule in rules], now)
        rule = rule_for(rules, claims, now)
        return VerifiedJob(actor=Actor("oidc", rule.name, name_of(rule, claims)), jwt_id=jwt_id(claims, text))

"""Who acts: a Slack user, an API token, a job with a token of its CI, a push, an operator, or the bot itself; and from where they ask."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

# Where a request comes from: Slack, or over HTTP from a terminal or CI.
Source = Literal["slack", "http"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something, as recorded in promotions and in the audit.

    Attributes:
        kind: where the identity comes from.
        id: the Slack user id (`U…`/`W…`), the token's name, the name of the rule that takes a job's tokens, the repository that was
            pushed to (`github.com/acme/shop`), an account on the machine with the database (`alice@bastion`), or `convox-bot`.
        name: what people call them, of a job which it is (`github:acme/web@refs/heads/main (run 123)`); for display only, never for a
            decision.
        apps: of a token that asks now, name patterns of the apps that it is for; no part of who it is.
    """

    kind: Literal["slack", "token", "oidc", "webhook", "operator", "bot"]
    id: str
    name: str = ""
    apps: tuple[str, ...] = field(default=("*",), compare=False, repr=False)

    @property
    def key(self) -> str:
        """The name by which a policy knows this actor: `U01ALICE`, `token:ci` or `oidc:web`."""
        return self.id if self.kind == "slack" else f"{self.kind}:{self.id}"

    @property
    def plain(self) -> str:
        """How a log shows them."""
        if self.kind == "oidc" and self.name:
            return self.name
        return f"@{self.name or self.id}" if self.kind == "slack" else f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtId:
    """What makes a token of a job one (RFC 7519, 4.1.7): it asks for one promotion of each app, since what is recorded could be sent again.

    Attributes:
        digest: of the issuer and its claim `jti`; nobody makes the token of it.
        expires_at: when the token opens nothing any more, by itself.
    """

    digest: str
    expires_at: datetime


# Whom a policy means by everybody.
EVERYBODY_KINDS = frozenset({"slack", "token"})
BOT = Actor("bot", "convox-bot", "convox-bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, from where, and by which delivery: what every use case takes first.

    Attributes:
        channel: the Slack channel it was typed in; None from a terminal.
        delivery: the delivery in the inbox that is being carried out, or None; the transaction that does what it asks
            for also marks it as done.
        seen: of a click, the revision of the promotion that its button was shown at; None where nobody knows what was seen.
        jwt_id: of a job, that of the token that it shows.
    """

    actor: Actor
    source: Source
    channel: str | None = None
    delivery: int | None = None
    seen: int | None = None
    jwt_id: JwtId | None = None

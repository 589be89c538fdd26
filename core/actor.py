"""Who acts: a Slack user, an API token, a push, or the bot itself; and from where they ask."""

from dataclasses import dataclass, field
from typing import Literal

# Where a request comes from: Slack, or over HTTP from a terminal or CI.
Source = Literal["slack", "http"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something, as recorded in promotions and in the audit.

    Attributes:
        kind: where the identity comes from.
        id: the Slack user id (`U…`/`W…`), the token's name, the repository that was pushed to (`github.com/acme/shop`), or
            `convox-bot`.
        name: what people call them; for display only, never for a decision.
        apps: of a token that asks now, name patterns of the apps that it is for; no part of who it is.
    """

    kind: Literal["slack", "token", "webhook", "bot"]
    id: str
    name: str = ""
    apps: tuple[str, ...] = field(default=("*",), compare=False, repr=False)

    @property
    def key(self) -> str:
        """The name by which a policy knows this actor: `U01ALICE` or `token:ci`."""
        return self.id if self.kind == "slack" else f"{self.kind}:{self.id}"

    @property
    def plain(self) -> str:
        """How a log shows them."""
        return f"@{self.name or self.id}" if self.kind == "slack" else f"{self.kind}:{self.id}"


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
    """

    actor: Actor
    source: Source
    channel: str | None = None
    delivery: int | None = None

"""Everything that the parts of the emulated Slack share."""

import secrets
from dataclasses import dataclass, field

from bot.playground.slack.faults import CallFaults
from bot.playground.slack.feed import Feed
from bot.playground.slack.people import BOT_ID, BOT_USER
from bot.playground.slack.rate_limits import RateLimits
from bot.playground.slack.store import WorkspaceStore
from bot.playground.slack.tickets import TRIGGER_SECONDS, Tickets
from core.clock import Clock

CALLS_KEPT = 20_000
APP_ID = "A0CONVOX"
TEAM_NAME = "Acme"
TEAM_DOMAIN = "acme"
APP_SCOPES = frozenset({"connections:write"})
BOT_SCOPES = frozenset({
    "commands", "chat:write", "users:read", "usergroups:read", "channels:history", "groups:history", "im:history",
    "mpim:history", "files:write", "app_mentions:read",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCredentials:
    """What the application knows the workspace by, and what it may do there."""

    bot_token: str = field(default_factory=lambda: f"xoxb-{secrets.token_hex(12)}")
    app_token: str = field(default_factory=lambda: f"xapp-1-{APP_ID}-{secrets.token_hex(16)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    scopes: frozenset[str] = BOT_SCOPES
    enterprise: str = ""
    """The organisation (`E…`) for all of whose workspaces the application is installed; "" where it is for one workspace."""
    app_id: str = APP_ID
    bot_id: str = BOT_ID
    bot_user: str = BOT_USER
    """Who posts for it; of each application of a workspace another one."""

    def scopes_of(self, token: str) -> frozenset[str] | None:
        """Return what a token may do, or None if it is not one of ours."""
        if secrets.compare_digest(token.encode(), self.bot_token.encode()):
            return self.scopes
        if secrets.compare_digest(token.encode(), self.app_token.encode()):
            return APP_SCOPES
        return None


@dataclass(slots=True, kw_only=True)
class WebApiCall:
    """One call of the Web API that arrived, kept so that tests can look at what was sent."""

    method: str
    args: dict[str, object]
    answer: dict[str, object] = field(default_factory=dict)
    status: int = 200


@dataclass(slots=True, kw_only=True)
class WorkspaceContext:
    """The shared state, made once for a workspace."""

    clock: Clock
    feed: Feed
    store: WorkspaceStore
    rates: RateLimits
    faults: CallFaults
    tickets: Tickets
    credentials: AppCredentials
    url: str = ""
    socket_url: str = ""
    refused_blocks: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    calls: list[WebApiCall] = field(default_factory=list)

    def keep(self, call: WebApiCall) -> None:
        """Remember a call for whoever looks; a playground that runs for days forgets the oldest ones."""
        self.calls.append(call)
        if len(self.calls) > CALLS_KEPT:
            del self.calls[: CALLS_KEPT // 2]
        self.feed.publish({"type": "call", "method": call.method})


def new_context(
    clock: Clock,
    credentials: AppCredentials,
    *,
    rate_limits: bool,
    trigger_seconds: float = TRIGGER_SECONDS,
    store: WorkspaceStore | None = None,
) -> WorkspaceContext:
    """Return the state of one application; `store` is that of the workspace, where others are installed there already."""
    feed = Feed() if store is None else store.feed
    return WorkspaceContext(
        clock=clock,
        feed=feed,
        store=WorkspaceStore(clock, feed) if store is None else store,
        rates=RateLimits(clock, enforced=rate_limits),
        faults=CallFaults(),
        tickets=Tickets(clock, trigger_seconds=trigger_seconds),
        credentials=credentials,
    )

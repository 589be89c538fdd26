"""Whether a token may call a method, and whether the bot may speak in a channel."""

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.state import Conversation
from bot.playground.slack.webapi.errors import SlackError

NEEDED: dict[str, str] = {
    "chat.postMessage": "chat:write", "chat.update": "chat:write", "chat.postEphemeral": "chat:write",
    "chat.delete": "chat:write", "users.info": "users:read", "users.list": "users:read", "bots.info": "users:read",
    "usergroups.list": "usergroups:read", "usergroups.users.list": "usergroups:read",
    "conversations.list": "channels:read", "conversations.join": "channels:join", "conversations.open": "im:write",
    "reactions.add": "reactions:write", "team.info": "team:read", "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write", "apps.connections.open": "connections:write",
}  # fmt: skip
READS = {"conversations.info": "read", "conversations.members": "read", "conversations.history": "history",
         "conversations.replies": "history"}  # fmt: skip


def authorise(context: WorkspaceContext, method: str, token: str) -> frozenset[str]:
    """Return the token's scopes, or refuse the call as Slack does."""
    if not token:
        raise SlackError("not_authed")
    scopes = context.credentials.scopes_of(token)
    if scopes is None:
        raise SlackError("invalid_auth")
    for_app = method == "apps.connections.open"
    if token.startswith("xapp-") != for_app and method != "auth.test":
        raise SlackError("not_allowed_token_type")
    if method in NEEDED:
        require_scope(scopes, NEEDED[method])
    return scopes


def require_scope(scopes: frozenset[str], scope: str) -> None:
    if scope not in scopes:
        raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(scopes)))


def scope_family(channel: Conversation) -> str:
    """Return the word that the scopes of this kind of conversation begin with."""
    if channel.is_im:
        return "im"
    return "groups" if channel.is_private else "channels"


def find_channel(context: WorkspaceContext, name: str) -> Conversation:
    """Return a conversation that the bot can know of, by id, by `#name`, or a person's id for a direct one."""
    channel = context.store.channels.get(name)
    if channel is None and name.startswith(("U", "W")) and name in context.store.users:
        channel = context.store.direct(context.credentials.bot_user, name)
    if channel is None:
        plain = name.removeprefix("#")
        channel = next((c for c in context.store.channels.values() if c.name == plain and not c.is_im), None)
    if channel is None or (
        context.credentials.bot_user not in channel.members and (channel.is_private or channel.is_im)
    ):
        raise SlackError("channel_not_found")
    return channel


def require_postable(context: WorkspaceContext, channel: Conversation, scopes: frozenset[str]) -> None:
    """Refuse if the bot may not post here."""
    if channel.is_archived:
        raise SlackError("is_archived")
    if context.credentials.bot_user not in channel.members and "chat:write.public" not in scopes:
        raise SlackError("not_in_channel")

"""Who is who: `auth.test`, `team.info`, `users.*`, `bots.info`, `usergroups.*`, `apps.connections.open`."""

from typing import Any

from bot.playground.slack.context import APP_SCOPES, TEAM_DOMAIN, TEAM_NAME, WorkspaceContext
from bot.playground.slack.render import user_json, usergroup_json
from bot.playground.slack.state import TEAM_ID, User
from bot.playground.slack.webapi.arguments import Arguments, required, truthy
from bot.playground.slack.webapi.errors import SlackError

Json = dict[str, Any]


def auth_test(context: WorkspaceContext, _arguments: Arguments, scopes: frozenset[str]) -> Json:
    if scopes is APP_SCOPES:
        return {"app_name": "Convox", "app_id": context.credentials.app_id}
    return {
        "url": f"{context.url}/",
        "team": TEAM_NAME,
        "user": context.store.users[context.credentials.bot_user].name,
        "team_id": TEAM_ID,
        "user_id": context.credentials.bot_user,
        "bot_id": context.credentials.bot_id,
        "is_enterprise_install": bool(context.credentials.enterprise),
        **({"enterprise_id": context.credentials.enterprise} if context.credentials.enterprise else {}),
    }


def team_info(_context: WorkspaceContext, _arguments: Arguments, _scopes: frozenset[str]) -> Json:
    return {"team": {"id": TEAM_ID, "name": TEAM_NAME, "domain": TEAM_DOMAIN, "email_domain": "", "icon": {}}}


def connections_open(context: WorkspaceContext, _arguments: Arguments, _scopes: frozenset[str]) -> Json:
    return {
        "url": f"{context.socket_url}?ticket={context.tickets.connection()}&app_id={context.credentials.app_id}"
    }


def require_team(context: WorkspaceContext, arguments: Arguments) -> None:
    """Refuse a call with an organisation's token that does not say which workspace is meant, as Slack does."""
    if not context.credentials.enterprise:
        return
    if not arguments.get("team_id"):
        raise SlackError("missing_argument", needed="team_id")
    if arguments["team_id"] != TEAM_ID:
        raise SlackError("team_not_found")


def _inside(context: WorkspaceContext, user: User) -> Json:
    """Return what tells that somebody is of the organisation, where there is one."""
    enterprise = context.credentials.enterprise
    if not enterprise or user.team_id != TEAM_ID:
        return {}
    return {"enterprise_user": {"id": user.id, "enterprise_id": enterprise, "teams": [TEAM_ID]}}


def users_info(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    user = context.store.users.get(required(arguments, "user", error="user_not_found"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user_json(user) | _inside(context, user)}


def users_list(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    """List the members; people from other companies are not among them."""
    require_team(context, arguments)
    members = [user_json(user) for user in context.store.users.values() if not user.is_stranger]
    return {"members": members, "response_metadata": {"next_cursor": ""}}


def bots_info(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    bot = next(
        (u for u in context.store.users.values() if u.bot_id and u.bot_id == arguments.get("bot")), None
    )
    if bot is None:
        raise SlackError("bot_not_found")
    return {
        "bot": {
            "id": bot.bot_id,
            "deleted": False,
            "name": bot.name,
            "app_id": context.credentials.app_id,
            "user_id": bot.id,
        }
    }


def usergroups_list(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    require_team(context, arguments)
    everybody, disabled = truthy(arguments.get("include_users")), truthy(arguments.get("include_disabled"))
    groups = [group for group in context.store.usergroups.values() if disabled or not group.disabled]
    return {"usergroups": [usergroup_json(group, users=everybody) for group in groups]}


def usergroups_users_list(context: WorkspaceContext, arguments: Arguments, _scopes: frozenset[str]) -> Json:
    require_team(context, arguments)
    group = context.store.usergroups.get(required(arguments, "usergroup", error="no_such_subteam"))
    if group is None or (group.disabled and not truthy(arguments.get("include_disabled"))):
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}

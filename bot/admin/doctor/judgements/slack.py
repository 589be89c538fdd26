"""What Slack's answers mean: tokens, scopes and the channels of apps."""

from collections.abc import Collection

from bot.admin.doctor.check import ANEW, HealthCheck, named
from bot.prefixes import DEFAULT_COMMAND, typed

# What manifest.yml asks for; a test compares.
SCOPES = frozenset(
    {
        *("app_mentions:read", "channels:history", "chat:write", "commands"),
        *("files:write", "groups:history", "usergroups:read", "users:read"),
    }
)
# How a probe begins to say that nobody answered.
SILENCE = "does not answer"
# Slack's words for "not now": nothing is wrong with the token, and a new one would change nothing.
NOT_NOW = frozenset({"ratelimited", "rate_limited"})
IN_TROUBLE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
LATER = "Slack did not say: look again in a minute"
# https://docs.slack.dev/reference/events/message: the last message of a channel that was archived, a public or a private one.
ARCHIVED = frozenset({"channel_archive", "group_archive"})
PLACES = {"SLACK_BOT_TOKEN": "Install App", "SLACK_APP_TOKEN": "Basic Information → App-Level Tokens"}


def reinstall_sentence(command: str, *, by_http: bool) -> str:
    """Say how the app gets the scopes of today's manifest.

    Args:
        command: its slash command, which the manifest names.
        by_http: Slack calls the bot, at an address that the manifest names.
    """
    words = f" --command {command}" if command != DEFAULT_COMMAND else ""
    words += " --address https://HOST" if by_http else ""
    place = ", HOST being the one that Slack calls" if by_http else ""
    return (
        f"paste what `convox-bot slack-manifest{words}` prints{place} at api.slack.com/apps → App Manifest, then "
        f"Install App → Reinstall, set SLACK_BOT_TOKEN to what it shows, {ANEW}"
    )


def judge_scopes(granted: Collection[str], reinstall: str) -> HealthCheck:
    """Judge what the bot token may do in Slack; `reinstall` says how it is given more."""
    missing = sorted(SCOPES - set(granted))
    problem = f"SLACK_BOT_TOKEN lacks {', '.join(missing)}" if missing else ""
    return HealthCheck(name="scopes", problem=problem, remedy=reinstall if missing else "")


def judge_slack(name: str, error: str, api: str) -> HealthCheck:
    """Judge whether Slack takes a token.

    Args:
        name: of the setting.
        error: Slack's word, or why it does not answer; "" where it does.
        api: the address of its Web API.
    """
    if not error or error in NOT_NOW:
        return HealthCheck(name=name, note=LATER if error else "")
    if error.startswith(SILENCE):
        return HealthCheck(
            name=name,
            problem=f"Slack {error}",
            remedy=f"`curl -v {api}api.test` from this machine has to end in JSON; slack-status.com says whether Slack is down. "
            "In a pod: deploy/network-policy.yaml has to name port 443",
        )
    if error in IN_TROUBLE:
        return HealthCheck(
            name=name,
            problem=f"Slack is in trouble: {error}",
            remedy="slack-status.com says when it is over; nothing is lost meanwhile. Then: `convox-bot doctor`",
        )
    where = f"api.slack.com/apps → {PLACES[name]}"
    if error == "missing_scope":
        return HealthCheck(
            name=name,
            problem="Slack says missing_scope: it was made without connections:write",
            remedy=f"generate another one with the scope connections:write at {where}, set {name} to it, {ANEW}",
        )
    return HealthCheck(
        name=name,
        problem=f"Slack says {error}",
        remedy=f"copy the token anew from {where}, set {name} to it, {ANEW}",
    )


def judge_channel(
    app: str, channel: str, error: str, *, last: str = "", bot: str = "convox", reinstall: str
) -> HealthCheck:
    """Judge whether the bot can post in the channel that an app is linked to.

    Args:
        app: its name.
        channel: its id.
        error: Slack's word to reading it, "" where it can be read.
        last: the subtype of its last message.
        bot: how the bot is called in Slack.
        reinstall: how it is given more scopes.
    """
    name = f"channel of {app}"
    link = f"`{typed(f'link {app}', 'slack')}`"
    if error == "is_archived" or (not error and last in ARCHIVED):
        return HealthCheck(
            name=name,
            problem=f"{channel} is archived, so nothing can be posted there",
            remedy=f"in another channel: {link}; or unarchive it, then there: `/invite @{bot}`",
        )
    if not error:
        return HealthCheck(name=name)
    # Slack puts bots out of a channel that is archived, and says no more than this.
    if error in {"not_in_channel", "channel_not_found"}:
        return HealthCheck(
            name=name,
            problem=f"the bot is not in {channel}, or there is no such channel, or it was archived",
            remedy=f"in that channel, unarchived if it was: `/invite @{bot}`; or in another one: {link}",
        )
    if error in NOT_NOW | IN_TROUBLE or error.startswith(SILENCE):
        return HealthCheck(name=name, note=LATER)
    return HealthCheck(name=name, problem=f"{channel} cannot be read: Slack says {error}", remedy=reinstall)


def judge_channels_left(apps: list[str]) -> HealthCheck:
    """Say which channels were not looked at, since Slack lets one ask only so often."""
    return HealthCheck(
        name="channels",
        note=f"those of {named(apps)} were not looked at, since Slack lets about 50 be read a minute: "
        "`convox-bot doctor --all` looks at each, at that pace",
    )

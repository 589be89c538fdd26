"""Who people are, by Slack's word: members, guests, strangers, user groups."""

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.connection import error_word
from core.clock import Clock
from core.errors import Unreachable
from core.ports.people import Person

# A right that was taken away ends within a minute; users.info is Tier 4, 100 a minute.
FRESH_SECONDS = 60.0
# A rollout that a restart takes up asks before Slack has said who we are; a blip must not void its approvals.
IDENTITY_SECONDS = 10.0
NO_TEAM = "I am installed for a whole organisation, and SLACK_TEAM_ID does not say in which workspace its user groups are"


def judge_member(user: Mapping[str, Any], home: str) -> Person:
    """Return whether a `users.info` user is a full member of the workspace or organisation `home`; pure."""
    name = (
        user.get("profile", {}).get("display_name") or user.get("real_name") or user.get("name") or user["id"]
    )
    refused = {
        "deleted": "this account is deactivated",
        "is_bot": "bots may not do this; a token may (`convox-bot token create`)",
        "is_ultra_restricted": "guests may not do this",
        "is_restricted": "guests may not do this",
        "is_stranger": "people from other workspaces may not do this",
    }
    why = next((said for flag, said in refused.items() if user.get(flag)), "")
    homes = {user.get("team_id"), user.get("enterprise_user", {}).get("enterprise_id")}
    if not why and home not in homes:
        why = refused["is_stranger"]
    return Person(id=user["id"], name=name, member=not why, why_not=why, zone=user.get("tz") or "UTC")


class SlackDirectory:
    """Asks Slack, remembering an answer for a minute; fails closed."""

    def __init__(
        self,
        client: AsyncWebClient,
        clock: Clock,
        home: Callable[[], str | None],
        groups_of: Callable[[], str] = str,
    ) -> None:
        """Take the client and the clock.

        Args:
            client: for the Web API.
            clock: everybody's.
            home: returns our team id once Slack has told it.
            groups_of: returns the workspace whose user groups are meant, where the token is an organisation's and Slack
                must be told (`missing_argument` otherwise); "" where the token is a workspace's.
        """
        self._client = client
        self._clock = clock
        self._home = home
        self._groups_of = groups_of
        self._people: dict[str, tuple[float, Person]] = {}
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}

    async def person(self, user_id: str) -> Person:
        known = self._people.get(user_id)
        if known and self._clock.monotonic() - known[0] < FRESH_SECONDS:
            return known[1]
        home = await self._known_home()
        try:
            answer = await self._ask("users.info", user=user_id)
        except SlackApiError as error:
            if error_word(error) in {"user_not_found", "user_not_visible"}:
                return Person(id=user_id, name=user_id, member=False, why_not="Slack does not know this user")
            raise Unreachable(f"Slack says {error_word(error)}") from error
        person = judge_member(answer["user"], home)
        self._people[user_id] = (self._clock.monotonic(), person)
        return person

    async def _known_home(self) -> str:
        """Return our team, waiting a moment for it right after a start."""
        deadline = self._clock.monotonic() + IDENTITY_SECONDS
        while (home := self._home()) is None:
            if self._clock.monotonic() >= deadline:
                raise Unreachable("Slack has not answered since I was started")
            await self._clock.sleep(0.1)
        return home

    async def group(self, group_id: str) -> frozenset[str]:
        known = self._groups.get(group_id)
        if known and self._clock.monotonic() - known[0] < FRESH_SECONDS:
            return known[1]
        try:
            team = self._groups_of()
            answer = await self._ask(
                "usergroups.users.list", usergroup=group_id, **({"team_id": team} if team else {})
            )
        except SlackApiError as error:
            if error_word(error) == "no_such_subteam":
                return frozenset()
            if error_word(error) == "missing_argument":
                raise Unreachable(NO_TEAM) from error
            raise Unreachable(f"Slack says {error_word(error)} about group {group_id}") from error
        members = frozenset(answer.get("users") or ())
        self._groups[group_id] = (self._clock.monotonic(), members)
        return members

    async def _ask(self, method: str, **params: str) -> Any:
        try:
            return await self._client.api_call(method, http_verb="GET", params=params)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unreachable("Slack does not answer") from error

"""Whose deliveries these are: what another workspace than ours sends is nobody's request here (engine rule 59)."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncRespond
from slack_bolt.response import BoltResponse

from core.errors import Forbidden

log = logging.getLogger(__name__)

# Who sends from more workspaces than this is no mistake; one line says that, and no more follow.
MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class WorkspaceId:
    """A workspace (`T…`) and, in an Enterprise organisation, that (`E…`); "" for what is not known."""

    team: str
    enterprise: str = ""

    def includes(self, sender: "WorkspaceId") -> bool:
        """Tell whether a delivery is of this workspace, or of another one of the same organisation.

        There a channel has several workspaces, and a delivery names that of whoever acts.
        """
        if self.enterprise and sender.enterprise:
            return self.enterprise == sender.enterprise
        return bool(self.team) and self.team == sender.team


def sender_of(body: Mapping[str, Any]) -> WorkspaceId:
    """Return the workspace that a delivery was made for, where its kind says so.

    A person of a shared channel has another one of their own, which is judged by `bot.slack.directory`. An event names the
    installation in its authorizations; a view that was opened elsewhere in `app_installed_team_id`; an organisation
    names no team.
    """
    authorizations = body.get("authorizations")
    if isinstance(authorizations, list) and authorizations and isinstance(authorizations[0], dict):
        return sender_of(authorizations[0])
    view = body.get("view")
    installed = view.get("app_installed_team_id") if isinstance(view, dict) else None
    team, enterprise = body.get("team"), body.get("enterprise")
    found = installed or _id(team) or body.get("team_id")
    inside = team.get("enterprise_id") if isinstance(team, dict) else None
    return WorkspaceId(str(found or ""), str(_id(enterprise) or body.get("enterprise_id") or inside or ""))


def _id(named: object) -> object:
    return named.get("id") if isinstance(named, dict) else named


def foreign(sender: WorkspaceId) -> str:
    """Return what somebody of another workspace is told."""
    other = sender.enterprise or sender.team or "without a name"
    return (
        f"this came from another workspace ({other}) than the one that I work for, so nothing was done. "
        "Use me from a channel of my own workspace; who runs me there can be asked"
    )


class WorkspaceFilter:
    """Lets in what our own workspace sends; says of others that they were there, once each and not without end."""

    def __init__(self, home: Callable[[], WorkspaceId | None]) -> None:
        """Take a function that returns whom we work for, once Slack has told it."""
        self._home = home
        self._told: set[WorkspaceId] = set()

    def refusal(self, body: Mapping[str, Any]) -> str:
        """Return why a delivery is not ours, or ""; "" too before Slack has said who we are: then nothing is carried out."""
        home, sender = self._home(), sender_of(body)
        if home is None or home.includes(sender):
            return ""
        self._tell(sender)
        return foreign(sender)

    def check(self, body: Mapping[str, Any]) -> None:
        """Raise Forbidden where a delivery is not ours."""
        if reason := self.refusal(body):
            raise Forbidden(reason)

    def _tell(self, sender: WorkspaceId) -> None:
        if sender in self._told or len(self._told) > MOST_TOLD:
            return
        self._told.add(sender)
        more = "; more of them are not told any more" if len(self._told) > MOST_TOLD else ""
        log.error(
            "Slack delivers what %.40r has sent, which is not our workspace: is the app-level token or the signing "
            "secret that of another installation?%s",
            sender,
            more,
        )


def guarding(
    workspaces: WorkspaceFilter, tell: Callable[[AsyncRespond, str], Awaitable[None]]
) -> Callable[..., Awaitable[BoltResponse]]:
    """Return Bolt's middleware that answers what is not ours in place of every listener, acknowledged all the same.

    Args:
        workspaces: judges.
        tell: says it to whoever clicked: the acknowledgement of a click shows no text, that of a command does.
    """

    async def guard(
        body: dict[str, Any], respond: AsyncRespond, next_: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        if not (reason := workspaces.refusal(body)):
            return await next_()
        if "command" in body:
            return BoltResponse(status=200, body={"text": reason, "response_type": "ephemeral"})
        if body.get("response_url"):
            await tell(respond, reason)
        return BoltResponse(status=200, body="")

    return guard

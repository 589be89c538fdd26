"""Looking at Slack: both tokens, the scopes, and the channel of each app at the pace that Slack allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.admin.doctor.bounded import Look, look_at_all
from bot.admin.doctor.check import HealthCheck
from bot.admin.doctor.judgements import slack as judge
from bot.admin.doctor.judgements.machine import judge_clock
from bot.settings import Settings
from core.clock import Clock

SLACK_SECONDS = 10.0
# conversations.history is Tier 3, 50 a minute, of which a running bot takes its share. In a hurry so many are asked, some side by
# side; without one, ten at once and then 40 a minute, and once more where Slack says when.
MOST_IN_A_HURRY, SIDE_BY_SIDE, CHANNEL_SECONDS = 40, 10, 30.0
CHANNELS_AT_ONCE, CHANNEL_PAUSE, MOST_PATIENCE = 10, 1.5, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAnswer:
    """What Slack says to a call.

    Attributes:
        error: its word, or that it does not answer; "" for a yes.
        scopes: what the token may do.
        at: when it answered, by its own clock.
        retry_after: seconds after which it wants to be asked again, where it was asked too much; 0 otherwise.
        said: the rest.
    """

    error: str = ""
    scopes: frozenset[str] = frozenset()
    at: datetime | None = None
    retry_after: float = 0.0
    said: Mapping[str, Any]

    @property
    def user(self) -> str:
        """How the bot is called (`auth.test`)."""
        return str(self.said.get("user") or "convox")

    @property
    def last(self) -> str:
        """The subtype of the newest message (`conversations.history`)."""
        messages = self.said.get("messages")
        newest = messages[0] if isinstance(messages, list) and messages else {}
        return str(newest.get("subtype") or "") if isinstance(newest, dict) else ""


async def ask_slack(
    session: aiohttp.ClientSession, url: str, token: str, method: str, **form: str
) -> SlackAnswer:
    """Call a method of Slack's Web API once."""
    headers = {"Authorization": f"Bearer {token}"}
    limit = aiohttp.ClientTimeout(total=SLACK_SECONDS)
    try:
        async with session.post(url + method, headers=headers, data=form, timeout=limit) as response:
            if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                return SlackAnswer(error=f"{judge.SILENCE}: HTTP {response.status}", said={})
            said: Any = await response.json(content_type=None)
            given = response.headers
    except TimeoutError:
        return SlackAnswer(error=f"{judge.SILENCE} within {SLACK_SECONDS:g} s", said={})
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return SlackAnswer(error=f"{judge.SILENCE}: {type(error).__name__}", said={})
    if not isinstance(said, dict):
        return SlackAnswer(error=f"{judge.SILENCE}: something else does", said={})
    scopes = frozenset(filter(None, (each.strip() for each in given.get("x-oauth-scopes", "").split(","))))
    word = "" if said.get("ok") else str(said.get("error", "no"))
    return SlackAnswer(error=word, scopes=scopes, at=_date(given), retry_after=_seconds(given), said=said)


def _seconds(headers: Mapping[str, str]) -> float:
    said = headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() else 0.0


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None


class SlackLooks:
    """Asks Slack with the tokens of the settings."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock
        by_http = settings.slack_signing_secret is not None
        self._reinstall = judge.reinstall_sentence(settings.convox_command, by_http=by_http)

    async def tokens(self, *, app_token: bool) -> tuple[list[HealthCheck], SlackAnswer | None]:
        """Look at the tokens and what they may; return also who the bot is, None where nothing more can be asked.

        Args:
            app_token: whether that of Socket Mode is looked at, too.
        """
        url, token = self._settings.slack_api_url, self._settings.slack_app_token
        said = await self._ask("auth.test")
        found = [judge.judge_slack("SLACK_BOT_TOKEN", said.error, url)]
        if token is not None and app_token and not said.error.startswith(judge.SILENCE):
            opened = await ask_slack(self._session, url, token.get_secret_value(), "apps.connections.open")
            found.append(judge.judge_slack("SLACK_APP_TOKEN", opened.error, url))
        if said.at is not None:
            found.append(judge_clock("Slack", said.at, self._clock.now()))
        if said.error:
            return found, None
        return [*found, judge.judge_scopes(said.scopes, self._reinstall)], said

    async def some_channels(self, linked: Mapping[str, str], who: SlackAnswer) -> list[HealthCheck]:
        """Look at as many channels as Slack lets one ask without waiting; say which were left."""
        looks = [
            Look(f"channel of {app}", lambda app=app, channel=channel: self._look(app, channel, who))  # type: ignore[misc]
            for app, channel in list(linked.items())[:MOST_IN_A_HURRY]
        ]
        found = await look_at_all(looks, at_once=SIDE_BY_SIDE, seconds=CHANNEL_SECONDS)
        left = list(linked)[MOST_IN_A_HURRY:]
        return found + ([judge.judge_channels_left(left)] if left else [])

    async def each_channel(self, linked: Mapping[str, str], who: SlackAnswer) -> list[HealthCheck]:
        """Look at every channel, at the pace that Slack allows."""
        found = []
        for number, (app, channel) in enumerate(linked.items()):
            if number >= CHANNELS_AT_ONCE:
                await self._clock.sleep(CHANNEL_PAUSE)
            seen = await self._history(channel)
            if 0 < seen.retry_after <= MOST_PATIENCE:
                await self._clock.sleep(seen.retry_after)
                seen = await self._history(channel)
            found.append(self._judge(app, channel, seen, who))
        return found

    async def _look(self, app: str, channel: str, who: SlackAnswer) -> Sequence[HealthCheck]:
        return [self._judge(app, channel, await self._history(channel), who)]

    def _judge(self, app: str, channel: str, seen: SlackAnswer, who: SlackAnswer) -> HealthCheck:
        return judge.judge_channel(
            app, channel, seen.error, last=seen.last, bot=who.user, reinstall=self._reinstall
        )

    async def _history(self, channel: str) -> SlackAnswer:
        return await self._ask("conversations.history", channel=channel, limit="1")

    async def _ask(self, method: str, **form: str) -> SlackAnswer:
        token = self._settings.slack_bot_token.get_secret_value()
        return await ask_slack(self._session, self._settings.slack_api_url, token, method, **form)

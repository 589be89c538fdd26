"""The connection to Slack: one client, who we are, and the socket; down means degraded, never dead."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from core.ports import Clock

log = logging.getLogger(__name__)

# Slack answers in tens of milliseconds; after this a call is an unknown outcome and is reconciled.
CALL_SECONDS = 20.0
# apps.connections.open is Tier 1, one call a minute: a quick retry for a blip, then patience.
RETRY_SECONDS = (1.0, 5.0, 15.0, 30.0, 60.0)
# Slack will never accept these credentials again; the sender stops, the engine goes on (engine rule 37).
DEAD_CREDENTIALS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "not_allowed_token_type",
    }
)
SOCKET_CHECK_SECONDS = 2.0


@dataclass(slots=True)
class SlackState:
    """What is known of the connection, for readyz, for the directory and for the sender.

    Attributes:
        team: our team (or organisation) id, None until `auth.test` was good.
        user: the bot's own user id.
        problem: why it is not connected, or "".
        connected: events can come in: hello was said, or HTTP is listening and `auth.test` was good.
        dead: the credentials are refused; nothing more is sent.
    """

    team: str | None = None
    user: str = ""
    problem: str = "not connected yet"
    connected: bool = False
    dead: bool = False
    known: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ready(self) -> bool:
        """Whether people get answers: events come in, and what is said to them goes out."""
        return self.connected and not self.dead


def new_client(token: str, base_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Return a client that never sends twice by itself: retries are the outbox's business (slack.md, trap 2)."""
    return AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[])


def new_session() -> aiohttp.ClientSession:
    """Return the one HTTP session to Slack; the SDK ignores its own `timeout` where it is given a session."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))


class SlackConnection:
    """Finds out who we are and, in Socket Mode, keeps the socket open."""

    def __init__(
        self,
        client: AsyncWebClient,
        app: AsyncApp,
        *,
        app_token: str | None,
        state: SlackState,
        clock: Clock,
    ) -> None:
        self._client = client
        self._app = app
        self._app_token = app_token
        self._state = state
        self._clock = clock
        self._handler: AsyncSocketModeHandler | None = None

    async def run(self) -> None:
        """Connect, say what is wrong while it does not succeed, and stay connected until cancelled."""
        await self._insist(self._identify)
        if self._app_token is None:
            self._state.connected = not self._state.dead
            return
        await self._insist(self._open_socket)
        try:
            await self._watch_socket()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the socket; Slack gives what comes in meanwhile to the next connection."""
        handler, self._handler = self._handler, None
        if handler is not None:
            await handler.close_async()  # type: ignore[no-untyped-call]
            await asyncio.sleep(0)

    async def _insist(self, attempt: Any) -> None:
        tries = 0
        while not self._state.dead:
            try:
                await attempt()
            except SlackApiError as error:
                self._blame(error_word(error))
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                self._state.problem = f"Slack does not answer: {type(error).__name__}"
            else:
                self._state.problem = ""
                return
            if not self._state.dead:
                log.warning("%s; trying again", self._state.problem)
                await self._clock.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
            tries += 1

    def _blame(self, word: str) -> None:
        self._state.problem = f"Slack says {word}"
        if word in DEAD_CREDENTIALS:
            self._state.dead = True
            log.error(
                "Slack says %s: mend the token and start me again; rollouts and the API go on without Slack",
                word,
            )

    async def _identify(self) -> None:
        answer = await self._client.auth_test()
        self._state.team = str(answer.get("enterprise_id") or answer["team_id"])
        self._state.user = str(answer["user_id"])
        self._state.known.set()

    async def _open_socket(self) -> None:
        """Ask for a URL ourselves: the SDK would ask for ever with a bad token (slack.md, trap 6)."""
        assert self._app_token is not None
        answer = await self._client.apps_connections_open(app_token=self._app_token)
        handler = AsyncSocketModeHandler(self._app, self._app_token, web_client=self._client)
        handler.client.wss_uri = str(answer["url"])
        handler.client.message_listeners.append(self._on_message)
        self._handler = handler
        async with asyncio.timeout(CALL_SECONDS):
            await handler.connect_async()  # type: ignore[no-untyped-call]

    async def _on_message(self, _client: Any, message: dict[str, Any], _raw: Any) -> None:
        if message.get("type") == "hello":
            self._state.connected = True

    async def _watch_socket(self) -> None:
        """Notice a lost socket, for readyz; the SDK opens it again."""
        while self._handler is not None:
            await self._clock.sleep(SOCKET_CHECK_SECONDS)
            connected = await self._handler.client.is_connected()
            self._state.connected = self._state.connected and connected
            if not self._state.dead:
                self._state.problem = (
                    "" if connected else "the socket to Slack is closed; it is being opened again"
                )


def error_word(error: SlackApiError) -> str:
    """Return Slack's error word; a 503 with HTML has none, and no ordinary response either."""
    data = getattr(error.response, "data", error.response)
    if isinstance(data, dict) and data.get("error"):
        return str(data["error"])
    return f"http_{getattr(error.response, 'status_code', 'error')}"

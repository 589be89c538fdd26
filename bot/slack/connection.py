"""The connection to Slack: one client, who we are, and the socket; down means degraded, never dead."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.connector import SlackConnections
from bot.slack.workspace import WorkspaceId
from core.clock import Clock

log = logging.getLogger(__name__)

# Slack answers in tens of milliseconds; after this a call is an unknown outcome and is reconciled.
CALL_SECONDS = 20.0
# apps.connections.open is Tier 1, one call a minute: a quick retry for a blip, then patience.
RETRY_SECONDS = (1.0, 5.0, 15.0, 30.0, 60.0)
# Slack will never accept these credentials again; the engine goes on (engine rule 37).
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
WORDLESS = "http_"
SOCKET_CHECK_SECONDS = 2.0
# A URL of a socket can be used once and for seconds only, but the SDK tries the one it has for ever. It is closed after
# a minute without a hello, and another URL is asked for.
SOCKET_PATIENCE = 60.0


@dataclass(slots=True)
class SlackState:
    """What is known of the connection, for readyz, for the directory and for the sender.

    Attributes:
        workspace: whom we work for, None until `auth.test` was good.
        organisation_wide: the app is installed for a whole Enterprise organisation, not for one workspace of it.
        user: the bot's own user id.
        url: the workspace's address, with a slash at its end; "" until it is known.
        problem: why it is not connected, or "": of the Web API, of the socket, or of both.
        connected: events can come in: hello was said, or HTTP is listening and `auth.test` was good.
        bot_token_refused: the bot token is refused; nothing more is sent.
        limited: how often Slack has said that a call came too soon after others, since the process began.
        app_token_refused: the app token is refused; no socket is opened any more, but what is due is sent.
    """

    workspace: WorkspaceId | None = None
    organisation_wide: bool = False
    user: str = ""
    url: str = ""
    problem: str = "not connected yet"
    connected: bool = False
    bot_token_refused: bool = False
    app_token_refused: bool = False
    limited: int = 0
    identified: asyncio.Event = field(default_factory=asyncio.Event)
    _web: str = "not connected yet"
    _socket: str = ""

    @property
    def team(self) -> str | None:
        """Our organisation's id, or where there is none our workspace's: whose members are ours."""
        return (self.workspace.enterprise or self.workspace.team) if self.workspace else None

    @property
    def ready(self) -> bool:
        """Whether people get answers: events come in, and what is said to them goes out."""
        return self.connected and not self.bot_token_refused

    def link(self, channel: str, ts: str) -> str:
        """Return the address of a message, as `chat.getPermalink` makes it; "" while the workspace's own is not known."""
        return f"{self.url}archives/{channel}/p{ts.replace('.', '')}" if self.url else ""

    def tell(self, *, web: str | None = None, socket: str | None = None) -> None:
        """Take what is known of the Web API, of the socket, or of both; "" says that it works."""
        self._web = self._web if web is None else web
        self._socket = self._socket if socket is None else socket
        self.problem = "; ".join(part for part in (self._web, self._socket) if part)

    def refuse_bot_token(self, word: str) -> None:
        """The bot token is refused for good."""
        self.bot_token_refused = True
        self.tell(web=f"Slack says {word} to SLACK_BOT_TOKEN")
        log.error(
            "Slack says %s to SLACK_BOT_TOKEN: mend it and start me again; nothing is sent until then, "
            "rollouts and the API go on",
            word,
        )

    def refuse_app_token(self, word: str) -> None:
        """The app token is refused for good."""
        self.app_token_refused = True
        self.tell(socket=f"Slack says {word} to SLACK_APP_TOKEN")
        log.error(
            "Slack says %s to SLACK_APP_TOKEN: mend it and start me again; no command and no click comes in "
            "until then, rollouts, the API, cards and threads go on",
            word,
        )


def new_client(token: str, base_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Return a client that never sends twice by itself: retries are the outbox's business (Slack's trap 2)."""
    return AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[])


def new_session() -> aiohttp.ClientSession:
    """Return the one HTTP session to Slack; the SDK ignores its own `timeout` where it is given a session."""
    return aiohttp.ClientSession(
        connector=SlackConnections(), timeout=aiohttp.ClientTimeout(total=CALL_SECONDS)
    )


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
        """Connect, say what is wrong while it does not succeed, and stay connected until cancelled.

        The socket is opened with a bot token that Slack refuses too, so that people are told of it.
        """
        state = self._state
        await self._insist(self._identify, state.refuse_bot_token, lambda problem: state.tell(web=problem))
        if self._app_token is None:
            state.connected = not state.bot_token_refused
            return
        try:
            while not state.app_token_refused:
                await self._insist(
                    self._open_socket, state.refuse_app_token, lambda problem: state.tell(socket=problem)
                )
                await self._watch_socket()
                await self.close()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the socket; Slack gives what comes in meanwhile to the next connection."""
        handler, self._handler = self._handler, None
        if handler is not None:
            await _close(handler)

    async def _insist(
        self,
        attempt: Callable[[], Awaitable[None]],
        refused: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        """Try until it succeeds, or until Slack refuses the token for good."""
        for tries in count():
            try:
                await attempt()
            except SlackApiError as error:
                if (word := error_word(error)) in DEAD_CREDENTIALS:
                    refused(word)
                    return
                problem = f"Slack says {word}"
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                problem = f"Slack does not answer: {type(error).__name__}"
            except Exception as error:
                # Such as the page of a proxy, over which the SDK stumbles.
                log.exception("Slack's answer cannot be understood")
                problem = f"Slack's answer cannot be understood: {type(error).__name__}"
            else:
                tell("")
                return
            tell(problem)
            log.warning("%s; trying again", problem)
            await self._clock.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])

    async def _identify(self) -> None:
        answer = await self._client.auth_test()
        self._state.workspace = WorkspaceId(str(answer["team_id"]), str(answer.get("enterprise_id") or ""))
        self._state.organisation_wide = bool(answer.get("is_enterprise_install"))
        self._state.user = str(answer["user_id"])
        self._state.url = str(answer.get("url") or "")
        self._state.identified.set()

    async def _open_socket(self) -> None:
        """Ask for a URL ourselves: the SDK would ask for ever with a bad token (Slack's trap 6)."""
        assert self._app_token is not None
        answer = await self._client.apps_connections_open(app_token=self._app_token)
        url = str(answer["url"])
        handler = AsyncSocketModeHandler(self._app, self._app_token, web_client=self._client)
        handler.client.wss_uri = url
        handler.client.message_listeners.append(self._on_message)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await handler.connect_async()  # type: ignore[no-untyped-call]
        except BaseException:
            await _close(handler)
            raise
        self._handler = handler

    async def _on_message(self, _client: Any, message: dict[str, Any], _raw: Any) -> None:
        if message.get("type") == "hello":
            self._state.connected = True

    async def _watch_socket(self) -> None:
        """Notice a lost socket, for readyz; the SDK opens it again, and this returns where it does not get there."""
        alive = self._clock.monotonic()
        while self._handler is not None and self._clock.monotonic() - alive < SOCKET_PATIENCE:
            await self._clock.sleep(SOCKET_CHECK_SECONDS)
            there = await self._handler.client.is_connected()
            self._state.connected = self._state.connected and there
            self._state.tell(
                socket="" if there else "the socket to Slack is closed; it is being opened again"
            )
            if self._state.connected:
                alive = self._clock.monotonic()
        if self._handler is not None:
            log.warning("the socket to Slack is not opened again by itself; asking for a new one")


async def _close(handler: AsyncSocketModeHandler) -> None:
    """Close a handler, whatever state its socket is in."""
    try:
        await handler.close_async()  # type: ignore[no-untyped-call]
    except Exception:
        log.exception("the socket to Slack was not closed in order")
    # Its tasks are cancelled, and end when it is their turn.
    await asyncio.sleep(0)


def error_word(error: SlackApiError) -> str:
    """Return Slack's error word; a 503 with HTML has none, and no ordinary response either."""
    data = getattr(error.response, "data", error.response)
    if isinstance(data, dict) and data.get("error"):
        return str(data["error"])
    status = getattr(error.response, "status_code", None) or getattr(error.response, "status", "error")
    return f"{WORDLESS}{status}"


def is_wordless(word: str) -> bool:
    """Tell whether `error_word` has found none: whoever answered was not Slack."""
    return word.startswith(WORDLESS)

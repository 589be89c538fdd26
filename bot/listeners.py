"""What Slack may call: persist, acknowledge, hand over, and nothing else (slack.md, trap 1)."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import SlackState

log = logging.getLogger(__name__)

COMMAND = "/convox"
ACTIONS = ("promotion.approve", "promotion.decline", "promotion.cancel")
NOT_KEPT = "I could not store your request, so nothing was done. Try again in a minute."


class Keeper(Protocol):
    """Whoever keeps what Slack delivers."""

    async def keep(self, key: str, kind: str, payload: bytes) -> None:
        """Store a delivery once, durably, and wake whoever works it off."""
        ...


def command_key(body: Mapping[str, Any]) -> str:
    """Return what makes two deliveries the same command; Slack gives a trigger id to each typing."""
    return f"command:{body['trigger_id']}"


def action_key(body: Mapping[str, Any]) -> str:
    """Return what makes two deliveries the same click."""
    action = body["actions"][0]
    container = body.get("container", {})
    return f"action:{container.get('message_ts')}:{action['action_id']}:{action['action_ts']}:{body['user']['id']}"


def new_app(
    client: AsyncWebClient, *, signing_secret: str | None, state: SlackState, keeper: Keeper
) -> AsyncApp:
    """Return Bolt's app with our listeners.

    `authorize` answers from memory: by default Bolt would call `auth.test` inside the three seconds of the
    first request.
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=client.token,
            bot_id=state.user or "B0",
            bot_user_id=state.user or "U0",
        )

    logging.getLogger("slack_bolt.AsyncApp").addFilter(_is_news)
    app = AsyncApp(
        client=client,
        signing_secret=signing_secret or "",
        authorize=authorize,
        request_verification_enabled=signing_secret is not None,
        ssl_check_enabled=signing_secret is not None,
    )
    listen(app, keeper)
    return app


def _is_news(record: logging.LogRecord) -> bool:
    """Tell Bolt's warnings from the one at every start, that `authorize` makes it ignore the token: so we want it.

    A level would not do: the app's constructor sets that of the root logger.
    """
    return "will be ignored" not in record.getMessage()


def listen(app: AsyncApp, keeper: Keeper) -> None:
    """Register every listener; manifest.yml is kept equal to them by a test."""

    async def on_command(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _take(keeper, "command", body, command_key, ack, lambda: ack(text=NOT_KEPT))

    async def on_action(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _take(keeper, "action", body, action_key, ack, ack)

    async def on_anything(ack: AsyncAck) -> None:
        # Unhandled requests would be answered 404, and Slack would deliver them again.
        await ack()

    app.command(COMMAND)(on_command)
    app.action(re.compile("|".join(map(re.escape, ACTIONS))))(on_action)
    app.action(re.compile(".*"))(on_anything)
    app.event(re.compile(".*"))(on_anything)


async def _take(
    keeper: Keeper,
    kind: str,
    body: dict[str, Any],
    key: Callable[[Mapping[str, Any]], str],
    ack: Callable[[], Awaitable[Any]],
    refuse: Callable[[], Awaitable[Any]],
) -> None:
    """Persist, then acknowledge; an exception must never leave a listener, it would undo the acknowledgement."""
    try:
        await keeper.keep(key(body), kind, orjson.dumps(body))
    except Exception:
        log.exception("a %s from Slack could not be stored", kind)
        await refuse()
        return
    await ack()

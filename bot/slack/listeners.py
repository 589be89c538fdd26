"""What Slack may call: persist, acknowledge, hand over, and nothing else (Slack's trap 1)."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.prefixes import slash_command
from bot.slack.connection import SlackState
from bot.slack.dialogs import problems
from bot.slack.workspace import WorkspaceFilter, guarding
from bot.views.build_buttons import BUILD_ACTION_IDS
from bot.views.buttons import ACTION_IDS
from bot.views.home import HOME_ACTION
from bot.views.modals import CALLBACK, ENTERED, entered
from bot.views.notices import NOTICE_ACTION_IDS, PROMOTE_SHORTCUT
from core.errors import Unavailable
from core.ports.inbox import DeliveryKind

log = logging.getLogger(__name__)

NOT_KEPT = "I could not store your request, so nothing was done. Try again in a minute."
NOT_KNOWN = (
    "Slack refuses my token, so nothing was done: I could not even ask who you are. "
    "Whoever runs me must give me a good token and start me again; `convox-bot do` works meanwhile."
)
# Slack waits three seconds for the acknowledgement; storing may take two of them, and more behind others
# (storage/database.py).
TELL_SECONDS = 0.8


class DeliverySink(Protocol):
    """Whoever keeps what Slack delivers."""

    async def keep(self, key: str, kind: DeliveryKind, payload: bytes) -> None:
        """Store a delivery once, durably, and wake whoever works it off."""
        ...


class DialogSink(Protocol):
    """Whoever opens a dialog at once for what asks for more."""

    def begin(self, body: Mapping[str, Any]) -> None:
        """Look at a command or a click, and have a dialog opened if it asks for more; it returns at once."""
        ...


class FormAnswers(Protocol):
    """Whoever answers what a modal asks while it is filled."""

    async def options(self, body: Mapping[str, Any]) -> list[dict[str, Any]]: ...

    def chosen(self, body: Mapping[str, Any]) -> None: ...


# Whatever has a button of ours.
_ACTIONS = "|".join(
    map(re.escape, dict.fromkeys((*ACTION_IDS, *NOTICE_ACTION_IDS, *BUILD_ACTION_IDS, HOME_ACTION)))
)


def command_key(body: Mapping[str, Any]) -> str:
    """Return what makes two deliveries the same command; Slack gives a trigger id to each typing."""
    return f"command:{body['trigger_id']}"


def action_key(body: Mapping[str, Any]) -> str:
    """Return what makes two deliveries the same click."""
    action = body["actions"][0]
    container = body.get("container", {})
    where = container.get("message_ts") or container.get("view_id")
    return f"action:{where}:{action['action_id']}:{action['action_ts']}:{body['user']['id']}"


def shortcut_key(body: Mapping[str, Any]) -> str:
    """Return what makes two deliveries the same choice of a shortcut."""
    return f"shortcut:{body['trigger_id']}"


def event_key(body: Mapping[str, Any]) -> str:
    """Return what makes two deliveries the same event; Slack delivers one again that was not acknowledged in time."""
    return f"event:{body['event_id']}"


def is_request(event: Mapping[str, Any]) -> bool:
    """Tell whether a mention is somebody's request: what a bot writes, or what is done to a message, is none."""
    return bool(event.get("user")) and not event.get("bot_id") and not event.get("subtype")


def view_key(body: Mapping[str, Any]) -> str:
    """Return what makes two deliveries the same submission: a modal that was taken is closed."""
    return f"view:{body['view']['id']}:{body['user']['id']}"


def new_app(
    client: AsyncWebClient,
    *,
    signing_secret: str | None,
    state: SlackState,
    sink: DeliverySink,
    workspaces: WorkspaceFilter,
    dialogs: DialogSink | None = None,
    forms: FormAnswers | None = None,
) -> AsyncApp:
    """Return Bolt's app with our listeners, behind the filter of what is not our workspace's.

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
        name="convox-bot",  # without one Bolt reads half the file system to find out who calls it: 0.3 s of every start
        client=client,
        signing_secret=signing_secret or "",
        authorize=authorize,
        request_verification_enabled=signing_secret is not None,
        ssl_check_enabled=signing_secret is not None,
    )
    app.use(guarding(workspaces, _tell))
    if dialogs is not None:
        app.use(_beginning(dialogs))
    if forms is not None:
        _listen_to_forms(app, forms)
    listen(app, sink, state)
    return app


def _is_news(record: logging.LogRecord) -> bool:
    """Tell Bolt's warnings from the one at every start, that `authorize` makes it ignore the token: so we want it.

    A level would not do: the app's constructor sets that of the root logger.
    """
    return "will be ignored" not in record.getMessage()


def listen(app: AsyncApp, sink: DeliverySink, state: SlackState) -> None:
    """Register every listener; manifest.yml is kept equal to them by a test."""

    async def on_command(ack: AsyncAck, body: dict[str, Any]) -> None:
        problem = await _take(sink, state, "command", body, command_key)
        await (ack(text=problem) if problem else ack())

    async def on_action(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        if problem := await _take(sink, state, "action", body, action_key):
            await _tell(respond, problem)
        await ack()

    async def on_view(ack: AsyncAck, body: dict[str, Any]) -> None:
        # What is wrong is said in the modal, where it can be mended; Slack takes that in the acknowledgement only.
        wrong = problems(body)
        if not wrong and (problem := await _take(sink, state, "view", body, view_key)):
            wrong = {next(iter(entered(body["view"]))): problem}
        await (ack(response_action="errors", errors=wrong) if wrong else ack())

    async def on_shortcut(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        if problem := await _take(sink, state, "shortcut", body, shortcut_key):
            await _tell(respond, problem)
        await ack()

    async def on_anything(ack: AsyncAck) -> None:
        # Unhandled requests would be answered 404, and Slack would deliver them again.
        await ack()

    app.command(slash_command())(on_command)
    app.action(re.compile(_ACTIONS))(on_action)
    app.action(re.compile(".*"))(on_anything)
    app.message_shortcut(PROMOTE_SHORTCUT)(on_shortcut)
    app.shortcut(re.compile(".*"))(on_anything)
    app.event("app_mention", middleware=[keeping_mentions(sink, state)])(on_anything)
    app.view(CALLBACK)(on_view)
    app.view(re.compile(".*"))(on_anything)
    app.event("app_home_opened", middleware=[keeping_visits(sink, state)])(on_anything)
    app.event(re.compile(".*"))(on_anything)


def keeping_mentions(sink: DeliverySink, state: SlackState) -> Callable[..., Awaitable[BoltResponse]]:
    """Return what stores a mention before Bolt acknowledges it, which it does with an event before its listener runs.

    Where it cannot be stored nobody can be told: without an acknowledgement Slack comes again with it, after a minute and
    after five.
    """

    async def keep(body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        if is_request(body["event"]) and await _take(sink, state, "mention", body, event_key):
            return BoltResponse(status=503, body="")
        return await next_()

    return keep


def keeping_visits(sink: DeliverySink, state: SlackState) -> Callable[..., Awaitable[BoltResponse]]:
    """Return what stores that somebody has opened their Home tab; one that cannot be stored is seen when it is opened again."""

    async def keep(body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        if body["event"].get("tab") == "home":
            await _take(sink, state, "home", body, event_key)
        return await next_()

    return keep


def _beginning(dialogs: DialogSink) -> Callable[..., Awaitable[BoltResponse]]:
    """Return Bolt's middleware that has dialogs opened before anything is stored: a trigger lives three seconds."""

    async def begin(body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        if "command" in body or body.get("type") == "block_actions":
            try:
                dialogs.begin(body)
            except Exception:
                log.exception("no dialog was opened at once")
        return await next_()

    return begin


def _listen_to_forms(app: AsyncApp, forms: FormAnswers) -> None:
    """Register what answers a modal while it stands there: nothing of it is kept, for it changes nothing."""

    async def on_options(ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            options = await forms.options(body)
        except Exception:
            log.exception("a menu stays empty")
            options = []
        await ack(options=options)

    async def on_choice(ack: AsyncAck, body: dict[str, Any]) -> None:
        forms.chosen(body)
        await ack()

    app.options(ENTERED)(on_options)
    app.action(ENTERED)(on_choice)


async def _take(
    sink: DeliverySink,
    state: SlackState,
    kind: DeliveryKind,
    body: dict[str, Any],
    key: Callable[[Mapping[str, Any]], str],
) -> str:
    """Persist, before it is acknowledged; return why not, or "".

    An exception must never leave a listener: it would undo the acknowledgement.
    """
    if state.bot_token_refused:
        # What is kept now would be carried out after a start with a good token, long after it was meant.
        return NOT_KNOWN
    try:
        await sink.keep(key(body), kind, orjson.dumps(body))
    except Unavailable as error:
        log.warning("a %s from Slack could not be stored: %s", kind, error)
        return NOT_KEPT
    except Exception:
        log.exception("a %s from Slack could not be stored", kind)
        return NOT_KEPT
    return ""


async def _tell(respond: AsyncRespond, problem: str) -> None:
    """Tell whoever clicked, and nobody else; the acknowledgement of a click shows no text."""
    try:
        async with asyncio.timeout(TELL_SECONDS):
            await respond(text=problem, response_type="ephemeral", replace_original=False)
    except Exception:
        log.exception("whoever clicked was not told so")

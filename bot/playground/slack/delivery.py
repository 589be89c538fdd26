"""Carries what people do to the application, and shows them what came back."""

from dataclasses import dataclass, field, replace
from typing import Any

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.envelopes import Envelope
from bot.playground.slack.signed_http import SignedHttp
from bot.playground.slack.socket_mode import SocketMode
from bot.playground.slack.state import SLACKBOT, Message
from bot.playground.slack.webapi.chat import with_ids

Json = dict[str, Any]
ACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """How a delivery went: `error` is `operation_timeout`, `dispatch_failed`, or empty for an ack in time."""

    envelope: Envelope
    error: str = ""
    ack: Json = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.error

    @property
    def response_url(self) -> str:
        return str(self.envelope.payload.get("response_url", ""))

    @property
    def trigger_id(self) -> str:
        return str(self.envelope.payload.get("trigger_id", ""))


class EnvelopeSender:
    """Delivers envelopes over Socket Mode, or to a request URL when there is one."""

    def __init__(
        self, context: WorkspaceContext, sockets: SocketMode, http: SignedHttp, *, ack_seconds: float
    ) -> None:
        self._context = context
        self._sockets = sockets
        self._http = http
        self._ack_seconds = ack_seconds
        self.request_url = ""
        self.options_url = ""

    async def deliver(self, envelope: Envelope, *, attempt: int = 0) -> DeliveryResult:
        """Deliver once and show the person what the ack says, or that there was none."""
        app = {"api_app_id": self._context.credentials.app_id}
        envelope = replace(envelope, payload=envelope.payload | app)
        answer = await self._send(envelope, attempt)
        if isinstance(answer, str):
            self._failed(envelope, answer)
            return DeliveryResult(envelope=envelope, error=answer)
        if envelope.type == "slash_commands":
            self._answered(envelope, answer)
        return DeliveryResult(envelope=envelope, ack=answer)

    async def _send(self, envelope: Envelope, attempt: int) -> Json | str:
        if self.request_url:
            asked = envelope.payload.get("type") == "block_suggestion"
            url = self.options_url if asked else self.request_url
            if not url:
                return "no options load URL"
            return await self._http.send(url, envelope, attempt=attempt, seconds=self._ack_seconds)
        return await self._sockets.send(envelope, attempt=attempt, seconds=self._ack_seconds)

    def _answered(self, envelope: Envelope, ack: Json) -> None:
        """Show the text of an ack; `in_channel` also shows what was typed."""
        in_channel = ack.get("response_type") == "in_channel"
        channel, user = envelope.payload["channel_id"], envelope.payload["user_id"]
        if in_channel:
            typed = f"{envelope.payload['command']} {envelope.payload['text']}".strip()
            self._context.store.post(
                Message(ts=self._context.store.next_ts(), channel=channel, user=user, text=typed)
            )
        if ack.get("text") or ack.get("blocks"):
            self._context.store.post(self._from_bot(channel, ack, None if in_channel else user))

    def _from_bot(self, channel: str, body: Json, visible_to: str | None) -> Message:
        return Message(
            ts=self._context.store.next_ts(),
            channel=channel,
            user=self._context.credentials.bot_user,
            bot_id=self._context.credentials.bot_id,
            app_id=self._context.credentials.app_id,
            text=str(body.get("text") or ""),
            blocks=with_ids(body.get("blocks") or []),
            visible_to=visible_to,
        )

    def _failed(self, envelope: Envelope, error: str) -> None:
        """Show the person the error, in the words of Slack."""
        if envelope.type == "events_api":
            return
        payload = envelope.payload
        user = payload.get("user_id") or payload["user"]["id"]
        channel = payload.get("channel_id") or (payload.get("channel") or {}).get("id", "")
        if not channel:
            return  # Slack says so in the modal or on the tab itself, and so does the page
        what = payload.get("command") or "This button"
        text = f'{what} failed with the error "{error}"'
        thread = (payload.get("container") or {}).get("thread_ts")
        ts = self._context.store.next_ts()
        self._context.store.post(
            Message(ts=ts, channel=channel, user=SLACKBOT, text=text, visible_to=user, thread_ts=thread)
        )

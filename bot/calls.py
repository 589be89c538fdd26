"""One call to Slack and what is known of its outcome: done, refused, or perhaps done."""

import logging
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import DEAD_CREDENTIALS, SlackState, error_word

log = logging.getLogger(__name__)

# Slack's words, by what they mean for us (slack.md 1.5).
CLOSED_TO_US = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "no_permission",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "cannot_reply_to_message",
        "ekm_access_denied",
        "team_access_not_granted",
        "missing_scope",
    }
)
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
BUSY = frozenset({"ratelimited", "rate_limited", "service_unavailable", "message_limit_exceeded"})
PERHAPS = frozenset({"fatal_error", "internal_error"})
METADATA = "convox_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is known of a call.

    Attributes:
        ts: the message's, where it was done.
        error: Slack's word, where it was refused.
        unknown: it may have been done: a time-out, a dropped connection, an error of Slack's own.
        retry_after: seconds, where Slack said "not now".
    """

    ts: str = ""
    error: str = ""
    unknown: bool = False
    retry_after: float = 1.0
    data: dict[str, Any] = field(default_factory=dict)


class Calls:
    """Calls Slack; never raises for what Slack or the network does."""

    def __init__(self, client: AsyncWebClient, state: SlackState) -> None:
        self._client = client
        self._state = state

    async def post(self, channel: str, payload: dict[str, Any], nonce: str, **rest: str) -> Said:
        """Post a message that can be found again by its nonce."""
        return await self._call(
            "chat.postMessage", json={**payload, **rest, "channel": channel, "metadata": _mark(nonce)}
        )

    async def edit(self, channel: str, ts: str, payload: dict[str, Any]) -> Said:
        return await self._call("chat.update", json={**payload, "channel": channel, "ts": ts})

    async def find(self, nonce: str, *, channel: str, thread: str | None = None) -> str | None:
        """Return the ts of the message that carries the nonce, looking at the newest hundred."""
        method = "conversations.replies" if thread else "conversations.history"
        params: dict[str, Any] = {"channel": channel, "include_all_metadata": "true", "limit": 100}
        if thread:
            params["ts"] = thread
        said = await self._call(method, http_verb="GET", params=params)
        for message in said.data.get("messages", ()):
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            if payload.get("nonce") == nonce:
                return str(message["ts"])
        return None

    async def _call(self, method: str, **how: Any) -> Said:
        try:
            answer = await self._client.api_call(method, **how)
        except SlackApiError as error:
            return self._refused(error)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            self._state.problem = f"Slack does not answer: {type(error).__name__}"
            return Said(error=type(error).__name__, unknown=True)
        self._state.problem = ""
        data = answer.data if isinstance(answer.data, dict) else {}
        return Said(ts=str(data.get("ts", "")), data=data)

    def _refused(self, error: SlackApiError) -> Said:
        word = error_word(error)
        headers = getattr(error.response, "headers", None) or {}
        after = str(next((v for k, v in headers.items() if k.lower() == "retry-after"), ""))
        status = getattr(error.response, "status_code", 200)
        if word in DEAD_CREDENTIALS:
            self._state.dead = True
            self._state.problem = f"Slack says {word}"
            log.error("Slack says %s: nothing more is sent until I am started with a good token", word)
        return Said(
            error=word,
            retry_after=float(after) if after.isdigit() else 1.0,
            unknown=word in PERHAPS or (status >= 500 and word not in BUSY),
        )


def _mark(nonce: str) -> dict[str, Any]:
    """Return message metadata; anybody in the workspace can read it, so it holds a random number only."""
    return {"event_type": METADATA, "event_payload": {"nonce": nonce}}

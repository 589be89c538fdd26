"""One call to Slack and what is known of its outcome: done, refused, or perhaps done."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.connection import DEAD_CREDENTIALS, SlackState, error_word, is_wordless

log = logging.getLogger(__name__)

# Slack's words, by what they mean for us (each method's own page of errors, docs.slack.dev).
GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "cannot_reply_to_message",
    }
)
# Of a message in a channel that was archived.
INACTIVE = "is_inactive"
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
BUSY = LIMITED | {"service_unavailable", "request_timeout", "team_added_to_org"}
PERHAPS = frozenset({"fatal_error", "internal_error"})
METADATA = "convox_message"
# After a call that did not even reach Slack.
OUT_OF_REACH_SECONDS = 5.0
# One page of a look-up; how far our clock may be ahead of Slack's, whose time stands in a `ts`.
PAGE, SKEW = 200, timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What is known of a call.

    Attributes:
        ts: the message's, where it was done.
        error: Slack's word, where it was refused.
        unknown: it may have been done: a time-out, a dropped connection, an error of Slack's own.
        later: it was certainly not done, and the same call may succeed later.
        limited: it came too soon after others, by Slack's own word.
        retry_after: seconds, where Slack said "not now".
        at: when Slack answered, by its own clock (RFC 9110, `Date`), where it was done and says so.
    """

    ts: str = ""
    error: str = ""
    unknown: bool = False
    later: bool = False
    limited: bool = False
    retry_after: float = 1.0
    data: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look-up of a message has found out.

    Attributes:
        ts: the message's, where it is in Slack.
        looked: everything was looked through, or nobody ever can; without it nothing is known, so ask again.
        retry_after: seconds to wait before that.
    """

    ts: str = ""
    looked: bool = True
    retry_after: float = 1.0


class WebApi:
    """Calls Slack; never raises for what Slack or the network does."""

    def __init__(self, client: AsyncWebClient, state: SlackState) -> None:
        self._client = client
        self._state = state

    async def time(self) -> datetime | None:
        """Ask what time it is by Slack's clock; None where it does not answer, or does not say."""
        return (await self._call("auth.test")).at

    async def post(self, channel: str, payload: dict[str, Any], nonce: str, **rest: str) -> CallResult:
        """Post a message that can be found again by its nonce."""
        body = {**payload, **rest, "channel": channel, "metadata": _mark(nonce)}
        return _stamped(await self._call("chat.postMessage", json=body))

    async def edit(self, channel: str, ts: str, payload: dict[str, Any]) -> CallResult:
        return _stamped(await self._call("chat.update", json={**payload, "channel": channel, "ts": ts}))

    async def whisper(
        self, channel: str, user: str, payload: dict[str, Any], thread: str | None = None
    ) -> CallResult:
        """Show a message to one person in a channel, or in a thread of it; nobody keeps it, and it may be missed."""
        under = {"thread_ts": thread} if thread else {}
        body = {**payload, **under, "channel": channel, "user": user}
        return await self._call("chat.postEphemeral", json=body)

    async def open(self, trigger: str, view: dict[str, Any]) -> CallResult:
        """Show a modal to whoever has just typed or clicked; a trigger is good for three seconds, once."""
        return await self._call("views.open", json={"trigger_id": trigger, "view": view})

    async def change(self, view_id: str, view_hash: str, view: dict[str, Any]) -> CallResult:
        """Show something else in an open modal, if it is still what the hash was given for."""
        return await self._call("views.update", json={"view_id": view_id, "hash": view_hash, "view": view})

    async def publish(self, user: str, view: dict[str, Any]) -> CallResult:
        """Put a view on somebody's Home tab."""
        return await self._call("views.publish", json={"user_id": user, "view": view})

    async def upload_url(self, name: str, length: int, *, alt_text: str = "") -> CallResult:
        """Ask for a place for a file of so many bytes: `upload_url` and `file_id` in the data."""
        params = {"filename": name, "length": length} | ({"alt_txt": alt_text} if alt_text else {})
        return await self._call("files.getUploadURLExternal", http_verb="GET", params=params)

    async def complete_upload(
        self, file_id: str, title: str, *, channel: str, thread: str, comment: str
    ) -> CallResult:
        """Show an uploaded file under a message."""
        body = {
            "files": [{"id": file_id, "title": title}],
            "channel_id": channel,
            "thread_ts": thread,
            "initial_comment": comment,
        }
        return await self._call("files.completeUploadExternal", json=body)

    async def find(self, nonce: str, *, channel: str, thread: str | None, since: datetime) -> Found:
        """Look for the message that carries the nonce, in a channel or in a thread.

        Args:
            nonce: what it was posted with.
            channel: where.
            thread: the ts of its parent; None for a message of the channel itself.
            since: when it was sent; what is much older is not looked at.
        """
        return await self._find(lambda message: _nonce(message) == nonce, channel, thread, since)

    async def find_file(self, file: str, *, channel: str, thread: str, since: datetime) -> Found:
        """Look for the message of a thread that shows the file: such a message carries no nonce."""
        return await self._find(lambda message: file in _files(message), channel, thread, since)

    async def _find(
        self, is_it: Callable[[Mapping[str, Any]], bool], channel: str, thread: str | None, since: datetime
    ) -> Found:
        method = "conversations.replies" if thread else "conversations.history"
        params: dict[str, Any] = {"channel": channel, "include_all_metadata": "true", "limit": PAGE}
        params["oldest"] = f"{(since - SKEW).timestamp():.6f}"
        if thread:
            params["ts"] = thread
        while True:
            said = await self._call(method, http_verb="GET", params=params)
            if said.error:
                if not (said.later or said.unknown):
                    log.error("a message may come twice: Slack does not let me look for it: %s", said.error)
                    return Found()
                return Found(looked=False, retry_after=max(said.retry_after, OUT_OF_REACH_SECONDS))
            if found := next(filter(is_it, said.data.get("messages") or ()), None):
                return Found(ts=str(found["ts"]))
            params["cursor"] = (said.data.get("response_metadata") or {}).get("next_cursor")
            if not params["cursor"]:
                return Found()

    async def _call(self, method: str, **how: Any) -> CallResult:
        try:
            answer = await self._client.api_call(method, **how)
        except SlackApiError as error:
            return self._refused(error)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return self._unanswered(error)
        except Exception as error:
            # The SDK stumbles over what is no answer of Slack's: HTML, text, broken JSON.
            log.exception("the answer to %s cannot be understood", method)
            return self._odd(type(error).__name__)
        if not isinstance(answer.data, dict):
            return self._odd(type(answer.data).__name__)
        self._state.tell(web="")
        return CallResult(
            ts=str(answer.data.get("ts") or ""), data=answer.data, at=_answered_at(answer.headers or {})
        )

    def _unanswered(self, error: Exception) -> CallResult:
        """Return the outcome of a call that nothing has answered: certain only where not all of it went out."""
        word = type(error).__name__
        if isinstance(error, aiohttp.ClientConnectionResetError):
            # aiohttp's own word: the connection was gone before all was written, so nobody has a whole request.
            return CallResult(error=word, later=True, retry_after=0.0)
        self._state.tell(web=f"Slack does not answer: {word}")
        if isinstance(error, aiohttp.ClientConnectorError):
            return CallResult(error=word, later=True, retry_after=OUT_OF_REACH_SECONDS)
        return CallResult(error=word, unknown=True)

    def _odd(self, what: str) -> CallResult:
        """Return the outcome of a call that something else than Slack has answered: Slack may have done it."""
        self._state.tell(web=f"Slack's answer cannot be understood: {what}")
        return CallResult(error=what, unknown=True)

    def _refused(self, error: SlackApiError) -> CallResult:
        word = error_word(error)
        headers = getattr(error.response, "headers", None) or {}
        after = str(next((v for k, v in headers.items() if k.lower() == "retry-after"), ""))
        status = getattr(error.response, "status_code", 200)
        # Without a word of Slack's something between us and Slack has answered, such as a proxy. A refusal of its own
        # let nothing through; of anything else nobody knows what became of the call.
        between = is_wordless(word)
        self._state.limited += word in LIMITED
        if word in DEAD_CREDENTIALS:
            self._state.refuse_bot_token(word)
        elif between:
            self._state.tell(web=f"Slack does not answer: {word}")
        return CallResult(
            error=word,
            retry_after=float(after) if after.isdigit() else 1.0,
            unknown=word in PERHAPS
            or (status >= 500 and word not in BUSY)
            or (between and not word.startswith("http_4")),
            later=word in BUSY | DEAD_CREDENTIALS or word.startswith("http_4"),
            limited=word in LIMITED,
        )


def _stamped(said: CallResult) -> CallResult:
    """Take a yes that does not name the message for what it is: nobody knows what became of the call."""
    return said if said.ts or said.error else CallResult(error="no ts", unknown=True)


def _answered_at(headers: Mapping[str, Any]) -> datetime | None:
    said = str(next((value for name, value in headers.items() if name.lower() == "date"), ""))
    with suppress(ValueError):
        return parsedate_to_datetime(said)
    return None


def _nonce(message: Mapping[str, Any]) -> Any:
    return ((message.get("metadata") or {}).get("event_payload") or {}).get("nonce")


def _files(message: Mapping[str, Any]) -> list[Any]:
    return [file.get("id") for file in message.get("files") or ()]


def _mark(nonce: str) -> dict[str, Any]:
    """Return message metadata; anybody in the workspace can read it, so it holds a random number only."""
    return {"event_type": METADATA, "event_payload": {"nonce": nonce}}

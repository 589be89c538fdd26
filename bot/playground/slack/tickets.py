"""The short-lived permissions Slack hands out with a command or a click: response URLs and trigger ids."""

import secrets
from dataclasses import dataclass

from core.clock import Clock

RESPONSE_USES = 5
RESPONSE_SECONDS = 30 * 60.0
TRIGGER_SECONDS = 3.0


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """What a response URL stands for; `message_ts` is the message that was clicked, if one was."""

    user: str
    channel: str
    expires: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


class Tickets:
    """All response URLs and trigger ids that were given out."""

    def __init__(self, clock: Clock, *, trigger_seconds: float = TRIGGER_SECONDS) -> None:
        self._clock = clock
        self._trigger_seconds = trigger_seconds
        self._responses: dict[str, ResponseUrl] = {}
        self._triggers: dict[str, tuple[str, float]] = {}
        self._connections: set[str] = set()

    def response(
        self, user: str, channel: str, *, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """Make a response ticket and return its secret."""
        secret = secrets.token_urlsafe(18)
        expires = self._clock.monotonic() + RESPONSE_SECONDS
        self._responses[secret] = ResponseUrl(
            user=user, channel=channel, expires=expires, message_ts=message_ts, thread_ts=thread_ts
        )
        return secret

    def use_response(self, secret: str) -> ResponseUrl | None:
        """Return the ticket if it may be used once more."""
        ticket = self._responses.get(secret)
        if ticket is None or ticket.uses >= RESPONSE_USES or self._clock.monotonic() > ticket.expires:
            return None
        ticket.uses += 1
        return ticket

    def trigger(self, user: str) -> str:
        """Make a trigger id for what a person has just done."""
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = (user, self._clock.monotonic() + self._trigger_seconds)
        return trigger_id

    def use_trigger(self, trigger_id: str) -> tuple[str, str]:
        """Use a trigger id up; return (person, "") or ("", Slack's error)."""
        user, expires = self._triggers.get(trigger_id, ("", 0.0))
        if not user:
            return "", "invalid_trigger_id"
        if expires < 0:
            return "", "trigger_exchanged"
        if self._clock.monotonic() > expires:
            return "", "trigger_expired"
        self._triggers[trigger_id] = (user, -1.0)
        return user, ""

    def connection(self) -> str:
        """Make the secret of one Socket Mode connection."""
        secret = secrets.token_urlsafe(18)
        self._connections.add(secret)
        return secret

    def use_connection(self, secret: str) -> bool:
        """Say whether this secret opens a connection; it does so once."""
        known = secret in self._connections
        self._connections.discard(secret)
        return known

"""How often Slack lets an application call a method, by the workspace's own clock."""

import math
from collections import deque
from dataclasses import dataclass, field

from core.clock import Clock

TIER_1, TIER_2, TIER_3, TIER_4, SPECIAL = 1, 20, 50, 100, 600
# Tier 1 says one a minute and lets small bursts pass: a client that reconnects a few times is not refused.
CONNECTIONS = 10
# "Several hundred a minute" for all channels together.
WORKSPACE_POSTS = 300
PER_MINUTE = {
    "chat.update": TIER_3, "chat.delete": TIER_3, "chat.postEphemeral": TIER_4, "chat.getPermalink": SPECIAL,
    "conversations.info": TIER_3, "conversations.history": TIER_3, "conversations.replies": TIER_3,
    "conversations.open": TIER_3, "conversations.join": TIER_3, "conversations.members": TIER_4,
    "conversations.list": TIER_2, "users.list": TIER_2, "users.info": TIER_4, "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2, "reactions.add": TIER_3, "views.open": TIER_4, "views.update": TIER_4,
    "views.publish": TIER_4, "views.push": TIER_4, "bots.info": TIER_3, "team.info": TIER_3,
    "apps.connections.open": CONNECTIONS, "auth.test": SPECIAL, "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4, "chat.postMessage": WORKSPACE_POSTS,
}  # fmt: skip
WINDOW = 60.0
CHANNEL_RATE = 1.0
CHANNEL_BURST = 3


@dataclass(slots=True)
class RateBucket:
    """Tokens that come back at a steady rate, up to a burst."""

    rate: float = CHANNEL_RATE
    burst: float = CHANNEL_BURST
    tokens: float = CHANNEL_BURST
    filled_at: float = 0.0

    def take(self, now: float) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        self.tokens = min(self.burst, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate


@dataclass(slots=True)
class SlidingWindow:
    """At most so many calls in any minute."""

    most: int
    calls: deque[float] = field(default_factory=deque)

    def take(self, now: float) -> float:
        """Count a call; return 0, or the seconds until one more is allowed."""
        while self.calls and now - self.calls[0] >= WINDOW:
            self.calls.popleft()
        if len(self.calls) < self.most:
            self.calls.append(now)
            return 0.0
        return self.calls[0] + WINDOW - now


class RateLimits:
    """All limits of one application in one workspace."""

    def __init__(self, clock: Clock, *, enforced: bool = True) -> None:
        self._clock = clock
        self.enforced = enforced
        self._windows: dict[str, SlidingWindow] = {}
        self._channels: dict[str, RateBucket] = {}

    def refuse(self, method: str, channel: str) -> int:
        """Count a call; return 0 to let it pass, or the whole seconds of `Retry-After`."""
        if not self.enforced:
            return 0
        now, wait = self._clock.monotonic(), 0.0
        if method == "chat.postMessage" and channel:
            wait = self._channels.setdefault(channel, RateBucket(filled_at=now)).take(now)
        if not wait and method in PER_MINUTE:
            wait = self._windows.setdefault(method, SlidingWindow(PER_MINUTE[method])).take(now)
        return math.ceil(wait)

"""Slack's rate limits, kept by us so that Slack need not enforce them (slack.com: chat.postMessage, tiers)."""

from dataclasses import dataclass, field

from core.clock import Clock

# About one message a second and channel, threads included; short bursts of three are let through. One of these is kept back:
# messages are under way for up to a second, and two that left a second apart may arrive with less between them.
POST_RATE, POST_BURST = 1.0, 2.0
# "Several hundred a minute" for all channels together. A burst and what comes back in its minute must not be more.
POSTS_A_MINUTE, WORKSPACE_BURST = 300, 15.0
WORKSPACE_RATE = (POSTS_A_MINUTE - WORKSPACE_BURST) / 60
# What Slack refuses was too much: go on with so much of the rate, and come back to all of it in so many seconds.
SLOWER, LEAST_WORKSPACE_RATE, RECOVERY_SECONDS = 0.75, 0.5, 600.0
# Refusals of two channels within so many seconds are no accident of both: the limit is everybody's.
TOGETHER_SECONDS = 10.0
# chat.update is Tier 3, 50 a minute for the whole workspace. 40 are for whatever happens; 10 are kept for the cards of
# verdicts and approvals, which no amount of heartbeats may hold up (engine rule 39). As above, a burst is part of its minute.
UPDATE_BURST, URGENT_BURST = 5.0, 3.0
UPDATE_RATE, URGENT_RATE = (40 - UPDATE_BURST) / 60, (10 - URGENT_BURST) / 60
# Look-ups are Tier 3 too, each method by itself.
LOOK_RATE, LOOK_BURST = 40 / 60, 5.0
# So much of a token is nothing to wait for: what is missing after the wait that was told is rounding, and a wait for it may be too
# short to move a clock at all, so that whoever waits would go round for ever.
ROUNDING = 1e-6
# A card is not edited more often than this, however much happens (engine rule 39).
CARD_INTERVAL = 3.0


@dataclass(slots=True)
class TokenBucket:
    """A token bucket: `rate` tokens a second, at most `burst` of them."""

    rate: float
    burst: float
    tokens: float
    at: float
    closed_until: float = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until a token is there, 0 where one is."""
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)
        self.at = max(now, self.at)
        missing = 1.0 - self.tokens
        return max(missing / self.rate if missing > ROUNDING else 0.0, self.closed_until - now)

    def take(self) -> None:
        self.tokens -= 1.0


@dataclass(slots=True)
class WorkspaceBucket(TokenBucket):
    """What all channels share: a rate that Slack's refusals lower, and that comes back by itself."""

    def wait(self, now: float) -> float:
        gained = max(0.0, now - max(self.at, self.closed_until)) * WORKSPACE_RATE / RECOVERY_SECONDS
        self.rate = min(WORKSPACE_RATE, self.rate + gained)
        return TokenBucket.wait(self, now)

    def slow_down(self, now: float, seconds: float) -> None:
        """Learn from a Retry-After: wait so long, then go on more slowly; once, however many were refused together."""
        if self.closed_until <= now:
            self.rate = max(LEAST_WORKSPACE_RATE, self.rate * SLOWER)
        self.closed_until = max(self.closed_until, now + seconds)
        # What is saved up while nothing may go would be refused again, all at once.
        self.tokens, self.at = min(self.tokens, 0.0), max(self.at, self.closed_until)


@dataclass(slots=True)
class Pacing:
    """Every bucket of a workspace; whoever brings messages to channels asks it before each call."""

    clock: Clock
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)
    _workspace: WorkspaceBucket | None = None
    _refused: dict[str, float] = field(default_factory=dict)

    def post(self, channel: str) -> TokenBucket:
        return self._bucket(f"post:{channel}", POST_RATE, POST_BURST)

    def workspace(self) -> WorkspaceBucket:
        """Return the bucket of which every post takes a token, whatever its channel."""
        if self._workspace is None:
            self._workspace = WorkspaceBucket(
                WORKSPACE_RATE, WORKSPACE_BURST, WORKSPACE_BURST, self.clock.monotonic()
            )
        return self._workspace

    def update(self) -> TokenBucket:
        return self._bucket("update", UPDATE_RATE, UPDATE_BURST)

    def urgent(self) -> TokenBucket:
        """Return the lane that is kept for verdicts and approvals."""
        return self._bucket("urgent", URGENT_RATE, URGENT_BURST)

    def look(self) -> TokenBucket:
        """Return the bucket of look-ups in threads."""
        return self._bucket("look", LOOK_RATE, LOOK_BURST)

    async def turn(self, *buckets: TokenBucket) -> None:
        """Wait for a token of each of these buckets, and take them: for whoever sends beside the one sender of messages."""
        while (wait := max(bucket.wait(self.clock.monotonic()) for bucket in buckets)) > 0:
            await self.clock.sleep(wait)
        for bucket in buckets:
            bucket.take()

    def _bucket(self, name: str, rate: float, burst: float) -> TokenBucket:
        if name not in self._buckets:
            self._buckets[name] = TokenBucket(rate, burst, burst, self.clock.monotonic())
        return self._buckets[name]

    def close(self, bucket: TokenBucket, seconds: float) -> None:
        """Honour a Retry-After."""
        bucket.closed_until = max(bucket.closed_until, self.clock.monotonic() + seconds)

    def refused(self, channel: str, seconds: float) -> None:
        """Honour the Retry-After of a post: its channel waits, and where another one was refused too, all of them do.

        Slack does not say whose limit it was. Each channel keeps its own pace already, so one refusal may be an accident.
        """
        now = self.clock.monotonic()
        self.close(self.post(channel), seconds)
        self._refused = {each: until for each, until in self._refused.items() if until > now}
        if self._refused.keys() - {channel}:
            self.workspace().slow_down(now, seconds)
        self._refused[channel] = now + max(seconds, TOGETHER_SECONDS)

    def card_interval(self, cards: int) -> float:
        """Return the seconds between two edits of one card while `cards` are live (engine rule 39)."""
        return max(CARD_INTERVAL, cards * 60 / 40)

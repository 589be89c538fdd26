"""Slack's rate limits, kept by us so that Slack need not enforce them (slack.com: chat.postMessage, tiers)."""

from dataclasses import dataclass, field

from core.clock import Clock

# About one message a second and channel, threads included; short bursts are let through.
POST_RATE, POST_BURST = 1.0, 3.0
# chat.update is Tier 3, 50 a minute for the whole workspace. 40 are for whatever happens; 10 are kept for the cards of
# verdicts and approvals, which no amount of heartbeats may hold up (engine rule 39).
UPDATE_RATE, UPDATE_BURST = 40 / 60, 5.0
URGENT_RATE, URGENT_BURST = 10 / 60, 3.0
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
        missing = max(0.0, 1.0 - self.tokens) / self.rate
        return max(missing, self.closed_until - now)

    def take(self) -> None:
        self.tokens -= 1.0


@dataclass(slots=True)
class Pacing:
    """Every bucket of a workspace; one sender asks it before each call."""

    clock: Clock
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)

    def post(self, channel: str) -> TokenBucket:
        return self._bucket(f"post:{channel}", POST_RATE, POST_BURST)

    def update(self) -> TokenBucket:
        return self._bucket("update", UPDATE_RATE, UPDATE_BURST)

    def urgent(self) -> TokenBucket:
        """Return the lane that is kept for verdicts and approvals."""
        return self._bucket("urgent", URGENT_RATE, URGENT_BURST)

    def _bucket(self, name: str, rate: float, burst: float) -> TokenBucket:
        if name not in self._buckets:
            self._buckets[name] = TokenBucket(rate, burst, burst, self.clock.monotonic())
        return self._buckets[name]

    def close(self, bucket: TokenBucket, seconds: float) -> None:
        """Honour a Retry-After."""
        bucket.closed_until = max(bucket.closed_until, self.clock.monotonic() + seconds)

    def card_interval(self, cards: int) -> float:
        """Return the seconds between two edits of one card while `cards` are live (engine rule 39)."""
        return max(CARD_INTERVAL, cards * 60 / 40)

"""Which of the calls to Slack that are due go now: a choice over all channels, so that nobody's verdict waits for others' lines."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from bot.slack.pacing import TokenBucket


class Priority(IntEnum):
    """Smaller goes first, over all channels (engine rule 39)."""

    VERDICT = 0
    DECISION = 1
    NEW_CARD = 2
    HEARTBEAT = 3
    LINES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTask:
    """One call that is due.

    Attributes:
        priority: how urgent it is.
        since: since when it has waited; of two that are as urgent the older goes first.
        channel: where; one message a channel at a time keeps its order.
        subject: the promotion or build, or what else is put off together.
        lanes: ways to go: each is the buckets of which it takes one token each.
        run: what to do.
    """

    priority: Priority
    since: datetime
    channel: str
    subject: str
    lanes: tuple[tuple[TokenBucket, ...], ...]
    run: Callable[[], Awaitable[None]]

    def take(self, now: float) -> float:
        """Take the tokens of the first lane that has them all; return the seconds until one has, 0 where they are taken."""
        pauses = [max(bucket.wait(now) for bucket in lane) for lane in self.lanes]
        if (pause := min(pauses)) > 0:
            return pause
        for bucket in self.lanes[pauses.index(pause)]:
            bucket.take()
        return 0.0


def chosen(tasks: Iterable[SendTask], now: float) -> tuple[list[SendTask], float | None]:
    """Return what goes now, at most one a channel, and the seconds until a token for more is there.

    Tokens are taken in the order of the priorities: what the less urgent would leave over is not there for them.
    """
    going: dict[str, SendTask] = {}
    pauses = []
    for task in sorted(tasks, key=lambda each: (each.priority, each.since)):
        if task.channel in going:
            continue
        if (pause := task.take(now)) > 0:
            pauses.append(pause)
        else:
            going[task.channel] = task
    return list(going.values()), min(pauses, default=None)

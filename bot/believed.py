"""Whether this machine's clock may be believed: by a clock that has leapt nothing is deleted for its age."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from core.clock import Clock
from core.errors import Rejected, Unreachable

log = logging.getLogger(__name__)

# What ages is kept for hours at least, and an honest answer may take its time.
MOST_SKEW_SECONDS = 600.0

# Tells whether somebody else has the same time.
Confirm = Callable[[], Awaitable[bool]]


def confirmed_by(clock: Clock, others: Mapping[str, Callable[[], Awaitable[datetime | None]]]) -> Confirm:
    """Return what asks others for their time: one at least must tell it, and nobody another than ours.

    Args:
        clock: ours.
        others: whose → its time, None where it does not say.
    """

    async def confirmed() -> bool:
        skews = {}
        for whose, ask in others.items():
            try:
                theirs = await ask()
            except (Rejected, Unreachable):
                continue
            if theirs is not None:
                skews[whose] = (clock.now() - theirs).total_seconds()
        for whose, skew in skews.items():
            if abs(skew) > MOST_SKEW_SECONDS:
                log.warning(
                    "nothing is deleted for its age: this machine is %d s %s %s; on this machine, in a cluster on the"
                    " node: timedatectl set-ntp true",
                    abs(skew),
                    "ahead of" if skew > 0 else "behind",
                    whose,
                )
                return False
        if not skews:
            log.info("nothing is deleted for its age until %s says what time it is", " or ".join(others))
        return bool(skews)

    return confirmed

"""What a promotion waits for before it starts, beside the people who must approve it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# A moment; that nothing of the app rolls out any more; the end of the freeze that kept it from starting.
Awaited = Literal["time", "free", "window"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitsFor:
    """What has to come before a promotion starts.

    Attributes:
        what: what it is.
        at: when it comes, for `time`; for `window` when it comes as far as is known; None for `free`.
        reminded: people have been told that it starts soon.
    """

    what: Awaited
    at: datetime | None = None
    reminded: bool = False

"""Which release a promotion made the active one, and when: what is told of history without unsealing any of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEntry:
    """The end of a promotion that changed what is active, or said so again; `release` is None where nothing was left."""

    promotion: str
    release: str | None
    at: datetime

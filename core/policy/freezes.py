"""Windows of the policy in which nothing new is promoted, each in its own time zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from core.policy.calendar import CalendarTime, earliest, latest


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWindow:
    """From a time to a time, as often as they come; where the clock is turned, as long as it can be meant.

    Attributes:
        zone: an IANA name such as Europe/Berlin.
        apps: name patterns.
    """

    begins: CalendarTime
    ends: CalendarTime
    zone: str = "UTC"
    apps: tuple[str, ...] = ("*",)
    reason: str = ""

    def end(self, app: str, at: datetime) -> datetime | None:
        """Return when the window ends that an app is in at a moment; None where it is in none."""
        if not any(fnmatchcase(app, pattern) for pattern in self.apps):
            return None
        zone = ZoneInfo(self.zone)
        local = at.astimezone(zone).replace(tzinfo=None)
        for begin in self.begins.around(local):
            end = self.ends.after(begin)
            if end is not None and earliest(begin, zone) <= at < latest(end, zone):
                return latest(end, zone).astimezone(UTC)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezes:
    """What the policy says of freezes.

    Attributes:
        override: roles whose holders promote through any freeze, one that somebody has called too.
    """

    windows: tuple[FreezeWindow, ...] = ()
    override: tuple[str, ...] = ()


def next_end(windows: Iterable[FreezeWindow], app: str, at: datetime) -> tuple[datetime, FreezeWindow] | None:
    """Return the window that an app is in and that ends last, with its end; None where it is in none."""
    ends = [(end, window) for window in windows if (end := window.end(app, at)) is not None]
    return max(ends, key=lambda each: each[0], default=None)

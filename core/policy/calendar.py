"""Times as people say them of a calendar: `18:00`, `Mon 08:00`, `12-20 18:00`, `2026-12-20 18:00`, each in a time zone.

A clock that is turned has hours that are not, and hours that are twice. Whatever such a time means, it has an earliest and a
latest moment; who freezes takes the one that freezes longer.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FORM = re.compile(
    r"(?:(?P<day>mon|tue|wed|thu|fri|sat|sun)[a-z]* +|(?:(?P<year>[0-9]{4})-)?(?P<month>[0-9]{1,2})-(?P<date>[0-9]{1,2})[ T]+)?"
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})",
    re.IGNORECASE,
)
# A 29 February that falls out at the end of a century comes back after eight years.
_YEARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarTime:
    """A time that comes again: every day, every week, every year; or once, with a year.

    Attributes:
        weekday: 0 is Monday; None where it is of no day of the week.
        day: month and day of the month; None where it is of no date.
    """

    time: time
    weekday: int | None = None
    day: tuple[int, int] | None = None
    year: int | None = None

    @property
    def form(self) -> str:
        """How often it comes; the two ends of a window are of the same."""
        if self.year is not None:
            return "once"
        if self.day is not None:
            return "yearly"
        return "daily" if self.weekday is None else "weekly"

    def around(self, local: datetime) -> list[datetime]:
        """Return when it comes on a wall clock, in order: the last two before a moment, as far as there are, and the next."""
        near = sorted(self._near(local))
        earlier = [each for each in near if each <= local]
        later = [each for each in near if each > local]
        return [*earlier[-2:], *later[:1]]

    def after(self, local: datetime) -> datetime | None:
        """Return when it comes next on a wall clock after a moment; None where it does not come again."""
        return next((each for each in sorted(self._near(local)) if each > local), None)

    @property
    def only(self) -> datetime | None:
        """When it comes on a wall clock, of one that comes once."""
        return None if self.year is None else self._of_date(self.year)

    def _near(self, local: datetime) -> list[datetime]:
        if self.day is not None:
            years = [self.year] if self.year else range(local.year - _YEARS, local.year + _YEARS + 1)
            found = [self._of_date(year) for year in years if year is not None]
            return [each for each in found if each is not None]
        first = datetime.combine(local.date(), self.time)
        days = [first + timedelta(days=ahead) for ahead in range(-15, 9)]
        return [day for day in days if self.weekday is None or day.weekday() == self.weekday]

    def _of_date(self, year: int) -> datetime | None:
        assert self.day is not None, "asked only where it is"
        try:
            return datetime.combine(date(year, *self.day), self.time)
        except ValueError:
            return None  # a 29 February that this year has not


def parse_time(text: str) -> CalendarTime | None:
    """Read a time of a calendar, None where it is none."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    try:
        at = time(int(found["hour"]), int(found["minute"]))
        if found["month"]:
            # Any leap year tells whether there ever is such a day.
            date(int(found["year"] or 2024), int(found["month"]), int(found["date"]))
    except ValueError:
        return None
    weekday = found["day"]
    return CalendarTime(
        time=at,
        weekday=DAYS.index(weekday[:3].capitalize()) if weekday else None,
        day=(int(found["month"]), int(found["date"])) if found["month"] else None,
        year=int(found["year"]) if found["year"] else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonedTime:
    """A time of a calendar on the wall clocks of a zone, as somebody has said it.

    Attributes:
        zone: an IANA name; "" is the zone of whoever says it.
    """

    time: CalendarTime
    zone: str = ""

    def said_in(self, zone: str) -> "ZonedTime":
        """Return what somebody means by it who is in a zone."""
        return self if self.zone else replace(self, zone=zone)

    def after(self, now: datetime) -> datetime | None:
        """Return when it comes next, in UTC; None where it is over."""
        zone = ZoneInfo(self.zone or "UTC")
        local = self.time.after(now.astimezone(zone).replace(tzinfo=None))
        return None if local is None else latest(local, zone)

    def __str__(self) -> str:
        """Return it as it is typed."""
        at = self.time
        month, day = at.day or (0, 0)
        dated = f"{month:02}-{day:02} " if at.day else ""
        year = f"{at.year}-" if at.year is not None else ""
        weekday = f"{DAYS[at.weekday]} " if at.weekday is not None else ""
        return f"{year}{dated}{weekday}{at.time:%H:%M} {self.zone}".rstrip()


def is_zone(name: str) -> bool:
    """Tell whether a time zone is known by this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def earliest(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment that a wall clock's time can mean, in UTC."""
    return min(_moments(local, zone))


def latest(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the last moment that a wall clock's time can mean, in UTC."""
    return max(_moments(local, zone))


def _moments(local: datetime, zone: ZoneInfo) -> list[datetime]:
    return [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]

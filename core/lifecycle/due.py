"""When a promotion that waits may start, and which moment is meant by what a person typed."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import Invalid
from core.lifecycle.freezing import FrozenApp
from core.promotion import Promotion
from core.records.waits_for import WaitsFor

# Whoever plans further ahead has forgotten it by then, and so has everybody else.
FURTHEST = timedelta(days=31)
_CLOCK = re.compile(r"(?:(today|tomorrow) )?([0-9]{1,2}):([0-9]{2})", re.IGNORECASE)
_HINT = "write it as 18:00, tomorrow 9:00 or 2026-12-01T18:00Z"


def turn(freeze: FrozenApp | None, *, busy: bool) -> WaitsFor | None:
    """Return what somebody who queues waits for: the end of a freeze, or of what rolls out; None where it is their turn."""
    if freeze is not None:
        return WaitsFor(what="window", at=freeze.until)
    return WaitsFor(what="free") if busy else None


def must_wait(promotion: Promotion, *, busy: bool, frozen: bool, now: datetime) -> bool:
    """Tell whether what it waits for has not come yet.

    Args:
        promotion: what waits, or would start.
        busy: something of its app is rolling out; whatever waits for something waits for the end of that too.
        frozen: nothing new is promoted to it now. What was to start at a time is refused then, as everything that somebody promotes.
        now: by our own clock.
    """
    waits = promotion.waits_for
    if waits is None:
        return False
    if busy and not promotion.takes_over:
        return True
    return frozen if waits.at is None or waits.what != "time" else now < waits.at


def zone_of(name: str) -> ZoneInfo:
    """Return a zone by its IANA name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the moment that somebody means by `18:00`, `tomorrow 9:00` or `2026-12-01T18:00Z`, in UTC.

    A time of day that is over today is tomorrow's. One that the clock skips or has twice on the day of a change is no time that
    everybody would understand alike.

    Args:
        text: as it was typed.
        zone: where that person is.
        now: the present moment.

    Raises:
        Invalid: it is no time, is over, lies too far ahead, or is not one moment in that zone.
    """
    found = _CLOCK.fullmatch(text.strip())
    local = now.astimezone(zone)
    if found is None:
        at = _iso(text.strip(), zone)
    else:
        day = local.date() + timedelta(days=(found[1] or "").lower() == "tomorrow")
        at = _on(day.isoformat(), found, zone, text)
        if at <= now and not found[1]:
            at = _on((day + timedelta(days=1)).isoformat(), found, zone, text)
    if at <= now:
        raise Invalid(f"{text} is over: it is {local:%H:%M} in {zone.key}", hint=_HINT)
    if at - now > FURTHEST:
        raise Invalid(f"{text} is more than {FURTHEST.days} days ahead")
    return at


def _on(day: str, clock: re.Match[str], zone: ZoneInfo, text: str) -> datetime:
    try:
        return _one(datetime.fromisoformat(f"{day}T{int(clock[2]):02}:{clock[3]}"), zone, text)
    except ValueError as error:
        raise Invalid(f"not a time: {text}", hint=_HINT) from error


def _iso(text: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"not a time: {text}", hint=_HINT) from error
    return _one(at, zone, text)


def _one(naive: datetime, zone: ZoneInfo, text: str) -> datetime:
    """Return the one moment at which the clocks of a zone show this."""
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second:
        why = "twice" if first < second else "never"
        raise Invalid(f"{text} is {why} in {zone.key}, where the clocks change that day", hint=_HINT)
    return first

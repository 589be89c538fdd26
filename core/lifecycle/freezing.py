"""Is an app frozen now, by whom, why and until when: one answer for guards, `why`, Home and what waits for the end of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from core.actor import Actor
from core.policy.authorization import Policy
from core.policy.freezes import next_end
from core.records.freeze import EVERY_APP, Freeze
from core.sentence import Sentence

# Windows that follow each other without a gap; more are a calendar that never opens.
MOST_IN_A_ROW = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenApp:
    """Why nothing new is promoted to an app now.

    Attributes:
        begins: when it begins, of one that lies ahead.
        by: who has called the freeze; None where it is a window of the policy.
        until: when all that freezes it now is over, one after the other; None where somebody has to end it.
        zone: the time zone in which people count that.
        everywhere: every app is frozen by it.
    """

    app: str
    reason: str
    by: Actor | None = None
    begins: datetime | None = None
    until: datetime | None = None
    zone: str = "UTC"
    everywhere: bool = False

    @property
    def sentence(self) -> Sentence:
        """Say what is so, by whom, until when and why."""
        begin = f" from {spoken(self.begins, self.zone)}" if self.begins else ""
        end = f" until {spoken(self.until, self.zone)}" if self.until else ""
        by = (" by ", self.by) if self.by else (" by the policy",)
        reason = f": “{self.reason}”" if self.reason else ""
        state = "will be" if self.begins else "is"
        what = f"{self.app} {state} frozen"
        if self.everywhere:
            what = f"every app {state} frozen" + (f", {self.app} too," if self.app != EVERY_APP else "")
        return Sentence.of(what, *by, begin, end, reason)


def spoken(at: datetime, zone: str) -> str:
    """Return a moment on the wall clock of a zone: `Mon 5 Jan 08:00 (Europe/Berlin)`."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %H:%M} ({zone})"


def frozen(policy: Policy, freezes: Sequence[Freeze], app: str, now: datetime) -> FrozenApp | None:
    """Return what freezes an app at a moment, None where nothing does.

    Args:
        policy: today's, with its windows.
        freezes: those that people have called.
        app: its name.
        now: the moment.
    """
    called = next((each for each in freezes if each.holds(app, now)), None)
    window = next_end(policy.freezes.windows, app, now)
    if called is not None:
        return replace(frozen_by(called, app), until=_over(policy, freezes, app, now))
    if window is None:
        return None
    over = _over(policy, freezes, app, now)
    return FrozenApp(app=app, reason=window[1].reason, until=over, zone=window[1].zone)


def frozen_by(freeze: Freeze, app: str) -> FrozenApp:
    """Return how an app is frozen by a freeze that somebody has called, whatever else freezes it."""
    return FrozenApp(
        app=app, reason=freeze.reason, by=freeze.by, until=freeze.until, everywhere=freeze.app == EVERY_APP
    )


def _over(policy: Policy, freezes: Sequence[Freeze], app: str, now: datetime) -> datetime | None:
    """Return when an app is free again: a window may begin before another one ends."""
    at = now
    for _ in range(MOST_IN_A_ROW):
        held = [each for each in freezes if each.holds(app, at)]
        if any(each.until is None for each in held):
            return None
        ends = [each.until for each in held if each.until is not None]
        if window := next_end(policy.freezes.windows, app, at):
            ends.append(window[0])
        if not ends:
            return at
        at = max(ends)
    return None

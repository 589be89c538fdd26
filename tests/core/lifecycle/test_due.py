"""Which moment a person means, in their own zone, and when what waits may start."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Invalid
from core.lifecycle.due import moment, must_wait, turn, zone_of
from core.lifecycle.freezing import FrozenApp
from core.promotion import Phase
from core.records.waits_for import WaitsFor
from tests.core.test_promotion_table import promotion

# Half past ten in the evening in Amsterdam, the day before its clocks are put forward.
NOW = datetime(2026, 3, 28, 21, 30, tzinfo=UTC)
AMSTERDAM = zone_of("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("23:15", datetime(2026, 3, 28, 22, 15, tzinfo=UTC)),
        # Over today, so it is tomorrow's, which is summer time.
        ("18:00", datetime(2026, 3, 29, 16, 0, tzinfo=UTC)),
        ("9:00", datetime(2026, 3, 29, 7, 0, tzinfo=UTC)),
        ("Tomorrow 23:15", datetime(2026, 3, 29, 21, 15, tzinfo=UTC)),
        ("today 23:15", datetime(2026, 3, 28, 22, 15, tzinfo=UTC)),
        ("2026-04-01T18:00Z", datetime(2026, 4, 1, 18, 0, tzinfo=UTC)),
        ("2026-04-01T18:00+05:30", datetime(2026, 4, 1, 12, 30, tzinfo=UTC)),
        ("2026-04-01T18:00", datetime(2026, 4, 1, 16, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_that_of_whoever_typed_it(text, at):
    assert moment(text, AMSTERDAM, NOW) == at


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tonight", "^not a time: tonight"),
        ("25:00", "^not a time: 25:00"),
        ("2026-13-01T18:00", "^not a time"),
        ("today 9:00", "^today 9:00 is over: it is 22:30 in Europe/Amsterdam"),
        ("2026-03-01T18:00Z", "is over"),
        ("2026-06-01T18:00Z", "^2026-06-01T18:00Z is more than 31 days ahead"),
        ("tomorrow 2:30", "^tomorrow 2:30 is never in Europe/Amsterdam, where the clocks change that day"),
    ],
)
def test_what_is_no_one_moment_is_refused_with_the_reason(text, why):
    with pytest.raises(Invalid, match=why):
        moment(text, AMSTERDAM, NOW)


def test_an_hour_that_comes_twice_is_refused_too():
    with pytest.raises(Invalid, match="is twice in Europe/Amsterdam"):
        moment("tomorrow 2:30", AMSTERDAM, datetime(2026, 10, 24, 12, 0, tzinfo=UTC))


def test_a_zone_that_nobody_knows_is_utc():
    assert zone_of("Mars/Olympus").key == zone_of("../etc").key == "UTC"


def test_what_waits_for_something_waits_for_its_turn_too():
    plain = replace(promotion(Phase.SCHEDULED, touched=False), waits_for=None)
    queued = replace(plain, waits_for=WaitsFor(what="free"))
    timed = replace(plain, waits_for=WaitsFor(what="time", at=NOW))
    frozen = replace(plain, waits_for=WaitsFor(what="window"))
    before = NOW - timedelta(seconds=1)

    assert not must_wait(plain, busy=True, frozen=False, now=NOW)
    assert must_wait(queued, busy=True, frozen=False, now=NOW)
    assert not must_wait(queued, busy=False, frozen=False, now=NOW)
    assert must_wait(timed, busy=False, frozen=False, now=before)
    assert not must_wait(timed, busy=False, frozen=False, now=NOW)
    assert must_wait(timed, busy=True, frozen=False, now=NOW)
    assert not must_wait(replace(timed, force=True), busy=True, frozen=False, now=NOW)
    assert must_wait(frozen, busy=False, frozen=True, now=NOW)
    assert must_wait(queued, busy=False, frozen=True, now=NOW)
    assert not must_wait(frozen, busy=False, frozen=False, now=NOW)
    # Refused then, as everything that somebody promotes.
    assert not must_wait(timed, busy=False, frozen=True, now=NOW)


def test_who_queues_waits_for_a_freeze_before_anything_else():
    freeze = FrozenApp(app="myapp", reason="sale", until=NOW)

    assert turn(None, busy=False) is None
    assert turn(None, busy=True) == WaitsFor(what="free")
    assert turn(freeze, busy=True) == WaitsFor(what="window", at=NOW)

"""Windows in which nothing new is promoted: in their own time zone, as often as they come, and on the days on which clocks are turned."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.policy.authorization import parse_policy
from core.policy.calendar import CalendarTime, ZonedTime, is_zone, parse_time
from core.policy.freezes import FreezeWindow, next_end

BERLIN = ZoneInfo("Europe/Berlin")
HEAD = "roles: {lead: [promote], idle: [view]}\nmembers: [{who: [U01ALICE], roles: [lead]}]\n"


def read(text: str) -> CalendarTime:
    found = parse_time(text)
    assert found is not None, text
    return found


def window(begins: str, ends: str, zone: str = "Europe/Berlin", *apps: str) -> FreezeWindow:
    return FreezeWindow(begins=read(begins), ends=read(ends), zone=zone, apps=apps or ("*",))


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


def end_at(frozen: FreezeWindow, at: datetime) -> str:
    found = frozen.end("store", at)
    return "" if found is None else f"{found.astimezone(BERLIN):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-01-02 15:59", ""),
        ("2026-01-02 16:00", "2026-01-05 08:00"),
        ("2026-01-04 12:00", "2026-01-05 08:00"),
        ("2026-01-05 07:59", "2026-01-05 08:00"),
        ("2026-01-05 08:00", ""),
        ("2026-01-07 12:00", ""),
    ],
)
def test_a_weekend_is_frozen_from_its_first_minute_to_its_last(at: str, end: str):
    assert end_at(window("Fri 16:00", "Mon 08:00"), berlin(at)) == end


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-06-01 17:59", ""),
        ("2026-06-01 18:00", "2026-06-02 09:00"),
        ("2026-06-02 00:00", "2026-06-02 09:00"),
        ("2026-06-02 09:00", ""),
    ],
)
def test_a_night_goes_over_midnight(at: str, end: str):
    assert end_at(window("18:00", "09:00"), berlin(at)) == end


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-12-20 11:59", ""),
        ("2026-12-20 12:00", "2027-01-02 08:00"),
        ("2027-01-01 00:00", "2027-01-02 08:00"),
        ("2027-01-02 08:00", ""),
        ("2027-12-31 00:00", "2028-01-02 08:00"),
    ],
)
def test_a_turn_of_the_year_comes_every_year(at: str, end: str):
    assert end_at(window("12-20 12:00", "01-02 08:00"), berlin(at)) == end


def test_what_has_a_year_comes_once():
    frozen = window("2026-12-20 12:00", "2027-01-02 08:00")
    assert end_at(frozen, berlin("2026-12-31 00:00")) == "2027-01-02 08:00"
    assert end_at(frozen, berlin("2027-12-31 00:00")) == ""


def test_a_leap_day_is_not_moved_to_another_day():
    frozen = window("02-29 00:00", "03-01 00:00")
    assert end_at(frozen, berlin("2028-02-29 10:00")) == "2028-03-01 00:00"
    assert end_at(frozen, berlin("2027-02-28 10:00")) == ""


def test_a_window_that_ends_in_the_hour_that_comes_twice_ends_with_the_second():
    frozen = window("22:00", "02:30")
    assert frozen.end("store", berlin("2026-10-25 02:29", fold=1)) == berlin("2026-10-25 02:30", fold=1)
    assert frozen.end("store", berlin("2026-10-25 02:30", fold=1)) is None


def test_a_window_that_begins_in_the_hour_that_comes_twice_begins_with_the_first():
    frozen = window("02:30", "06:00")
    assert frozen.end("store", berlin("2026-10-25 02:29")) is None
    assert frozen.end("store", berlin("2026-10-25 02:30")) == berlin("2026-10-25 06:00")
    assert frozen.end("store", berlin("2026-10-25 02:15", fold=1)) == berlin("2026-10-25 06:00")


def test_a_window_that_begins_in_the_hour_that_is_not_begins_before_it():
    # 02:00 to 03:00 of 29 March 2026 do not exist in Berlin.
    frozen = window("02:30", "06:00")
    assert frozen.end("store", datetime(2026, 3, 29, 0, 29, tzinfo=UTC)) is None
    assert frozen.end("store", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)) == berlin("2026-03-29 06:00")


def test_a_night_in_which_the_clock_is_turned_is_an_hour_shorter_or_longer():
    frozen = window("22:00", "06:00")
    spring = berlin("2026-03-28 22:00")
    autumn = berlin("2026-10-24 22:00")
    assert frozen.end("store", spring) == spring + timedelta(hours=7)
    assert frozen.end("store", autumn) == autumn + timedelta(hours=9)


def test_only_the_apps_that_it_names_are_frozen_and_the_longest_window_is_told():
    short, long = window("18:00", "19:00"), window("17:00", "22:00", "UTC", "st*")
    at = datetime(2026, 1, 1, 17, 30, tzinfo=UTC)
    assert next_end([short, long], "store", at) == (datetime(2026, 1, 1, 22, tzinfo=UTC), long)
    assert next_end([short, long], "blog", at) == (datetime(2026, 1, 1, 18, tzinfo=UTC), short)
    assert next_end([], "blog", at) is None


FORMS = st.sampled_from(
    [("18:00", "08:00"), ("01:30", "02:30"), ("Fri 16:00", "Mon 08:00"), ("Sun 02:00", "Sun 03:00")]
)
MOMENTS = st.integers(0, 6 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(FORMS, ZONES, MOMENTS)
def test_every_moment_until_the_end_is_frozen_and_the_end_is_not(
    forms: tuple[str, str], zone: str, at: datetime
):
    frozen = window(*forms, zone)
    end = frozen.end("store", at)
    if end is None:
        return
    assert at < end
    assert frozen.end("store", end - timedelta(seconds=1)) == end
    assert frozen.end("store", end) is None


@pytest.mark.parametrize(
    "text", ["", "25:00", "8", "Foo 08:00", "02-30 08:00", "2026-02-29 08:00", "13-01 08:00"]
)
def test_what_is_no_time_is_none(text: str):
    assert parse_time(text) is None


@pytest.mark.parametrize(
    "text", ["18:00 UTC", "Mon 08:00 Europe/Berlin", "12-20 18:00 UTC", "2026-12-20 18:00 Europe/Berlin"]
)
def test_a_time_is_typed_as_it_was_said(text: str):
    at, _, zone = text.rpartition(" ")
    assert str(ZonedTime(time=read(at), zone=zone)) == text


def test_a_time_comes_next_on_the_wall_clock_of_its_zone_and_what_is_over_does_not():
    now = berlin("2026-01-05 09:00")
    assert ZonedTime(time=read("Mon 08:00"), zone="Europe/Berlin").after(now) == berlin("2026-01-12 08:00")
    assert ZonedTime(time=read("2026-01-05 08:00"), zone="Europe/Berlin").after(now) is None


def test_a_zone_is_known_by_its_name():
    assert is_zone("Europe/Berlin")
    assert not is_zone("Europe/Atlantis")
    assert not is_zone("../etc/passwd")
    assert not is_zone("")


def test_a_policy_says_windows_and_who_overrides_them():
    policy = parse_policy(
        f"{HEAD}freezes:\n  override: [lead]\n  windows:\n"
        "    - {from: 'Fri 16:00', to: 'Mon 08:00', zone: Europe/Berlin, apps: ['st*'], reason: the weekend}\n"
    )
    (found,) = policy.freezes.windows
    assert (found.reason, found.apps, found.zone) == ("the weekend", ("st*",), "Europe/Berlin")
    assert policy.freezes.override == ("lead",)
    assert policy.freezes == parse_policy(HEAD + "freezes: {windows: []}").freezes.__class__(
        windows=policy.freezes.windows, override=("lead",)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("override: [boss]", 'unknown role "boss"'),
        ("override: [idle]", 'nobody in members has the role "idle", so nobody gets through by it'),
        ("windows: [{to: '08:00'}]", "a window has no from"),
        ("windows: [{from: soon, to: '08:00'}]", "from must be a time such as 18:00, Fri 18:00, 12-20 18:00"),
        ("windows: [{from: [1], to: '08:00'}]", "from must be a time such as"),
        ("windows: [{from: 'Fri 18:00', to: '08:00'}]", "from comes weekly and to daily"),
        ("windows: [{from: '08:00', to: '08:00'}]", "from and to are the same time"),
        ("windows: [{from: '2026-02-02 08:00', to: '2026-02-01 08:00'}]", "to is before from"),
        (
            "windows: [{from: '18:00', to: '08:00', zone: Europe/Atlantis}]",
            '"Europe/Atlantis" is no time zone',
        ),
        ("windows: [{from: '18:00', to: '08:00', apps: [My_App]}]", '"My_App" matches no app'),
        ("windoze: []", 'unknown key "windoze"'),
    ],
)
def test_what_is_wrong_with_a_window_is_said_with_its_line(text: str, said: str):
    with pytest.raises(Invalid) as raised:
        parse_policy(f"{HEAD}freezes: {{{text}}}\n")
    assert "line 3" in str(raised.value)
    assert said in str(raised.value)


def test_a_time_says_how_often_it_comes():
    forms = [read(text).form for text in ("18:00", "fri 18:00", "12-24 18:00", "2026-12-24 18:00")]
    assert forms == ["daily", "weekly", "yearly", "once"]

"""Timers as Convox writes them, and what is wrong with one before a cluster is asked."""

import pytest

from core.errors import Invalid
from core.manifest.convox_yml import Manifest, parse_manifest
from core.manifest.schedule import plain_schedule, schedule_problem
from core.manifest.timers import MAX_TIMERS, Timer
from core.records.environment import Environment

WEB = "services:\n  web: {image: registry.example/web:1}\n"


def loaded(timers: str, **variables: str) -> Manifest:
    return parse_manifest(f"{WEB}timers:\n{timers}", Environment(tuple(variables.items())))


def said(timers: str, **variables: str) -> str:
    with pytest.raises(Invalid) as raised:
        loaded(timers, **variables)
    return str(raised.value)


def test_a_timer_with_everything():
    text = (
        "  nightly: {command: bin/run --all 'a b', schedule: 0 4 * * ?, service: web, concurrency: forbid,"
        " parallelCount: 3, annotations: [example.com/team=shop]}\n"
    )
    assert loaded(text).timers == (
        Timer(
            name="nightly",
            service="web",
            schedule="0 4 * * *",
            command=("bin/run", "--all", "a b"),
            concurrency="Forbid",
            parallel=3,
            annotations=(("example.com/team", "shop"),),
        ),
    )


def test_what_is_not_given_is_as_in_convox():
    (timer,) = loaded("  hourly: {schedule: '@hourly', service: web, parallelCount: 0}\n").timers
    assert (timer.command, timer.concurrency, timer.parallel, timer.annotations) == ((), "Allow", 1, ())


def test_one_that_is_switched_off_is_none():
    assert loaded("  nightly:\n  hourly: {schedule: 0 * * * *, service: web}\n").timers[0].name == "hourly"


@pytest.mark.parametrize(
    ("timer", "sentence"),
    [
        ("nightly: {service: web}", "line 4: timer nightly has no schedule"),
        ("nightly: {schedule: 0 4 * * *}", "line 4: timer nightly has no service"),
        (
            "nightly: {schedule: 0 4 * * *, service: wbe}",
            'timer nightly references a service that does not exist: "wbe"',
        ),
        (
            "Nightly: {schedule: 0 4 * * *, service: web}",
            "timer name Nightly invalid, must contain only lowercase alphanumeric and dashes",
        ),
        (
            "nightly-: {schedule: 0 4 * * *, service: web}",
            "timer name nightly- invalid, must not end with a dash and have at most 46 characters",
        ),
        (f"{'n' * 47}: {{schedule: 0 4 * * *, service: web}}", "have at most 46 characters"),
        (
            "nightly: {schedule: 0 4 ?/2 * *, service: web}",
            "timer nightly invalid, schedule cannot contain ?",
        ),
        (
            "nightly: {schedule: 0 4, service: web}",
            "timer nightly invalid, a schedule has five fields: minute, hour, day, month, weekday",
        ),
        ("nightly: {schedule: 60 4 * * *, service: web}", "its minute takes 0 to 59"),
        (
            "nightly: {schedule: 0 4 * * *, service: web, concurrency: never}",
            'concurrency of timer nightly must be Allow, Forbid or Replace, not "never"',
        ),
        (
            "nightly: {schedule: 0 4 * * *, service: web, parallelCount: many}",
            "parallelCount of timer nightly must be a whole number",
        ),
        (
            'nightly: {schedule: 0 4 * * *, service: web, command: "it\'s"}',
            "command of timer nightly cannot be split into words",
        ),
        ("nightly: {shedule: 0 4 * * *, service: web}", 'did you mean "schedule"?'),
    ],
)
def test_what_is_wrong_is_told_with_its_line(timer: str, sentence: str):
    assert sentence in said(f"  {timer}\n")


def test_no_sentence_repeats_a_value_of_the_environment():
    for timer in (
        "nightly: {schedule: '${S}', service: web}",
        "nightly: {schedule: 0 4 * * *, service: '${S}'}",
        "nightly: {schedule: 0 4 * * *, service: web, concurrency: '${S}'}",
        "${S}: {schedule: 0 4 * * *, service: web}",
    ):
        assert "Hunter2" not in said(f"  {timer}\n", S="Hunter2Hunter2")


def test_too_many_are_refused():
    rows = "".join(f"  t{n}: {{schedule: 0 4 * * *, service: web}}\n" for n in range(MAX_TIMERS + 1))
    assert "it has 201 timers; 200 are the limit" in said(rows)


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/5 1-3 1,15 * *",
        "0 0 1-31/2 jan-mar mon",
        "59 23 31 12 6",
        "0 0 * * SUN",
        "@daily",
        "@every 1h",
        "@every 1h30m",
        "@every 0.5h",
    ],
)
def test_schedules_that_kubernetes_takes(schedule: str):
    assert schedule_problem(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day"),
        ("* * * foo *", "month"),
        ("* * * * 7", "weekday"),
        ("* * * * ,", "weekday"),
    ],
)
def test_schedules_that_it_does_not_take(schedule: str, field: str):
    assert f"its {field} takes" in schedule_problem(schedule)


@pytest.mark.parametrize(
    "schedule", ["@every", "@every x", "@every 0h0m", "@every 1 h", "@every 1H", "@every 5d"]
)
def test_intervals_that_it_does_not_take(schedule: str):
    assert schedule_problem(schedule) == "@every is followed by how long, as in @every 1h30m"


@pytest.mark.parametrize("schedule", ["@Daily", "@daily 5", "@reboot", ""])
def test_names_that_it_does_not_take(schedule: str):
    assert "a schedule has five fields" in schedule_problem(schedule)


def test_six_fields_and_question_marks_of_aws_become_five_of_kubernetes():
    assert plain_schedule("0  4 ? * MON *") == "0 4 * * MON"

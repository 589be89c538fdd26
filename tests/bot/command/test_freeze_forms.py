"""The dialog of `freeze` asks for what would be typed, and becomes it."""

import pytest

from bot.command.commands import FreezeApp
from bot.command.freeze_forms import FreezeForm
from bot.command.parser import parse
from core.errors import Invalid
from core.policy.calendar import ZonedTime, parse_time

FORM = FreezeForm(app="shop")
GIVEN = {"app": "shop", "reason": " the\n launch ", "from": "", "until": ""}


def at(text: str, zone: str) -> ZonedTime:
    time = parse_time(text)
    assert time is not None
    return ZonedTime(time=time, zone=zone)


def test_it_asks_which_app_why_and_when_in_the_zone_of_who_asks():
    form = FORM.form("Europe/Berlin")
    assert [(each.name, each.optional) for each in form.fields] == [
        ("app", False),
        ("reason", False),
        ("from", True),
        ("until", True),
    ]
    assert [each.value for each in form.fields[0].choices] == ["shop", "*"]
    assert form.seen == "Europe/Berlin"
    assert "Europe/Berlin" in str(form.notes[0])
    assert parse(FORM.typed) == FORM


def test_what_is_entered_is_the_command_that_would_be_typed():
    given = GIVEN | {"app": "*", "from": "Fri 18:00", "until": "Mon 08:00"}
    assert FORM.filled(given, "Europe/Berlin") == FreezeApp(
        app="*",
        reason="the launch",
        begins=at("Fri 18:00", "Europe/Berlin"),
        until=at("Mon 08:00", "Europe/Berlin"),
    )
    plain = FORM.filled(GIVEN, None)
    assert plain == FreezeApp(app="shop", reason="the launch")
    assert parse(plain.typed) == plain
    # The zone is then that of whoever sends it.
    assert FORM.filled(GIVEN | {"until": "18:00"}, None) == FreezeApp(
        app="shop", reason="the launch", until=at("18:00", "")
    )


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"app": "other"}, "app", "which app"),
        ({"reason": " "}, "reason", "say why"),
        ({"reason": "x" * 301}, "reason", "at most 300 characters"),
        ({"from": "soon"}, "from", "not a time; write it as 18:00"),
        ({"until": "25:00"}, "until", "not a time"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(wrong: dict[str, str], field: str, said: str):
    problems = FORM.problems(GIVEN | wrong, {})
    assert list(problems) == [field]
    assert said in problems[field]
    with pytest.raises(Invalid, match=said):
        FORM.filled(GIVEN | wrong, None)


def test_a_terminal_is_told_what_to_type():
    with pytest.raises(Invalid, match="at least 1 arg"):
        parse("freeze -a shop", slack=False)

"""What a form asks for, what its answer comes to, and what is said of one that cannot be used."""

import pytest

from bot.command.build_forms import BuildForm
from bot.command.commands import EnvSet, ListApps
from bot.command.forms import EnvEdit, EnvSetForm, FormCommand, fill
from bot.command.parser import parse
from core.errors import Invalid
from core.records.environment_text import VariableLine

PEM = "-----BEGIN X-----\nMIIabc==\n-----END X-----\n"


def asking(text: str) -> FormCommand:
    command = parse(text, linked_app="web")
    assert isinstance(command, FormCommand)
    return command


def test_a_value_is_taken_as_it_is_whatever_it_looks_like():
    for value in (PEM, " x ", "'", '"', "A=1", "&lt;<@U1|x>", "*bold*", "\\n"):
        command = asking("env set KEY --promote --overwrite --replace").filled({"value": value}, None)
        assert command == EnvSet(
            app="web", pairs=(("KEY", value),), promote=True, overwrite=True, replace=True
        )


def test_lines_are_variables():
    given = {"variables": f"A=1\nPEM<<EOF\n{PEM}\nEOF\n"}
    command = asking("env set").filled(given, None)
    assert command == EnvSet(app="web", pairs=(("A", "1"), ("PEM", PEM)))


def test_what_is_edited_keeps_what_was_seen():
    command = asking("env edit --id").filled({"variables": "A\nB=2"}, "RABCDEFGHIJ")
    assert command == EnvEdit(
        app="web",
        with_id=True,
        lines=(VariableLine(1, "A", None), VariableLine(2, "B", "2")),
        seen="RABCDEFGHIJ",
    )
    assert "2" not in repr(command)


def test_images_are_offered_as_they_were_and_taken_line_by_line():
    form = BuildForm(app="web").form({"web": "r/web:1", "api": "r/api:1"}, "BABCDEFGHIJ")
    assert ([field.text for field in form.fields], form.seen) == (
        ["web=r/web:1\napi=r/api:1\n"],
        "BABCDEFGHIJ",
    )
    given = {"images": "# newest\nweb = r/web@sha256:0 \n\napi=r/api:1"}
    command = asking("deploy").filled(given, "BABCDEFGHIJ")
    assert command == BuildForm(
        app="web", promote=True, images=(("web", "r/web@sha256:0"), ("api", "r/api:1")), seen="BABCDEFGHIJ"
    )


def test_no_form_offers_a_value():
    assert [field.text for field in EnvSetForm(app="web", key="A").form().fields] == [""]
    assert [field.text for field in EnvSetForm(app="web").form().fields] == [""]
    edited = EnvEdit(app="web").form(("A", "B"), "R1")
    assert ([field.text for field in edited.fields], edited.seen) == (["A\nB\n"], "R1")


@pytest.mark.parametrize(
    ("text", "entered", "says"),
    [
        ("env set KEY", {"value": "x"}, ""),
        ("env set KEY", {"value": "a\0b"}, "the value of KEY has a NUL byte"),
        ("env set", {"variables": "A=1\nB"}, "not KEY=VALUE: line 2; Of several lines"),
        ("env set", {"variables": "h/2"}, "not KEY=VALUE: line 1; nothing stands before a name"),
        ("env set", {"variables": "# nothing"}, "there is no variable in it"),
        ("env edit", {"variables": "OLD\nA=1"}, ""),
        ("env edit", {"variables": "OLD\nNEW\nA=1"}, "no such variable yet, so it needs a value: line 2"),
        ("build", {"images": "web=registry.example/web:v2"}, ""),
        ("deploy", {"images": "web=\nregistry.example/web:v2\n=x"}, "not SERVICE=IMAGE: line 1, 2, 3"),
        ("apps delete web", {"name": " web "}, ""),
        ("registries add ghcr.io bot", {"value": "pa ss"}, ""),
        ("registries add ghcr.io bot", {"value": " "}, "a password is one line, and not empty"),
        ("registries add ghcr.io bot", {"value": "a\nb"}, "a password is one line, and not empty"),
        ("git add github.com", {"value": "ghp_abc"}, ""),
        ("git add github.com", {"value": "a b"}, "a token is one word, and not empty"),
        ("git add github.com", {"value": " "}, "a token is one word, and not empty"),
        ("apps delete web", {"name": "api"}, "that is not the name of web, so nothing was deleted"),
        ("env edit", {"variables": "x/1"}, "not KEY=VALUE: line 1"),
        ("env edit", {"variables": ""}, "nothing is left of it, so nothing was changed"),
    ],
)
def test_what_a_form_can_judge_by_itself_is_said_at_the_form(text: str, entered: dict[str, str], says: str):
    problem = asking(text).problem(entered, {"variables": "OLD\n"})
    assert problem.startswith(says)
    assert bool(problem) is bool(says)


def test_a_value_that_a_keyboard_may_have_changed_is_warned_of_without_being_shown():
    for text, entered in (("env set KEY", {"value": "“x”"}), ("env edit", {"variables": "KEY=“x”"})):
        (warning,) = asking(text).filled(entered, None).warnings
        assert warning.startswith("KEY holds typographic quotes, kept exactly as they came")
        assert "x”" not in warning


def test_what_asks_for_nothing_takes_no_input():
    with pytest.raises(Invalid, match="^this command asks for no input$"):
        fill(ListApps(), {"value": "x"}, None)
    assert fill(ListApps(), None, None) == ListApps()

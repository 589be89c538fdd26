"""docs/commands.md: every command of the grammar stands there with its usage, its right and an example that can be typed."""

import re
from pathlib import Path

import pytest

from bot.api.errors import TooLarge, TooMany
from bot.command.parser import parse
from bot.command.grammar import RULES, Rule
from bot.command.commands import Approve, Command, EnvSet, EnvUnset, ReleaseInfo
from core import errors
from core.errors import UserError

TEXT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
PIECES = re.split(r"^### (.+)$", TEXT.split("\n## From a terminal")[0], flags=re.MULTILINE)
PARTS = dict(zip(PIECES[1::2], PIECES[2::2], strict=True))
RULES_BY_NAME = {rule.name: rule for rule in RULES}
rule = pytest.mark.parametrize("rule", RULES, ids=lambda each: each.name)


def typed(part: str) -> str:
    (line,) = re.findall(r"^/convox (.+)$", part, re.MULTILINE)
    return line


def test_the_page_has_every_command_and_no_other():
    assert set(PARTS) == set(RULES_BY_NAME)


@rule
def test_the_usage_is_the_one_of_the_grammar(rule: Rule):
    assert f"\n`{rule.usage}` · needs " in PARTS[rule.name]


@rule
def test_the_example_can_be_typed_as_it_stands_and_means_this_command(rule: Rule):
    command = parse(typed(PARTS[rule.name]), linked_app="myapp")
    assert " ".join(command.words).startswith(rule.name)


@rule
def test_the_right_is_the_one_that_is_asked_for(rule: Rule):
    (said,) = re.findall(r"` · needs (.+)$", PARTS[rule.name], re.MULTILINE)
    command = parse(typed(PARTS[rule.name]), linked_app="myapp")
    assert re.findall(r"`([a-z]+)`", said) == list(with_options(command).verbs)


def with_options(command: Command) -> Command:
    """Return the command with the options that need a further right."""
    match command:
        case EnvSet() | EnvUnset():
            return type(command)(**{**_fields(command), "promote": True})
        case ReleaseInfo():
            return type(command)(**{**_fields(command), "reveal": True})
        case _:
            return command


def _fields(command: Command) -> dict[str, object]:
    return {name: getattr(command, name) for name in command.__dataclass_fields__ if name != "verb"}


@rule
def test_an_answer_is_shown_beside_each_example(rule: Rule):
    command, answer = re.findall(r"```\n(.*?)```", PARTS[rule.name], re.DOTALL)
    assert command.startswith("/convox ")
    assert answer.strip()


def test_every_status_of_the_api_is_in_the_table():
    known = [*vars(errors).values(), TooLarge, TooMany]
    statuses = {e.status for e in known if isinstance(e, type) and issubclass(e, UserError)}
    table = TEXT.split("\n## Over HTTP")[1].split("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d{3}) \|", table, re.MULTILINE)} == statuses


def test_an_approval_needs_no_app_since_a_promotion_has_one():
    assert parse("approve PABCDEFGHIJ") == Approve(promotion="PABCDEFGHIJ")

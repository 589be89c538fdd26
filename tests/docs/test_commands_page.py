"""docs/commands.md: every command of the grammar stands there with its usage, its right and an example that can be typed."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.command.commands import (
    Approve,
    Cancel,
    Command,
    CreateReleaseFrom,
    Decline,
    EnvSet,
    EnvUnset,
    ReleaseInfo,
    Remind,
    Snooze,
    Stop,
)
from bot.command.forms import EnvEdit
from bot.command.grammar import RULES, CommandRule
from bot.command.parser import parse
from bot.http.errors import HeaderTooLarge, PayloadTooLarge, TooManyRequests
from core import errors
from core.errors import Forbidden, UserError
from core.policy.authorization import VERBS, parse_policy
from tests.bot.api.asking import policy_of
from tests.bot.handling import handlers_of
from tests.core.world import BOB, ONE_APPROVAL, World, by

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
def test_the_usage_is_the_one_of_the_grammar(rule: CommandRule):
    assert f"\n`{rule.usage}` · needs " in PARTS[rule.name]


@rule
def test_the_example_can_be_typed_as_it_stands_and_means_this_command(rule: CommandRule):
    command = parse(typed(PARTS[rule.name]), linked_app="myapp")
    assert " ".join(command.words).startswith(rule.name)


@rule
@pytest.mark.world(policy=ONE_APPROVAL)
async def test_the_rights_are_those_that_are_asked_for(rule: CommandRule, w: World):
    """Whoever has them is not refused, whoever lacks one of them is, whatever else they may do."""
    (said,) = re.findall(r"` · needs (.+)$", PARTS[rule.name], re.MULTILINE)
    rights = re.findall(r"`([a-z]+)`", said)
    waiting = (await w.ask((await w.build()).release.id)).promotion
    command = with_options(parse(typed(PARTS[rule.name]), linked_app="myapp"), waiting.id)

    async def refused(verbs: Iterable[str]) -> bool:
        w.policy = parse_policy(policy_of(", ".join(verbs), who="U02BOB"))
        reply = await handlers_of(w).handle(command, by(BOB, "C1"))
        return isinstance(reply.answer.refusal, Forbidden)

    assert [right for right in rights if not await refused(set(VERBS) - {right})] == []
    # No command needs this alone: a role without verbs is no role.
    assert not await refused([*rights, "break-glass"])
    await w.idle()


def with_options(command: Command, promotion: str) -> Command:
    """Return the command with the options that need a further right, about a promotion that there is."""
    match command:
        case EnvSet() | EnvUnset() | EnvEdit() | CreateReleaseFrom():
            return replace(command, promote=True)
        case ReleaseInfo():
            return replace(command, reveal=True)
        case Approve() | Cancel() | Decline() | Remind() | Snooze() | Stop():
            return replace(command, promotion=promotion)
        case _:
            return command


@rule
def test_an_answer_is_shown_beside_each_example(rule: CommandRule):
    command, answer = re.findall(r"```\n(.*?)```", PARTS[rule.name], re.DOTALL)
    assert command.startswith("/convox ")
    assert answer.strip()


def test_every_status_of_the_api_is_in_the_table():
    known = [*vars(errors).values(), HeaderTooLarge, PayloadTooLarge, TooManyRequests]
    statuses = {e.status for e in known if isinstance(e, type) and issubclass(e, UserError)}
    table = TEXT.split("\n## Over HTTP")[1].split("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d{3}) \|", table, re.MULTILINE)} == statuses


def test_an_approval_needs_no_app_since_a_promotion_has_one():
    assert parse("approve PABCDEFGHIJ") == Approve(promotion="PABCDEFGHIJ")

"""Tables and lists in the documents say what the code has: settings, verbs, methods, scopes, metrics, audit, keys."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from bot.admin_settings import DatabaseSettings, RackSettings
from bot.api.metrics import Facts, exposition
from bot.grammar import RULES
from bot.listeners import ACTIONS, COMMAND
from bot.settings import Settings
from core.manifest_keys import (
    SCALE_REFUSED,
    SCALE_RUN,
    SERVICE_IGNORED,
    SERVICE_REFUSED,
    SERVICE_RUN,
    TOP_IGNORED,
    TOP_REFUSED,
    TOP_RUN,
)
from core.policy import parse_policy
from core.policy_reader import RULE_KEYS
from core.promotion import Limits
from core.redaction import SHORTEST
from core.rules import VERBS, Rules

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def part(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of the same depth or above."""
    depth = len(heading) - len(heading.lstrip("#"))
    after = text.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{depth}}} ", after, maxsplit=1)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the table's rows, header and rule left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Settings


SERVE = rows(part(page("docs/settings.md"), "## `convox-bot serve`"))


def test_every_setting_of_serve_is_in_the_table_and_no_other():
    assert [code(row[0])[0] for row in SERVE] != []
    assert {code(row[0])[0] for row in SERVE} == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("row", SERVE, ids=lambda row: code(row[0])[0])
def test_the_default_of_a_setting_is_the_one_in_the_table(row: list[str]):
    field = Settings.model_fields[code(row[0])[0].lower()]
    if field.is_required():
        assert row[1] == "required"
    elif field.default is None:
        assert row[1] == "–"
    else:
        assert [word.lower() for word in code(row[1])] == [str(field.default).lower()]


def test_what_commands_beside_the_bot_read_is_in_their_table():
    table = {row[0]: code(row[1]) for row in rows(part(page("docs/settings.md"), "## Beside a running bot"))}
    assert table["`convox-bot token`"] == [name.upper() for name in DatabaseSettings.model_fields]
    assert table["`convox-bot app-manifest`"] == [name.upper() for name in RackSettings.model_fields]


# The policy


def test_the_policy_of_the_document_is_the_example():
    (shown,) = re.findall(r"```yaml\n(.*?)```", page("docs/policy.md"), re.DOTALL)
    assert shown == page("examples/policy.yml")


def test_the_example_says_what_a_key_that_is_left_out_means():
    given = parse_policy(page("examples/policy.yml")).rules("myapp")
    for field in fields(Rules):
        default = 2 if field.name == "crashes" else getattr(Rules(), field.name)
        assert getattr(given, field.name) == default, field.name


def test_every_verb_is_in_the_table():
    assert [code(row[0])[0] for row in rows(part(page("docs/policy.md"), "## Verbs"))] == list(VERBS)


def test_every_key_of_an_app_is_in_the_table():
    named = {code(row[0])[0].split(".")[0] for row in rows(part(page("docs/policy.md"), "## Rules of apps"))}
    assert named - {"promote", "rollback"} == set(RULE_KEYS) - {"match"}


# Slack


def methods_of_the_code() -> set[str]:
    found = set()
    for file in [*(ROOT / "bot").glob("*.py"), *(ROOT / "bot" / "views").glob("*.py")]:
        text = file.read_text(encoding="utf-8")
        found |= set(
            re.findall(r'"((?:chat|conversations|users|usergroups|views|files|auth|apps)\.[A-Za-z.]+)"', text)
        )
        found |= {name.replace("_", ".") for name in re.findall(r"_client\.((?!api_call)[a-z_]+)\(", text)}
    return found


def test_every_method_of_slack_that_is_called_is_listed_with_its_reason():
    table = rows(part(page("docs/slack.md"), "## Methods of the Web API"))
    assert {code(row[0])[0] for row in table} == methods_of_the_code()
    assert all(row[1] for row in table)


def test_the_scopes_are_those_of_the_app_manifest_and_each_is_needed_by_a_method():
    scopes = set(yaml.safe_load(page("manifest.yml"))["oauth_config"]["scopes"]["bot"])
    assert {code(row[0])[0] for row in rows(part(page("docs/slack.md"), "## Scopes"))} == scopes
    used = {
        scope
        for row in rows(part(page("docs/slack.md"), "## Methods of the Web API"))
        for scope in code(row[2])
    }
    assert used == scopes - {"commands"} | {"connections:write"}


def test_every_button_is_in_the_table():
    text = page("docs/slack.md")
    assert {code(row[0])[0] for row in rows(part(text, "## What arrives, and what becomes of it"))} == set(
        ACTIONS
    )
    assert f"The slash command is `{COMMAND}`" in text


# Operations and security


def test_every_metric_is_in_the_table_and_no_other():
    facts = Facts(promotions={}, waiting={"cards": 0}, oldest=0.0, connected=True, version="1")
    typed = dict(re.findall(r"^# TYPE (\w+) (\w+)$", exposition(facts).decode(), re.MULTILINE))
    table = rows(
        part(page("docs/operations.md"), "## Health").split("| metric |", 1)[1].join(["| metric |", ""])
    )
    named = {code(row[0])[0].partition("{")[0]: row[1] for row in table}
    kind = {"convox_bot_info": "gauge"}
    assert named == {name: kind.get(name, of) for name, of in typed.items()}


def test_every_action_of_the_audit_is_in_the_table():
    written = set()
    for file in [*(ROOT / "core").rglob("*.py"), *(ROOT / "storage").glob("*.py")]:
        written |= set(
            re.findall(
                r'"((?:app|build|env|release|promotion|token)\.[a-z]+)"', file.read_text(encoding="utf-8")
            )
        )
    table = rows(part(page("docs/security.md"), "## The audit"))
    named = {action for row in table for action in code(row[0])}
    assert named == written | {"promote.request", "rollback.request", "promotion.<event>"}


def test_from_which_length_values_are_redacted_is_said():
    assert f"**{SHORTEST} characters or\nmore**" in page("docs/security.md")


def test_the_patience_in_the_document_is_the_default():
    table = {
        row[0]: row[1]
        for row in rows(page("docs/promotion.md").split("| limit |", 1)[1].join(["| limit |", ""]))
    }
    limits = Limits()
    assert table["pending"] == f"{limits.pending:g} s"
    assert table["without progress"] == f"{limits.deadline:g} s"
    assert table["in all"] == f"{limits.longest:g} s"


# convox.yml


@pytest.mark.parametrize(
    "key",
    sorted(
        {
            *TOP_RUN,
            *TOP_IGNORED,
            *TOP_REFUSED,
            *SERVICE_RUN,
            *SERVICE_IGNORED,
            *SERVICE_REFUSED,
            *SCALE_RUN,
            *SCALE_REFUSED,
        }
    ),
)
def test_what_becomes_of_each_key_of_a_manifest_is_said(key: str):
    assert re.search(rf"[`.]{key}`", page("docs/compatibility.md")), key


# Commands and the README


def test_the_readme_begins_with_playing_and_then_testing():
    first = re.findall(r"```\n(.*?)```", page("README.md"), re.DOTALL)[0]
    assert first == "make play\nmake test\n"


def test_every_command_is_in_the_readme_as_the_grammar_has_it():
    (shown,) = [
        b for b in re.findall(r"```\n(.*?)```", page("README.md"), re.DOTALL) if "releases promote" in b
    ]
    listed = {entry.strip() for line in shown.splitlines() for entry in re.split(r" \| ", line)}
    assert {_name(entry) for entry in listed} == {rule.name for rule in RULES}


def _name(usage: str) -> str:
    return " ".join(
        re.match(r"[a-z]+(?: (?:info|manifest|promote|rollback|get|set|unset|create|cancel))?", usage)[
            0
        ].split()
    )  # type: ignore[index]

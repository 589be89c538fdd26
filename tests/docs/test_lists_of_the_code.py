"""Lists that the documents take from the code: Slack's methods and scopes, metrics, the audit, patience, the README's commands."""

import ast
import re

import yaml

from bot.api.metrics import exposition
from bot.command.grammar import GROUPS, RULES
from bot.prefixes import DEFAULT_COMMAND
from bot.views.build_buttons import BUILD_ACTION_IDS
from bot.views.buttons import ACTION_IDS
from bot.views.notices import NOTICE_ACTION_IDS
from core import errors
from core.lifecycle.outgoing import _TYPES, EVENT_TYPES
from core.records.progress import Limits
from core.redaction import SHORTEST_VALUE
from tests.bot.api.metric_facts import metric_facts
from tests.docs.pages import ROOT, blocks, codes, page, rows, section

SLACK = page("slack.md")
METHODS = rows(section(SLACK, "Methods of the Web API"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def sources(*patterns: str) -> str:
    return "\n".join(
        file.read_text(encoding="utf-8") for pattern in patterns for file in sorted(ROOT.glob(pattern))
    )


def test_every_method_of_slack_that_is_called_is_listed_with_its_reason():
    code = sources("bot/slack/*.py", "bot/views/*.py")
    families = "chat|conversations|users|usergroups|views|files|auth|apps|reactions|pins|bookmarks"
    named = set(re.findall(rf'"((?:{families})\.[A-Za-z.]+)"', code))
    called = {name.replace("_", ".") for name in re.findall(r"_client\.((?!api_call)[a-z_]+)\(", code)}
    assert {codes(row)[0] for row in METHODS} == named | called
    assert all(row[1] for row in METHODS)


def test_the_scopes_are_those_of_the_app_manifest_and_each_is_needed_by_a_method():
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    assert {codes(row)[0] for row in rows(section(SLACK, "Scopes"))} == scopes
    assert {scope for row in METHODS for scope in codes(row[2:])} == scopes - {
        "commands",
        "app_mentions:read",
    } | {"connections:write"}


def test_every_button_and_the_command_are_on_the_page():
    arriving = rows(section(SLACK, "What arrives, and what becomes of it"))
    assert {codes(row)[0] for row in arriving} == {*ACTION_IDS, *NOTICE_ACTION_IDS, *BUILD_ACTION_IDS}
    assert f"The slash command is `{DEFAULT_COMMAND}`" in SLACK


def test_every_metric_is_in_the_table_with_its_labels_and_no_other():
    found = re.findall(r"^(convox\w+)(?:\{(.*)\})? ", exposition(metric_facts())[0].decode(), re.MULTILINE)
    samples = [(name, ",".join(re.findall(r'(\w+)="', labels))) for name, labels in found]
    histograms = {name.removesuffix("_bucket") for name, labels in samples if "le" in labels.split(",")}
    # Of a histogram the page names the buckets; the count and the sum go without saying.
    samples = [
        each
        for each in samples
        if each[0].rpartition("_")[0] not in histograms or each[0].endswith("_bucket")
    ]
    documented = [
        codes(row)[0]
        for row in rows(section(page("operations.md"), "Health"))
        if row[0].startswith("`convox")
    ]
    assert set(documented) == {f"{name}{{{label}}}" if label else name for name, label in samples}


def test_every_action_of_the_audit_is_in_the_table_and_no_other():
    code = sources("core/**/*.py", "storage/**/*.py")
    written = set(
        re.findall(
            r'"((?:app|build|database|env|freeze|git|keys|registry|release|promote|promotion|restart|service|token|webhook)\.[a-z]+)"',
            code,
        )
    )
    # Types of events stand beside the actions that they tell of, in the same form.
    written -= set(EVENT_TYPES) - set(_TYPES)
    documented = {
        action for row in rows(section(page("security.md"), "The audit")) for action in codes(row[:1])
    }
    assert documented == written | {"promote.request", "rollback.request", "promotion.<event>"}


def test_from_which_length_values_are_redacted_is_said():
    said = re.findall(r"(\d+) characters or\s+more", page("security.md"))
    assert said == [str(SHORTEST_VALUE)]


def test_the_patience_on_the_page_is_the_default():
    limits = Limits()
    documented = {row[0]: row[1] for row in rows(section(page("promotion.md"), "Watching"))}
    assert documented == {
        "pending": f"{limits.pending:g} s",
        "without progress": f"{limits.deadline:g} s",
        "in all": f"{limits.longest:g} s",
    }


def test_the_readme_begins_with_playing_and_then_testing():
    assert blocks(README)[0] == "make play\nmake test"


def test_the_readme_names_every_command_of_the_grammar_and_no_other():
    (shown,) = [block for block in blocks(README) if "releases promote" in block]
    named = set()
    for entry in re.split(r" \| |\n", shown):
        first, second = [*entry.split(), "", ""][:2]
        named.add(
            f"{first} {second}"
            if first in GROUPS and second.replace("-", "").isalpha() and second.islower()
            else first
        )
    assert named == {rule.name for rule in RULES}


def test_make_clean_removes_every_cache_that_git_ignores():
    caches = re.findall(r"^(\S*cache\w*)/$", (ROOT / ".gitignore").read_text(encoding="utf-8"), re.MULTILINE)
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nclean:")[1]
    assert {".mypy_cache", "__pycache__"} <= set(caches)
    assert [name for name in caches if name not in recipe] == []


def test_every_package_opens_with_a_sentence():
    packages = [file for top in ("bot", "core", "storage") for file in (ROOT / top).rglob("__init__.py")]
    assert [str(file.parent) for file in packages if not ast.get_docstring(ast.parse(file.read_text()))] == []


def test_every_error_that_is_answered_stands_in_the_tree_with_its_status():
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    known = {e.__name__: e.status for e in kinds if issubclass(e, errors.UserError)}
    documented = {
        name: int(status) for name, status in re.findall(r"─ (\w+) +(\d{3}) ", errors.__doc__ or "")
    }
    assert {"UserError": errors.UserError.status, **documented} == known


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:`|^)make ([a-z]+)", sources("*.md", "docs/**/*.md", "deploy/*.md"), re.MULTILINE)
    assert set(named) <= targets

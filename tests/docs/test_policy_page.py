"""docs/policy.md shows the example as it is, and explains every key and every verb."""

import pytest

from core.policy import VERBS, parse_policy
from core.policy_reader import RULE_KEYS
from core.rules import ApprovalRule, Rules
from tests.docs.pages import ROOT, blocks, codes, page, rows, section

TEXT = page("policy.md")
EXAMPLE = (ROOT / "examples" / "policy.yml").read_text(encoding="utf-8")


def test_the_page_shows_the_example_and_it_can_be_read():
    assert blocks(TEXT, "yaml") == [EXAMPLE.rstrip("\n")]
    assert parse_policy(EXAMPLE).grants


def test_every_verb_is_explained_in_the_order_of_the_policy():
    assert [codes([row[0]])[0] for row in rows(section(TEXT, "Verbs"))] == list(VERBS)


def test_every_key_of_an_app_is_explained():
    names = {codes([row[0]])[0].partition(".")[0] for row in rows(section(TEXT, "Rules of apps"))}

    assert names == set(RULE_KEYS) - {"match"} | {"promote", "rollback"}


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("promote.count", ApprovalRule().count),
        ("promote.expires", f"{ApprovalRule().expires / 3600:g}h"),
        ("deadline", f"{Rules().deadline:g}s"),
        ("longest", f"{Rules().longest:g}s"),
        ("restarts", Rules().restarts),
        ("unpinned", "false"),
    ],
)
def test_defaults_on_the_page_are_those_of_the_code(key, default):
    (row,) = [row for row in rows(section(TEXT, "Rules of apps")) if codes([row[0]]) == [key]]

    assert row[1] == f"`{default}`"


def test_a_policy_that_says_nothing_has_these_defaults():
    assert parse_policy("apps: [{match: ['*']}]", open_to_all=True).rules("any") == Rules()

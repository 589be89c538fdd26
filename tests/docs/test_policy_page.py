"""docs/policy.md shows the example as it is, and explains every verb and key with the defaults of the code."""

import pytest

from core.policy.authorization import VERBS, parse_policy
from core.policy.reader import RULE_KEYS
from core.policy.rules import ApprovalRule, Rules
from tests.docs.pages import ROOT, blocks, codes, page, rows, section

TEXT = page("policy.md")
TABLE = {codes([row[0]])[0]: row[1] for row in rows(section(TEXT, "Rules of apps"))}
EXAMPLE = (ROOT / "examples" / "policy.yml").read_text(encoding="utf-8")


def test_the_page_shows_the_example_as_it_is():
    assert blocks(TEXT, "yaml") == [EXAMPLE.rstrip("\n")]


def test_the_example_says_what_a_key_that_is_left_out_means():
    policy = parse_policy(EXAMPLE)

    assert policy.grants
    assert policy.rules("myapp") == Rules(crashes=2)


def test_every_verb_is_explained_in_the_order_of_the_policy():
    assert [codes([row[0]])[0] for row in rows(section(TEXT, "Verbs"))] == list(VERBS)


def test_every_key_of_an_app_is_explained():
    assert {key.partition(".")[0] for key in TABLE} == set(RULE_KEYS) - {"match"} | {"promote", "rollback"}


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("promote.count", ApprovalRule().count),
        ("promote.from", "[]"),
        ("promote.requester", "false"),
        ("promote.expires", f"{ApprovalRule().expires / 3600:g}h"),
        ("deadline", f"{Rules().deadline:g}s"),
        ("longest", f"{Rules().longest:g}s"),
        ("min_ready", "auto"),
        ("settle", "auto"),
        ("restarts", Rules().restarts),
        ("unpinned", "false"),
        ("routes", "false"),
    ],
)
def test_a_default_on_the_page_is_the_one_of_the_code(key, default):
    assert TABLE[key] == f"`{default}`"


def test_a_policy_that_says_nothing_has_these_defaults():
    assert parse_policy("apps: [{match: ['*']}]", open_to_all=True).rules("any") == Rules()


def test_what_a_rollback_leaves_out_is_promotes_but_for_the_count():
    text = "apps: [{match: ['*'], approvals: {promote: {count: 2, from: [U01ALICE, U02BOB], expires: 1h}}}]"

    rollback = parse_policy(text, open_to_all=True).rules("any").rollback

    assert rollback == ApprovalRule(count=0, people=("U01ALICE", "U02BOB"), expires=3600.0)

"""Which pushes are built, and what the actor of a push may."""

import pytest

from core.actor import Actor
from core.errors import Invalid
from core.policy.authorization import Policy, parse_policy
from core.policy.build_rules import BuildRule

SHOP = "github.com/acme/shop"
PUSH = Actor("webhook", SHOP)


def policy(*rules: str) -> Policy:
    listed = "".join(f"  - {{{rule}}}\n" for rule in rules)
    return parse_policy(f"builds:\n{listed}", open_to_all=True)


def built(made: Policy, ref: str, repository: str = SHOP) -> list[tuple[str, str]]:
    return [(rule.app, rule.promote) for rule in made.build_rules(repository, ref)]


def test_a_rule_takes_the_branches_and_tags_that_its_patterns_name():
    made = policy(f"repository: {SHOP}, branch: release/*, tag: 'v[0-9]*', app: shop")
    assert built(made, "refs/heads/release/1.2") == [("shop", "never")]
    assert built(made, "refs/tags/v2") == [("shop", "never")]
    assert built(made, "refs/heads/main") == built(made, "refs/tags/nightly") == []
    assert str(made.builds[0]) == f"{SHOP}, branch release/* and tag v[0-9]*: in shop, promote never"


def test_a_rule_of_branches_takes_no_tag_of_the_same_name():
    branches = policy(f"repository: {SHOP}, branch: '*', app: shop")
    tags = policy(f"repository: {SHOP}, tag: '*', app: shop")
    assert built(branches, "refs/tags/main") == built(tags, "refs/heads/main") == []
    assert built(branches, "refs/heads/a/b") == built(tags, "refs/tags/a/b") == [("shop", "never")]


def test_of_each_app_the_first_rule_counts():
    made = policy(
        f"repository: {SHOP}, branch: main, app: shop, promote: ask",
        "repository: github.com/acme/*, branch: '*', app: shop, promote: automatic",
        "repository: github.com/acme/*, branch: main, app: worker, promote: automatic",
    )
    assert built(made, "refs/heads/main") == [("shop", "ask"), ("worker", "automatic")]
    assert built(made, "refs/heads/dev") == [("shop", "automatic")]
    assert built(made, "refs/heads/main", "github.com/evil/shop") == []


def test_capital_letters_of_a_repository_mean_nothing():
    made = policy("repository: github.com/Acme/Shop, branch: main, app: shop")
    assert built(made, "refs/heads/main", "github.com/ACME/shop") == [("shop", "never")]


@pytest.mark.parametrize(
    ("verb", "app", "promote", "allowed"),
    [
        ("build", "shop", "never", True),
        ("build", "other", "automatic", False),
        ("promote", "shop", "never", False),
        ("promote", "shop", "ask", True),
        ("promote", "shop", "automatic", True),
        ("view", "shop", "automatic", False),
        ("approve", "shop", "automatic", False),
        ("admin", "shop", "automatic", False),
    ],
)
def test_the_rule_is_all_the_right_that_a_push_has(verb, app, promote, allowed):
    made = policy(f"repository: {SHOP}, branch: main, app: shop, promote: {promote}")
    decision = made.may(PUSH, verb, app, {})
    assert decision.allowed is allowed
    if not allowed:
        assert f"no rule under builds: of the policy file lets pushes to {SHOP} " in str(decision.why)


def test_a_push_is_not_everybody():
    text = 'roles: {all: [view, build, promote]}\nmembers: [{who: ["*"], roles: [all]}]'
    assert not parse_policy(text).may(PUSH, "build", "shop", {}).allowed
    assert not Policy.open().may(PUSH, "build", "shop", {}).allowed


def test_who_may_write_policies_cannot_give_a_push_a_role():
    with pytest.raises(Invalid, match="is nobody"):
        parse_policy(f"roles: {{a: [view]}}\nmembers: [{{who: ['{PUSH.key}'], roles: [a]}}]")


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("repository: https://github.com/a/b, branch: m, app: x", "is no repository: write its host and"),
        ("repository: github.com/a/b.git, branch: m, app: x", "is no repository: write its host and"),
        ("repository: '*/a/b', branch: m, app: x", "is no repository: write its host and"),
        ("repository: github.com, branch: m, app: x", "is no repository: write its host and"),
        ("repository: [a], branch: m, app: x", "line 2: repository must be text, not a list"),
        ("branch: m, app: x", "line 2: repository is missing"),
        ("repository: github.com/a/b, branch: m", "line 2: app is missing"),
        ("repository: github.com/a/b, branch: m, app: 'x*'", 'line 2: "x*" is the name of no app'),
        ("repository: github.com/a/b, app: x", "line 2: a rule of builds says neither branch nor tag"),
        ("repository: github.com/a/b, app: x, branch: refs/heads/m", "write the name of the branch alone"),
        ("repository: github.com/a/b, app: x, tag: refs/tags/m", "write the name of the tag alone"),
        ("repository: github.com/a/b, app: x, tag: 'a b'", 'line 2: "a b" matches no tag'),
        (
            "repository: github.com/a/b, app: x, branch: m, promote: yes",
            "promote of builds is never, ask or aut",
        ),
        ("repository: github.com/a/b, app: x, branches: m", "line 2: unknown key"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_with_its_line(rule: str, problem: str):
    with pytest.raises(Invalid) as refused:
        policy(rule)
    assert problem in str(refused.value)


def test_rules_that_are_no_list_are_refused():
    with pytest.raises(Invalid, match="builds must be a list"):
        parse_policy("builds: {a: 1}", open_to_all=True)


def test_a_rule_without_patterns_takes_nothing():
    assert not BuildRule(repository=SHOP, app="shop").takes(SHOP, "refs/heads/")

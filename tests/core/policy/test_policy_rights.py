"""Who may do what: denied unless granted, and a refusal names what is missing and whom to ask."""

import pytest

from core.actor import BOT, Actor
from core.policy.authorization import VERBS, Policy, Verb, parse_policy
from core.policy.deeds import deed

ALICE, BOB, CAROL, DAVE = (Actor("slack", uid) for uid in ("U01ALICE", "U02BOB", "U03CAROL", "U04DAVE"))
CI, OTHER = Actor("token", "ci"), Actor("token", "other")
GROUPS = {"S01DEVS": frozenset({"U03CAROL"}), "S02OPS": frozenset()}

POLICY = parse_policy(
    """
roles:
  developer: [view, promote, rollback]
  operator:  [view, promote, admin]
  approver:  [view, approve]
members:
  - who: [U01ALICE, "group:S01DEVS", "token:ci"]
    roles: [developer]
    apps: ["my*", "store"]
  - who: [U02BOB]
    roles: [approver, operator]
    apps: ["store"]
apps:
  - match: ["vault"]
    approvals:
      promote: {count: 1, from: [U04DAVE]}
      rollback: {count: 1, from: ["group:S02OPS"]}
"""
)


def may(actor: Actor, verb: Verb, app: str, policy: Policy = POLICY) -> bool:
    return policy.may(actor, verb, app, GROUPS).allowed


def test_a_person_may_what_a_role_gives_for_the_apps_of_the_grant():
    assert may(ALICE, "promote", "myapp")
    assert may(BOB, "approve", "store")
    assert not may(BOB, "approve", "myapp")
    assert not may(ALICE, "admin", "store")


def test_a_group_gives_to_its_members_of_this_moment():
    assert may(CAROL, "promote", "myapp")
    assert not POLICY.may(CAROL, "promote", "myapp", {"S01DEVS": frozenset()}).allowed
    assert not POLICY.may(CAROL, "promote", "myapp", {}).allowed


def test_a_token_is_known_by_its_name():
    assert may(CI, "promote", "myapp")
    assert not may(OTHER, "promote", "myapp")


@pytest.mark.parametrize(
    "actor", [Actor("token", "U01ALICE"), Actor("slack", "ci"), Actor("token", "S01DEVS"), BOT]
)
def test_nobody_passes_for_somebody_of_another_kind(actor: Actor):
    assert not [verb for verb in VERBS if may(actor, verb, "myapp")]


def test_a_star_is_every_member_and_every_token_but_not_the_bot():
    policy = parse_policy("roles: {reader: [view]}\nmembers: [{who: ['*'], roles: [reader]}]\n")

    assert [may(actor, "view", "any", policy) for actor in (DAVE, OTHER, BOT)] == [True, True, False]
    assert not may(DAVE, "promote", "any", policy)


def test_to_be_named_in_from_is_the_right_to_approve_that_app():
    assert may(DAVE, "approve", "vault")
    assert not may(DAVE, "approve", "store")
    assert not may(DAVE, "promote", "vault")


@pytest.mark.parametrize(
    ("verb", "app", "need"),
    [
        (
            "promote",
            "store",
            "one of the roles developer, operator for it (ask @U01ALICE, group:S01DEVS, @U02BOB)",
        ),
        (
            "approve",
            "store",
            "the role approver for it (ask @U02BOB)",
        ),
        (
            "rollback",
            "other",
            "the role developer for it (no person has it; it is given in the policy file)",
        ),
    ],
)
def test_a_refusal_names_the_rule_that_failed_and_whom_to_ask(verb: Verb, app: str, need: str):
    decision = POLICY.may(DAVE, verb, app, GROUPS)

    assert not decision.allowed
    assert str(decision.why) == f"you may not {deed(verb, app)}: that needs {need}"


def test_a_verb_that_no_role_has_is_said_to_be_missing_from_the_file():
    why = str(POLICY.may(DAVE, "freeze", "store", GROUPS).why)

    assert why == "you may not freeze store: no role of the policy file has the verb freeze"


def test_every_verb_is_a_deed_in_words():
    assert {verb: deed(verb, "store") for verb in VERBS} == {
        "view": "view store",
        "build": "make builds of store",
        "env": "read or change the environment of store",
        "promote": "promote store",
        "rollback": "roll back store",
        "approve": "approve promotions of store",
        "cancel": "cancel rollouts of store",
        "scale": "scale or restart store",
        "logs": "read the logs of store",
        "freeze": "freeze store",
        "break-glass": "break the glass for store",
        "admin": "change settings of store",
    }
    assert deed("freeze", "*") == "freeze every app"


def test_a_long_list_of_people_is_cut():
    people = ", ".join(f"U0{i}AB" for i in range(5))
    policy = parse_policy(f"roles: {{r: [view]}}\nmembers: [{{who: [{people}], roles: [r]}}]\n")

    assert str(policy.may(DAVE, "view", "a", {}).why).endswith("(ask @U00AB, @U01AB, @U02AB and 2 more)")


def test_the_groups_to_ask_slack_for_are_those_of_members_and_of_approvers():
    assert POLICY.group_ids() == {"S01DEVS", "S02OPS"}


def test_an_open_policy_allows_everybody_everything_and_keeps_the_rules_of_apps():
    policy = Policy.open(POLICY.apps)

    assert all(may(actor, verb, "myapp", policy) for actor in (DAVE, OTHER) for verb in VERBS)
    assert policy.rules("vault").promote.count == 1
    assert policy.rules("myapp").promote.count == 0


def test_a_policy_that_says_nothing_denies_everything():
    assert not [verb for verb in VERBS if may(ALICE, verb, "myapp", Policy())]

"""A policy file is read whole: what it says, or everything that is wrong with it, each with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.policy.authorization import ApprovalRule, Policy, Rules, parse_policy
from core.policy.retention import RetentionRules

EXAMPLES = Path(__file__).parents[3] / "examples"
MEMBERS = "roles:\n  dev: [view]\nmembers:\n  - {who: [U01ALICE], roles: [dev]}\n"


def said(text: str) -> list[str]:
    with pytest.raises(Invalid) as raised:
        parse_policy(text)
    assert raised.value.status == 422
    return str(raised.value).splitlines()


def rules(text: str) -> Rules:
    """Return the rules of an app entry that has these keys."""
    indented = "\n".join(f"    {line}" for line in text.splitlines())
    return parse_policy(f"{MEMBERS}apps:\n  - match: ['*']\n{indented}\n").rules("myapp")


def test_the_example_says_what_the_documentation_says():
    policy = parse_policy((EXAMPLES / "policy.yml").read_text(encoding="utf-8"))

    assert {role.name: set(role.verbs) for role in policy.roles} == {
        "developer": {"view", "build", "env", "promote", "rollback", "cancel", "scale", "logs"},
        "approver": {"view", "approve"},
    }
    assert [grant.who for grant in policy.grants] == [("U01ALICE", "group:S01DEVS", "token:ci"), ("U02BOB",)]
    assert [grant.apps for grant in policy.grants] == [("*",), ("*",)]
    assert policy.rules("myapp") == Rules(crashes=2)
    assert policy.group_ids() == {"S01DEVS"}
    assert policy.retention == RetentionRules()


def test_keys_left_out_take_the_values_of_the_example():
    assert rules("") == Rules(
        promote=ApprovalRule(count=0, people=(), requester=False, expires=86400.0),
        rollback=ApprovalRule(count=0),
        deadline=600.0,
        longest=3000.0,
        min_ready=None,
        settle=None,
        crashes=None,
        restarts=0,
        unpinned=False,
        channel=None,
    )


def test_every_key_of_an_app_is_read():
    found = rules(
        "approvals:\n"
        "  promote: {count: 2, from: [U02BOB, 'group:S01DEVS'], requester: true, expires: 90m}\n"
        "deadline: 30s\nlongest: 1.5h\nmin_ready: 2s\nsettle: 500ms\ncrashes: 4\nrestarts: 1\n"
        "unpinned: true\nchannel: C0123"
    )

    promote = ApprovalRule(count=2, people=("U02BOB", "group:S01DEVS"), requester=True, expires=5400.0)
    assert found == Rules(
        promote=promote,
        rollback=ApprovalRule(count=0, people=promote.people, requester=True, expires=5400.0),
        deadline=30.0,
        longest=5400.0,
        min_ready=2.0,
        settle=0.5,
        crashes=4,
        restarts=1,
        unpinned=True,
        channel="C0123",
    )


def test_what_rollback_leaves_out_is_promotes_but_for_the_count():
    found = rules(
        "approvals:\n  promote: {count: 2, from: ['group:S01A']}\n  rollback: {count: 1, expires: 1h}"
    )

    assert found.rollback == ApprovalRule(count=1, people=("group:S01A",), requester=False, expires=3600.0)
    assert rules("approvals:\n  rollback: {from: [U02BOB]}").rollback.people == ("U02BOB",)


def test_the_first_entry_that_matches_an_app_rules_it():
    policy = parse_policy(
        MEMBERS
        + "apps:\n"
        + "  - {match: [store, 'shop-?'], deadline: 1m}\n"
        + "  - {match: ['s*'], deadline: 2m}\n"
    )

    assert [policy.rules(app).deadline for app in ("store", "shop-1", "sales", "myapp")] == [60, 60, 120, 600]


def test_every_problem_is_told_at_once_with_its_line():
    assert said(
        """roles:
  dev: [view, deploy]
  approver: []
members:
  - who: []
    roles: [dve]
  - roles: [dev]
    aps: ["*"]
  - who: [alice, U02BOB]
    roles: [dev]
apps:
  - match: ["*"]
    approvals:
      promote: {count: 2, from: [U02BOB, "token:ci"], expires: 24}
      rollback: {count: x}
    deadline: soon
    min_ready: 5
    channel: "#x"
    crashes: 0
"""
    ) == [
        'line 2: unknown verb "deploy"; did you mean "promote"?',
        'line 3: role "approver" has no verbs',
        "line 5: who is empty",
        'line 6: unknown role "dve"; did you mean "dev"?',
        "line 7: who is missing",
        'line 8: unknown key "aps" in a member; did you mean "apps"?',
        'line 9: "alice" is nobody: write a Slack user id (U…), group:<user group id>, token:<name>, oidc:<rule> or "*"',
        'line 14: "token:ci" in from: a token never approves, people do',
        "line 14: count 2 of promote is more than the one person in from can give",
        'line 14: expires must be a duration such as 30s, 10m or 24h, not "24"',
        'line 15: count of rollback must be a whole number from 0 to 100, not "x"',
        'line 16: deadline must be a duration such as 30s, 10m or 24h, not "soon"',
        'line 17: min_ready must be a duration such as 30s, 10m or 24h, or auto, not "5"',
        'line 18: channel must be a Slack channel id (C…), not "#x"',
        'line 19: crashes must be a whole number from 1 to 1000, not "0"',
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: the policy is empty: nobody could do anything"),
        ("- a\n", "line 1: the policy must be a mapping of keys, not a list"),
        ("roles: {dev: [view]}\n", "line 1: no members: nobody could do anything"),
        ("members: []\n", "line 1: no members: nobody could do anything"),
        ("rolse: {}\n" + MEMBERS, 'line 1: unknown key "rolse" in the policy; did you mean "roles"?'),
        (MEMBERS + "apps:\n  - deadline: 1m\n", "line 6: match is missing"),
        ("roles:\n  dev:\nmembers:\n  - {who: ['*'], roles: [dev]}\n", 'line 2: role "dev" has no verbs'),
        (MEMBERS + "apps:\n  - match: [Store]\n", 'line 6: "Store" matches no app'),
        (MEMBERS + "apps:\n  - {match: ['*'], deadline: 0s}\n", "line 6: deadline must be at least 1s"),
        (MEMBERS + "apps:\n  - {match: ['*'], longest: 400d}\n", "line 6: longest must be a duration"),
        (
            MEMBERS + "apps:\n  - match: ['*']\n    settle: 1h\n",
            "line 7: settle is 3600 s and a rollout may take 3000 s in all (longest): none could end well",
        ),
        (
            MEMBERS + "apps:\n  - match: ['*']\n    longest: 60s\n    min_ready: 60s\n",
            "line 8: min_ready is 60 s and a rollout may take 60 s in all",
        ),
        (
            MEMBERS + "apps:\n  - {match: ['*'], approvals: {promote: {from: ['*']}}}\n",
            '"*" in from: leave from empty',
        ),
        (
            MEMBERS + "apps:\n  - {match: ['*'], approvals: {promote: {from: [bob]}}}\n",
            '"bob" in from is nobody',
        ),
        (MEMBERS + "apps:\n  - {match: ['*'], approvals: {promot: {count: 1}}}\n", 'did you mean "promote"?'),
        (MEMBERS.replace("U01ALICE", "@alice"), "line 4: this is not YAML"),
        (MEMBERS.replace("[U01ALICE]", "U01ALICE"), "line 4: who must be a list"),
        (MEMBERS.replace("[view]", "[fly]"), "the verbs are view, build, env"),
        (MEMBERS + "roles: {}\n", 'line 5: key "roles" stands twice; the first is in line 1'),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, sentence: str):
    assert any(sentence in line for line in said(text))


def test_people_are_words_wherever_a_list_names_them():
    text = "apps: [{match: ['*'], approvals: {promote: {from: [U012BOB, [eve]]}}}]"
    assert said(MEMBERS + text) == ["line 5: from takes words, not a list"]


def test_a_rule_that_names_a_group_may_ask_for_any_count():
    assert rules("approvals:\n  promote: {count: 5, from: ['group:S01A', U02BOB]}").promote.count == 5


def test_the_playground_policy_is_patient_for_half_a_minute_and_asks_for_an_approval_of_one_app():
    policy = parse_policy((EXAMPLES / "playground-policy.yml").read_text(encoding="utf-8"))

    assert policy.rules("store").promote.count == 1
    assert policy.rules("myapp").promote.count == 0
    assert max(policy.rules(app).deadline for app in ("store", "myapp")) <= 30
    assert all(policy.rules(app).announce_builds for app in ("store", "myapp")), "as it is without a word"
    assert {role.name for role in policy.roles} == {"owner", "developer", "approver", "viewer"}


def test_an_open_policy_may_be_empty():
    assert parse_policy("# nothing yet\n", open_to_all=True) == Policy.open()


@given(st.text(max_size=200) | st.text(alphabet=" \n-:{}[]*roles,members0whoUm\"'", max_size=200))
def test_arbitrary_text_is_a_policy_or_invalid(text: str):
    try:
        outcome: object = parse_policy(text)
    except Invalid as error:
        outcome = str(error)

    assert outcome


@given(st.data())
def test_whatever_the_values_the_outcome_is_a_policy_or_invalid(data: st.DataObject):
    words = st.sampled_from(
        ["1", "auto", "10s", "[]", "{}", "~", "['*']", "[U01A]", "true", "x", "{count: 1}", "[[a]]"]
    )
    keys = [
        "match",
        "approvals",
        "deadline",
        "longest",
        "min_ready",
        "settle",
        "crashes",
        "channel",
        "restarts",
        "unpinned",
    ]
    entry = "".join(f"    {key}: {data.draw(words)}\n" for key in keys)
    who = data.draw(words)
    text = f"roles: {data.draw(words)}\nmembers:\n  - who: {who}\n    roles: {data.draw(words)}\napps:\n  -\n{entry}"
    try:
        outcome: object = parse_policy(text)
    except Invalid as error:
        outcome = str(error)

    assert outcome


def test_power_over_nodes_is_given_by_a_word():
    given = rules("privileged: true\nhost_paths: yes")
    assert (given.privileged, given.host_paths) == (True, True)
    assert (Rules().privileged, Rules().host_paths) == (False, False)

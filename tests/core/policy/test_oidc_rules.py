"""Whose tokens of CI are taken, and what a job may."""

import pytest

from core.actor import Actor
from core.errors import Invalid
from core.policy.authorization import Policy, parse_policy
from core.policy.claim_patterns import fits
from core.policy.oidc_width import width

GITHUB = "https://token.actions.githubusercontent.com"
MAIN = "repo:acme/web:ref:refs/heads/main"
JOB = Actor("oidc", "web", "github:acme/web@refs/heads/main (run 123)")


def text_of(rule: str = "", *, issuer: str = GITHUB, subject: str = MAIN) -> str:
    return f"oidc: [{{name: web, issuer: {issuer}, audience: 'https://bot.example.com', subject: '{subject}'{rule}}}]\n"


def policy(rule: str = "", members: str = "", **more: str) -> Policy:
    return parse_policy(text_of(rule, **more) + members, open_to_all=True)


def problems(text: str) -> str:
    with pytest.raises(Invalid) as refused:
        parse_policy(text, open_to_all=True)
    return str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "subject", "fit"),
    [
        (MAIN, MAIN, True),
        # A pattern means a whole subject: nothing before it, nothing behind, no part more.
        ("repo:acme/*", MAIN, False),
        ("repo:acme/web", MAIN, False),
        ("repo:acme/*:ref:refs/heads/main", MAIN, True),
        ("repo:acme/*:ref:refs/heads/main", "repo:acme/web:ref:refs/heads/main-evil", False),
        ("repo:acme/*:ref:refs/heads/main", "repo:acme-evil/web:ref:refs/heads/main", False),
        ("repo:acme*:ref:refs/heads/main", "repo:acme-evil/web:ref:refs/heads/main", False),
        ("repo:acme/*:ref:refs/heads/main", "x:repo:acme/web:ref:refs/heads/main", False),
        ("repo:acme/*:ref:refs/heads/main", "repo:acme/web/x:ref:refs/heads/main", False),
        ("repo:acme/web:*", MAIN, False),
        ("repo:acme/web:**", MAIN, False),
        ("repo:acme/web:ref:**", MAIN, True),
        ("repo:acme/web:ref:refs/heads/*", "repo:acme/web:ref:refs/heads/a/b", False),
        ("repo:acme/web:ref:refs/heads/**", "repo:acme/web:ref:refs/heads/a/b", True),
        ("repo:acme/web:ref:refs/tags/v[0-9]*", "repo:acme/web:ref:refs/tags/v1", True),
        ("repo:acme/web:ref:refs/heads/main", "repo:acme/web:ref:refs/heads/MAIN", False),
        ("repo:acme/web:ref:refs/heads/main", "repo:acme/web:ref:refs/heads/main\n", False),
        ("repo:acme/web:pull_request", "repo:acme/web:pull_request", True),
        ("", "", True),
    ],
)
def test_a_pattern_means_a_whole_subject_and_a_star_stops_at_a_slash_and_a_colon(pattern, subject, fit):
    assert fits(subject, pattern) is fit


def test_every_claim_of_a_rule_must_fit_and_one_that_is_missing_or_a_list_fits_nothing():
    (rule,) = policy(", claims: {environment: [production, 'stage-*'], ref_protected: 'true', run: 7}").oidc
    good = {"sub": MAIN, "environment": "stage-2", "ref_protected": True, "run": 7, "other": None}
    assert rule.takes(good)
    for claim, value in (("environment", "test"), ("ref_protected", "false"), ("run", 8), ("sub", "x")):
        assert not rule.takes(good | {claim: value}), claim
    for claim in ("environment", "ref_protected", "run", "sub"):
        assert not rule.takes({name: each for name, each in good.items() if name != claim}), claim
        assert not rule.takes(good | {claim: [good[claim]]}), claim
    assert str(rule).startswith(
        f"oidc:web: {MAIN}, environment production or stage-*, ref_protected true, run 7 of https"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("oidc: [{}]", "name is missing"),
        ("oidc: [{}]", "audience is missing"),
        ("oidc: [{}]", "subject is missing: without it every job of the issuer would be taken"),
        ("oidc: [{x: 1}]", 'unknown key "x" in oidc'),
        (text_of(issuer="http://token.example.com"), "is no issuer: what the claim iss says, over https"),
        (text_of(issuer="'https://*.example.com'"), "is no issuer"),
        (text_of(issuer="https://a.example.com/?x=1"), "is no issuer"),
        (text_of(issuer="https://user@a.example.com"), "is no issuer"),
        (text_of().replace("https://bot.example.com", ""), "is no audience"),
        (text_of(subject=""), "subject is empty"),
        (text_of().replace(f"'{MAIN}'", "[]"), "subject is empty"),
        (text_of().replace("name: web", "name: 'a b'"), "is no name"),
        (text_of(", claims: {aud: x}"), "aud is no claim for claims"),
        (text_of(", claims: {environment: ''}"), 'claim "environment" is empty'),
        (text_of(", max_age: 5s"), "max_age must be at least 1m"),
        (text_of(", max_age: soon"), "max_age must be a duration"),
        (
            text_of(subject="repo:*/web:ref:refs/heads/main"),
            "takes jobs of anybody on GitHub: write repo:OWNER… without",
        ),
        (text_of(subject="repo:[a]cme/web:ref:refs/heads/main"), "takes jobs of anybody on GitHub"),
        (text_of(subject="**"), "takes jobs of anybody on GitHub"),
        (
            text_of(", claims: {repository_owner: '*'}", subject="repo:*/web:x"),
            "takes jobs of anybody on GitHub",
        ),
        (
            text_of(issuer="https://gitlab.com", subject="project_path:*/*:ref_type:branch:ref:main"),
            "anybody on GitLab",
        ),
        (text_of(issuer="https://ci.example.com", subject="*:**"), "takes every job of the issuer"),
        (
            text_of(issuer="https://ci.example.com", subject="system:serviceaccount:*:*"),
            "takes every ServiceAccount of the cluster",
        ),
        (
            text_of(", keys: file"),
            'keys is issuer or cluster, where those of the issuer are read, not "file"',
        ),
        (
            text_of() + "members: [{who: ['oidc:wep'], roles: [r]}]\nroles: {r: [view]}",
            'no rule of oidc is called "wep"; did you mean "web"?',
        ),
        (
            text_of() + "apps: [{match: ['*'], approvals: {promote: {from: ['oidc:web']}}}]",
            "a job never approves",
        ),
    ],
)
def test_a_rule_that_means_nobody_or_anybody_is_refused_with_why(text, said):
    assert said in problems(text)


def test_two_rules_of_a_name_are_refused():
    rule = text_of().removeprefix("oidc: [").rstrip().removesuffix("]")
    assert 'two rules of oidc are called "web"' in problems(f"oidc:\n  - {rule}\n  - {rule}\n")


def test_two_rules_that_read_the_keys_of_an_issuer_in_two_ways_are_refused():
    rule = text_of().removeprefix("oidc: [").rstrip().removesuffix("]")
    other = rule.replace("name: web", "name: other").replace("audience:", "keys: cluster, audience:")
    assert "read its keys in two ways" in problems(f"oidc:\n  - {rule}\n  - {other}\n")
    assert [each.keys for each in parse_policy(f"oidc:\n  - {other}\n", open_to_all=True).oidc] == ["cluster"]


def test_an_owner_may_stand_in_a_claim_in_place_of_the_subject():
    (rule,) = policy(
        ", claims: {repository_owner_id: 123}, max_age: 10m", subject="repository_owner_id:123:environment:x"
    ).oidc
    assert rule.max_age == 600
    assert policy(issuer="https://ci.example.com", subject="org/*").oidc


@pytest.mark.parametrize(
    ("subject", "claims", "said"),
    [
        (MAIN, "", ""),
        ("system:serviceaccount:ci:deployer", "", ""),
        ("system:serviceaccount:ci:*", "", "more than one ServiceAccount"),
        ("system:serviceaccount:*:deployer", "", "of more than one namespace"),
        ("repo:acme/web:environment:production", "", ""),
        ("repo:acme/web:ref:refs/heads/release-*", "", "more than one branch"),
        ("repo:acme/web:pull_request", "", "pull requests"),
        ("repo:acme/web", "", "more than one branch"),
        ("repo:acme/*:ref:refs/heads/main", "", "more than one repository"),
        ("repo:acme/*:ref:refs/heads/main", "repository: acme/web", ""),
        ("repo:acme/*:ref:refs/heads/main", "repository: '*/*'", "more than one repository"),
        ("repo:acme/web:ref:refs/heads/**", "environment: production", ""),
        ("project_path:acme/web:ref_type:branch:ref:main", "", ""),
        ("project_path:acme/web:ref_type:branch:ref:*", "", "more than one branch"),
        ("project_path:acme/web:ref_type:branch:ref:*", "ref_protected: 'true'", ""),
        ("organization:acme:pipeline:web:ref:refs/heads/main:commit:*:step:deploy", "", ""),
    ],
)
def test_a_rule_that_takes_more_than_somebody_may_have_meant_is_told_of(subject, claims, said):
    (rule,) = policy(f", claims: {{{claims}}}", issuer="https://ci.example.com", subject=subject).oidc
    assert said in width(rule)
    assert bool(said) is bool(width(rule))


ROLES = "roles: {deploy: [view, promote]}\n"


def test_a_job_has_the_roles_that_its_rule_is_given_and_everybody_does_not_mean_it():
    given = parse_policy(text_of() + ROLES + "members: [{who: ['oidc:web'], roles: [deploy], apps: ['web']}]")
    assert given.may(JOB, "promote", "web", {}).allowed
    assert not given.may(JOB, "promote", "other", {}).allowed
    assert not given.may(JOB, "rollback", "web", {}).allowed
    everybody = parse_policy(text_of() + ROLES + "members: [{who: ['*'], roles: [deploy]}]")
    refused = everybody.may(JOB, "promote", "web", {})
    assert not refused.allowed
    other = given.may(Actor("slack", "U02BOB"), "promote", "web", {})
    assert str(other.why).endswith("(no person has it; it is given in the policy file)"), "nobody asks a job"


def test_where_everybody_may_do_everything_a_job_may_while_its_rule_is_there():
    assert policy().may(JOB, "promote", "web", {}).allowed
    assert not policy().may(Actor("oidc", "gone"), "promote", "web", {}).allowed


def test_a_job_is_called_by_what_it_is():
    assert (JOB.key, JOB.plain) == ("oidc:web", "github:acme/web@refs/heads/main (run 123)")
    assert Actor("oidc", "web").plain == "oidc:web"

"""A rule of an issuer that strangers share says whose jobs it takes."""

import pytest

from core.errors import Invalid
from core.policy.authorization import Policy, parse_policy
from core.policy.oidc_width import width
from core.policy.shared_issuers import GITHUB, GITLAB, SHARED_ISSUERS, shared_issuer

# Of each issuer: subjects of one owner, and some that strangers have as well.
OWN = {
    GITHUB: ("repo:acme/web:environment:production",),
    GITLAB: ("project_path:acme/web:ref_type:branch:ref:main",),
    "https://agent.buildkite.com": (
        "organization:acme:pipeline:web:ref:refs/heads/main:commit:*:step:deploy",
    ),
    "https://accounts.google.com": ("104521374891234567890",),
    "https://app.terraform.io": ("organization:acme:project:web:workspace:prod:run_phase:apply",),
    "https://app.eu.terraform.io": ("organization:acme:project:web:workspace:prod:run_phase:apply",),
    "https://oidc.vercel.com": ("owner:acme:project:web:environment:production",),
    "https://api.pulumi.com/oidc": (
        "pulumi:deploy:org:acme:project:web:stack:prod:operation:update:scope:write",
        "pulumi:environments:org:acme:env:web",
    ),
    "https://api.pulumi.com/oidc/v2": ("pulumi:environments:org:acme:env:web",),
    "https://oidc.codefresh.io": ("account:64f8:pipeline:65a1:scm_ref:main",),
    "https://identity.depot.dev": (
        "spiffe://identity.depot.dev/org/o1/ci/github/acme/web/ref/main/sandbox/s1",
    ),
    "https://login.app.env0.com": ("auth0|63f1",),
    "https://scalr.io": ("account:acme:environment:prod:workspace:web",),
}


def policy(issuer: str, subject: str, claims: str = "") -> Policy:
    return parse_policy(
        f"oidc: [{{name: web, issuer: '{issuer}', audience: 'https://bot.example.com', subject: '{subject}', claims: {{{claims}}}}}]",
        open_to_all=True,
    )


def test_each_issuer_says_where_it_says_so():
    assert set(OWN) == set(SHARED_ISSUERS)
    assert all("/" in each.source for each in SHARED_ISSUERS.values())


@pytest.mark.parametrize(
    ("issuer", "subject"), [(issuer, each) for issuer, some in OWN.items() for each in some]
)
def test_a_whole_subject_of_one_owner_is_taken_and_a_pattern_of_any_owner_refused(issuer, subject):
    (rule,) = policy(issuer, subject).oidc
    assert not width(rule) or "more than one branch" in width(rule), width(rule)
    shared = SHARED_ISSUERS[issuer]
    owner = next((begin for begin in shared.begins if subject.startswith(begin)), "")
    for wild in (
        owner + "*" + subject.removeprefix(owner),
        "*",
        "**",
        f"{owner}*",
        f"{owner}?cme:**",
        f"x{owner}*",
    ):
        for written in (issuer, f"{issuer}/"):
            with pytest.raises(Invalid) as refused:
                policy(written, wild)
            assert f"takes jobs of anybody on {shared.called}" in str(refused.value), wild
    for claim in shared.owners:
        assert policy(issuer, "*", f'"{claim}": acme').oidc
        with pytest.raises(Invalid):
            policy(issuer, "*", f'"{claim}": "a*"')


def test_who_an_address_belongs_to_is_no_owner():
    with pytest.raises(Invalid, match=r"write a whole subject, without a pattern, or ask for hd in claims"):
        policy("https://accounts.google.com", "*", "email: deploy@acme.example.com")
    with pytest.raises(Invalid, match=r"anybody on Scalr: write a whole subject, without a pattern$"):
        policy("https://scalr.io", "account:*", "account: acme")


@pytest.mark.parametrize(
    ("issuer", "subject", "claims", "said"),
    [
        (
            "https://app.terraform.io",
            "organization:acme:project:web:workspace:prod:run_phase:*",
            "",
            "plans too",
        ),
        (
            "https://app.terraform.io",
            "organization:acme:project:web:workspace:prod:run_phase:plan",
            "",
            "plans too",
        ),
        (
            "https://app.terraform.io",
            "organization:acme:project:web:workspace:prod:run_phase:*",
            "terraform_run_phase: apply",
            "",
        ),
        (
            "https://app.terraform.io",
            "organization:acme:project:*:workspace:*:run_phase:apply",
            "",
            "more than one of",
        ),
        ("https://accounts.google.com", "*", "hd: acme.example.com", "more than one of its workloads"),
        (
            "https://oidc.vercel.com",
            "owner:acme:project:web:environment:*",
            "",
            "more than one of its workloads",
        ),
        ("https://oidc.vercel.com", "owner:acme:project:web:environment:*", "environment: production", ""),
        ("https://identity.depot.dev", "**", "org_id: o1, ref: refs/heads/main", ""),
    ],
)
def test_a_rule_that_takes_more_than_somebody_may_have_meant_is_told_of(issuer, subject, claims, said):
    (rule,) = policy(issuer, subject, claims).oidc
    assert said in width(rule)
    assert bool(said) is bool(width(rule))


def test_an_issuer_of_one_customer_is_not_shared():
    for issuer in ("https://oidc.circleci.com/org/o1", "https://oidc.vercel.com/acme", f"{GITHUB}/acme"):
        assert shared_issuer(issuer) is None

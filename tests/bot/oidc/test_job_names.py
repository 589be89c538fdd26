"""How a job is called for people, whatever its claims hold."""

import pytest

from bot.oidc.tokens import looks_like, name_of
from core.policy.oidc_rules import OidcRule
from core.policy.shared_issuers import GITHUB, GITLAB

RUN = {"sub": "repo:acme/web:x", "repository": "acme/web", "ref": "refs/heads/main", "run_id": "123"}
JOB = {"sub": "project_path:acme/web:x", "project_path": "acme/web", "ref": "main", "job_id": "7"}

# kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin, "Bound service account tokens".
CLUSTER = "https://kubernetes.default.svc"
POD = {
    "sub": "system:serviceaccount:ci:deployer",
    "kubernetes.io": {"namespace": "ci", "pod": {"name": "web-x7"}},
}
ODD = [None, "x", {}, {"pod": "x"}, {"pod": {"name": 7}}]


@pytest.mark.parametrize(
    ("issuer", "claims", "name"),
    [
        (GITHUB, RUN, "github:acme/web@refs/heads/main (run 123)"),
        ("https://ghes.example.com/_services/token", RUN, "github:acme/web@refs/heads/main (run 123)"),
        ("https://ci.example.com", RUN, "oidc:web (repo:acme/web:x)"),
        (GITLAB, JOB, "gitlab:acme/web@main (job 7)"),
        (GITLAB, JOB | {"ref_path": "refs/heads/main"}, "gitlab:acme/web@refs/heads/main (job 7)"),
        (
            GITHUB,
            RUN | {"ref": "refs/heads/`<!channel>\n\x1b[31m(run 1)"},
            "github:acme/web@refs/heads/??!channel???[31m?run 1? (run 123)",
        ),
        (CLUSTER, POD, "kubernetes:ci/deployer (pod web-x7)"),
        (CLUSTER, POD | {"kubernetes.io": {"pod": {"name": "a`b"}}}, "kubernetes:ci/deployer (pod a?b)"),
        *((CLUSTER, POD | {"kubernetes.io": each}, "kubernetes:ci/deployer") for each in ODD),
        (GITHUB, {"sub": "s" * 300}, f"oidc:web ({'s' * 119}…)"),
    ],
)
def test_a_job_is_named_by_its_verified_claims_and_by_nothing_that_a_terminal_obeys(issuer, claims, name):
    rule = OidcRule(name="web", issuer=issuer, audience="x", subjects=("x",))
    assert name_of(rule, claims) == name


def test_a_stored_token_is_never_taken_for_a_token_of_a_job():
    assert looks_like("eyJhbGciOiJub25lIn0.e30.")
    assert not looks_like("eyJhbGciOiJub25lIn0_e30-aaa")
    assert not looks_like("aa.bb.cc")

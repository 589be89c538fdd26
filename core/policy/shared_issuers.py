"""Issuers that sign for everybody who has an account there: a rule of one must say whose jobs it takes, or it takes a stranger's.

Others have an issuer for each customer, where the issuer says whose job it is: CircleCI (`https://oidc.circleci.com/org/…`), Bitbucket
(`https://api.bitbucket.org/2.0/workspaces/…/pipelines-config/identity/oidc`), Azure DevOps (`https://vstoken.dev.azure.com/…`), Spacelift
(`https://….app.spacelift.io`), Vercel's teams (`https://oidc.vercel.com/…`), a GitHub enterprise
(`https://token.actions.githubusercontent.com/…`), and each cluster of EKS, GKE and AKS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.policy.claim_patterns import is_pattern, means_anything
from core.yaml.source import cut


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedIssuer:
    """An issuer that signs for everybody who has an account there.

    Attributes:
        called: how people call it.
        source: where it says of its tokens what stands here.
        begins: how its subjects begin, before whose job it is; none where they do not say whose at all, or not in a form that it
            promises: then one whole subject is somebody's, and a pattern is nobody's.
        owners: claims of which each says whose job it is as well.
        branches: do its subjects say of which branch a job is.
    """

    called: str
    source: str
    begins: tuple[str, ...] = ()
    owners: frozenset[str] = field(default_factory=frozenset)
    branches: bool = True

    def names_owner(self, subject: str) -> bool:
        """Tell whether a subject, or each that a pattern means, is of one owner."""
        if not self.begins:
            return not is_pattern(subject)
        begin = next((each for each in self.begins if subject.startswith(each)), None)
        owner = subject.removeprefix(begin or "").partition("/")[0].partition(":")[0]
        return begin is not None and bool(owner) and not is_pattern(owner)


GITHUB, GITLAB = "https://token.actions.githubusercontent.com", "https://gitlab.com"
_TERRAFORM = SharedIssuer(
    called="HCP Terraform",
    source="developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens",
    begins=("organization:",),
    owners=frozenset(
        {
            "terraform_organization_id",
            "terraform_organization_name",
            "terraform_project_id",
            "terraform_workspace_id",
        }
    ),
    branches=False,
)
_PULUMI = SharedIssuer(
    called="Pulumi Cloud",
    source="www.pulumi.com/docs/esc/guides/configuring-oidc",
    begins=("pulumi:deploy:org:", "pulumi:environments:org:"),
    owners=frozenset({"https://pulumi.com/org", "https://pulumi.com/org_id"}),
    branches=False,
)
# Which are shared says docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html, too.
SHARED_ISSUERS: Mapping[str, SharedIssuer] = {
    GITHUB: SharedIssuer(
        called="GitHub",
        source="docs.github.com/actions/reference/security/oidc",
        begins=("repo:",),
        owners=frozenset({"repository", "repository_id", "repository_owner", "repository_owner_id"}),
    ),
    GITLAB: SharedIssuer(
        called="GitLab",
        source="docs.gitlab.com/ci/secrets/id_token_authentication",
        begins=("project_path:",),
        owners=frozenset({"namespace_id", "namespace_path", "project_id", "project_path"}),
    ),
    "https://agent.buildkite.com": SharedIssuer(
        called="Buildkite",
        source="buildkite.com/docs/agent/cli/reference/oidc",
        begins=("organization:",),
        owners=frozenset({"organization_slug", "organization_id", "pipeline_id"}),
    ),
    # Its `sub` is the number of an account. An address in `email` may be another's by now, or never was proved.
    "https://accounts.google.com": SharedIssuer(
        called="Google",
        source="developers.google.com/identity/openid-connect/openid-connect",
        owners=frozenset({"hd"}),
        branches=False,
    ),
    "https://app.terraform.io": _TERRAFORM,
    "https://app.eu.terraform.io": _TERRAFORM,
    # A team may leave it for an issuer of its own.
    "https://oidc.vercel.com": SharedIssuer(
        called="Vercel",
        source="vercel.com/docs/oidc/reference",
        begins=("owner:",),
        owners=frozenset({"owner", "owner_id", "project_id"}),
        branches=False,
    ),
    "https://api.pulumi.com/oidc": _PULUMI,
    "https://api.pulumi.com/oidc/v2": _PULUMI,
    "https://oidc.codefresh.io": SharedIssuer(
        called="Codefresh",
        source="codefresh.io/docs/docs/integrations/oidc-pipelines",
        begins=("account:",),
        owners=frozenset({"account_id", "pipeline_id"}),
    ),
    "https://identity.depot.dev": SharedIssuer(
        called="Depot", source="depot.dev/docs/ci/oidc", owners=frozenset({"org_id"}), branches=False
    ),
    "https://login.app.env0.com": SharedIssuer(
        called="env0", source="docs.envzero.com/guides/integrations/oidc-integrations", branches=False
    ),
    "https://scalr.io": SharedIssuer(called="Scalr", source="docs.scalr.io/docs/aws", branches=False),
}
# kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin: `system:serviceaccount:NAMESPACE:NAME`.
SERVICE_ACCOUNT = "system:serviceaccount:"


def shared_issuer(issuer: str) -> SharedIssuer | None:
    """Return what is known of an issuer that strangers share, None for any other."""
    return SHARED_ISSUERS.get(issuer.rstrip("/"))


def why_anybody(issuer: str, subject: str, claims: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """Say why a subject, with the claims that are asked for beside it, takes jobs of people whom nobody here knows, or ""."""
    if means_anything(subject.removeprefix(SERVICE_ACCOUNT)):
        every = (
            "ServiceAccount of the cluster" if subject.startswith(SERVICE_ACCOUNT) else "job of the issuer"
        )
        everybodys = f"{cut(subject)} takes every {every}"
    else:
        everybodys = ""
    shared = shared_issuer(issuer)
    if shared is None:
        return everybodys
    pinned = (claim in shared.owners and not any(map(is_pattern, patterns)) for claim, patterns in claims)
    if shared.names_owner(subject) or any(pinned):
        return ""
    write = f"write {' or '.join(f'{each}OWNER' for each in shared.begins)}… without a pattern in the owner"
    ask = f"ask for {' or '.join(sorted(shared.owners))} in claims"
    ways = [
        write if shared.begins else "write a whole subject, without a pattern",
        *([ask] if shared.owners else []),
    ]
    return f"{cut(subject)} takes jobs of anybody on {shared.called}: {', or '.join(ways)}"

"""Which jobs a rule of tokens takes that somebody may not have meant: doctor and `check --policy` tell it."""

from core.policy.claim_patterns import is_pattern, means_anything
from core.policy.oidc_rules import OidcRule
from core.policy.shared_issuers import SERVICE_ACCOUNT, SHARED_ISSUERS, shared_issuer

# Claims that say which of a repository's jobs it is, by the last part of their names.
_WHICH_JOBS = frozenset(
    {
        "ref",
        "ref_protected",
        "environment",
        "environment_protected",
        "job_workflow_ref",
        "build_branch",
        "vcs-ref",
        "terraform_run_phase",
    }
)
_WHICH_REPOSITORY = frozenset({"repository", "repository_id", "project_path", "project_id"})
# HCP Terraform plans for a pull request of anybody who may open one, and applies what was merged.
_PHASE = "run_phase"


def width(rule: OidcRule) -> str:
    """Say which jobs a rule takes that somebody may not have meant, or ""."""
    asked = {
        claim.rpartition("/")[2] for claim, patterns in rule.claims if not all(map(means_anything, patterns))
    }
    shared = shared_issuer(rule.issuer)
    for subject in rule.subjects:
        if subject.startswith(SERVICE_ACCOUNT):
            wide = _of_cluster(subject)
        elif shared is not None and not shared.branches:
            wide = _without_branches(subject, asked)
        else:
            wide = _of_repository(subject, asked)
        if wide:
            return f"`{subject}` takes {wide}"
    return ""


def _of_cluster(subject: str) -> str:
    namespace, _, name = subject.removeprefix(SERVICE_ACCOUNT).partition(":")
    if is_pattern(namespace):
        return "ServiceAccounts of more than one namespace, so who may make one of that name there is taken as well"
    return "more than one ServiceAccount: name the one that deploys" if is_pattern(name) else ""


def _without_branches(subject: str, asked: set[str]) -> str:
    if asked & _WHICH_JOBS:
        return ""
    parts = subject.split(":")
    if _PHASE in parts and parts[-1] != "apply":
        return "plans too, which a pull request starts: name run_phase:apply"
    return "more than one of its workloads: name one, or ask for its claims" if is_pattern(subject) else ""


def _of_repository(subject: str, asked: set[str]) -> str:
    begins = tuple(begin for each in SHARED_ISSUERS.values() for begin in each.begins if each.branches)
    start = next((each for each in begins if subject.startswith(each)), "")
    whose, _, which = subject.removeprefix(start).partition(":")
    if not asked & _WHICH_JOBS and _is_wide(which.split(":")):
        return "jobs of more than one branch, or of pull requests: name a ref or an environment"
    return "jobs of more than one repository" if is_pattern(whose) and not asked & _WHICH_REPOSITORY else ""


def _is_wide(parts: list[str]) -> bool:
    """Tell whether the rest of a subject leaves open which branch or environment it is."""
    named = parts[parts.index("ref") + 1 :][:1] if "ref" in parts else parts[-1:]
    return named in ([], [""], ["pull_request"]) or is_pattern(named[0])

"""What the policy says, and what it takes that it is carried out: pushes that are built, jobs of CI that are let in."""

from collections.abc import Collection, Mapping, Sequence

from bot.admin.doctor.check import ANEW, READ_AGAIN, HealthCheck, named
from bot.prefixes import typed
from core.policy.oidc_rules import KeySource


def judge_policy(
    path: str, problems: Sequence[str], *, open_to_all: bool, readable: bool = True
) -> HealthCheck:
    """Judge the policy file; "" is none.

    Args:
        path: of it.
        problems: what is wrong with it.
        open_to_all: everybody may do everything.
        readable: whether there is a file of text at all.
    """
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        mended = (
            f"`convox-bot check --policy {path}` names each line; mend it, then: {READ_AGAIN}"
            if readable
            else f"put the policy there, or set CONVOX_POLICY to where it is, {ANEW}; deploy/policy.yaml is one to begin with"
        )
        return HealthCheck(name="policy", problem=f"{problems[0]}{more}", remedy=mended)
    note = "CONVOX_OPEN=1: every full member of the workspace and every token may do everything"
    return HealthCheck(name="policy", note=note if open_to_all else "")


def judge_pushes(built: Collection[str], apps: Collection[str] | None, *, signed: bool) -> HealthCheck:
    """Judge whether pushes are built as the policy says.

    Args:
        built: the apps that its rules name.
        apps: those that there are, None where nobody knows.
        signed: whether a secret of webhooks is set.
    """
    if not signed:
        return HealthCheck(
            name="builds by push",
            problem="the policy has pushes built, and no webhook is taken, since no secret of one is set",
            remedy="set CONVOX_GITHUB_WEBHOOK_SECRETS or CONVOX_GITLAB_WEBHOOK_SECRETS to what the webhook there has "
            f"(docs/builds.md#by-push), {ANEW}",
        )
    missing = sorted(set(built) - set(apps)) if apps is not None else []
    if missing:
        return HealthCheck(
            name="builds by push",
            problem=f"builds: of the policy names what is no app: {named(missing)}",
            remedy=f"in the channel of each: `{typed(f'apps create {missing[0]}', 'slack')}`; or mend the rule, then: {READ_AGAIN}",
        )
    return HealthCheck(name="builds by push")


def judge_job_rule(name: str, width: str, *, given: bool) -> HealthCheck:
    """Judge a rule of tokens of CI.

    Args:
        name: of the rule.
        width: what it takes that somebody may not have meant, or "".
        given: whether its jobs may do anything.
    """
    if not given:
        return HealthCheck(
            name=f"oidc:{name}",
            problem="its jobs are let in and may nothing: no member of the policy is called so",
            remedy=f'add "oidc:{name}" to who: of a member in the policy file, then: {READ_AGAIN}',
        )
    return HealthCheck(name=f"oidc:{name}", note=width)


def judge_issuer(issuer: str, source: KeySource, error: str, keys: int) -> HealthCheck:
    """Judge whether an issuer of tokens of CI says its keys, and how many that can be used; `source`: who was asked for them."""
    name = f"issuer {issuer.removeprefix('https://')}"
    if not error and keys:
        return HealthCheck(name=name)
    remedies: Mapping[KeySource, str] = {
        "issuer": f"`curl -v {issuer.rstrip('/')}/.well-known/openid-configuration` from this machine has to end in JSON; a private CA is"
        " trusted by SSL_CERT_FILE; of the bot's own cluster, keys: cluster in the rule",
        "cluster": "`kubectl get --raw /.well-known/openid-configuration` says as which issuer this cluster signs; the bot may ask it by"
        " the ClusterRole system:service-account-issuer-discovery, which every ServiceAccount has unless somebody took it away",
    }
    return HealthCheck(
        name=name,
        problem=error or "it names no key that can be used, so no token of its jobs is taken",
        remedy=f"{remedies[source]}; if the issuer is another one, mend the rule, then: {READ_AGAIN}",
    )

"""What the cluster's answers mean: rights, routers and anchors."""

import re
from collections.abc import Mapping, Sequence
from shlex import quote

from bot.admin.doctor.check import ANEW, HealthCheck, named, one_line
from core.cluster.inspection import AccessRight
from core.records.app import DEFAULT_RACK, adopt_command, namespace_command

SERVICE_ACCOUNT = re.compile(r"system:serviceaccount:(?P<namespace>[a-z0-9-]+):(?P<name>[a-z0-9.-]+)")
DEFAULT_IDENTITY = "system:serviceaccount:convox-system:convox-bot"
# The role itself; each app's namespace binds it.
ROLE = "kubectl apply -f deploy/rbac.yaml"


def judge_cluster(error: str) -> HealthCheck:
    """Judge whether the API server answers."""
    if not error:
        return HealthCheck(name="cluster")
    return HealthCheck(
        name="cluster",
        problem=one_line(error),
        remedy="`kubectl --kubeconfig=$KUBECONFIG get --raw /version` from this machine has to answer; if that is another file, set "
        f"KUBECONFIG, {ANEW}. In a pod: deploy/network-policy.yaml has to name the API server's port",
    )


def bind_sentence(rack: str, app: str, identity: str) -> str:
    """Say what gives the bot an app's namespace and its rights there.

    Args:
        rack: of the bot.
        app: whose.
        identity: who the bot is to the cluster, "" where nobody knows.
    """
    account = SERVICE_ACCOUNT.fullmatch(identity)
    if not identity or identity == DEFAULT_IDENTITY:
        return f"`{namespace_command(rack, app)}`"
    if account:
        flags = f" --service-account {account['name']} --bot-namespace {account['namespace']}"
        return f"`{namespace_command(rack, app, flags)}`"
    # A person, or a certificate: app-manifest binds ServiceAccounts alone.
    bind = f"kubectl create rolebinding convox-bot-user -n {rack}-{app} --clusterrole=convox-bot-app --user={quote(identity)}"
    return f"`{namespace_command(rack, app)}`, then, since the bot is {identity} to the cluster: `{bind}`"


def judge_rights(
    rack: str,
    app: str,
    missing: Sequence[AccessRight],
    exists: bool | None,
    *,
    some: bool,
    identity: str = "",
) -> HealthCheck:
    """Judge what the bot may do in the namespace of an app.

    Args:
        rack: of the bot.
        app: whose.
        missing: what it may not and has to.
        exists: whether the namespace is there; None is that nobody may know.
        some: whether it may anything of what it has to. Then the role is bound, and lacks something, as after an upgrade.
        identity: see `bind_sentence`.
    """
    name, bind = f"rights in {rack}-{app}", bind_sentence(rack, app, identity)
    if exists is False:
        return HealthCheck(name=name, problem=f"there is no namespace {rack}-{app}", remedy=bind)
    if not missing:
        return HealthCheck(name=name)
    problem = f"the bot may not {named(list(map(str, missing)))}"
    if some:
        return HealthCheck(name=name, problem=problem, remedy=ROLE)
    return HealthCheck(name=name, problem=problem, remedy=f"{bind}; where that changes nothing: `{ROLE}`")


def judge_build_rights(rack: str, place: str, missing: Sequence[AccessRight]) -> HealthCheck:
    """Judge what the bot may do in the namespace of builds, `<rack>-<place>`."""
    name = f"rights in {rack}-{place}"
    if not missing:
        return HealthCheck(name=name)
    return HealthCheck(
        name=name,
        problem=f"the bot may not {named(list(map(str, missing)))}, so nothing is built",
        remedy=builds_command(f"{DEFAULT_RACK}-{place}", f"{rack}-{place}"),
    )


def builds_command(usual: str, namespace: str) -> str:
    """Return what an administrator runs: the file is of a rack of the usual name, and its ServiceAccount is called like the namespace."""
    if namespace == usual:
        return "kubectl apply -f deploy/builds.yaml"
    renamed = f"/kind: ServiceAccount/,/namespace:/!s/{usual}/{namespace}/;s/namespace: {usual}/namespace: {namespace}/"
    return f"sed '{renamed}' deploy/builds.yaml | kubectl apply -f -"


def judge_router(setting: str, parts: Mapping[str, bool | None]) -> HealthCheck:
    """Judge whether there is what the settings name as the router."""
    lacking = [name for name, there in parts.items() if there is False]
    unknown = [name for name, there in parts.items() if there is None]
    if lacking:
        looks = " and ".join(f"`kubectl get {name.split()[0].lower()} -A`" for name in lacking)
        return HealthCheck(
            name="router",
            problem=f"the cluster has no {' and no '.join(lacking)}, so nothing is reached from outside",
            remedy=f"install it, or set another one: CONVOX_ROUTER is {setting}, and {looks} lists what there is; then {ANEW}",
        )
    note = ""
    if unknown:
        looks = " and ".join(f"`{_get(name)}`" for name in unknown)
        note = f"the bot may not look at {', '.join(unknown)}: look yourself, {looks}"
    return HealthCheck(
        name="router", note=note or ("" if parts else "none: nobody outside reaches a service by a name")
    )


def _get(part: str) -> str:
    """Return the command that shows `IngressClass nginx` or `Gateway infra/front`."""
    kind, _, name = part.partition(" ")
    namespace, _, rest = name.partition("/")
    return f"kubectl get {kind.lower()} " + (f"{rest} -n {namespace}" if rest else name)


def judge_anchor(app: str, namespace: str, refused: str, owner: str) -> HealthCheck:
    """Judge whether the next promotion of an app may write.

    Args:
        app: its name.
        namespace: where it would.
        refused: why the anchor there would refuse it, "" where it would not.
        owner: the foreign installation that the namespace belongs to, "" where none.
    """
    name = f"anchor in {namespace}"
    return (
        HealthCheck(name=name, problem=refused, remedy=adopt_command(app, owner))
        if refused
        else HealthCheck(name=name)
    )

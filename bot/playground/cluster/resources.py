"""The kinds this API server knows, and how a path of a request names one of them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bot.playground.cluster.errors import no_such_path


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResource:
    """One kind of object.

    Attributes:
        group: API group, empty for the core.
        version: API version.
        plural: the word in the path.
        kind: the kind.
        namespaced: whether it lives in namespaces.
        subresources: those that have a path of their own.
        extension: not every cluster has it.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    extension: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> str:
        """Return resource and group as Kubernetes writes a GroupResource, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources


RESOURCES = (
    ApiResource(
        group="",
        version="v1",
        plural="namespaces",
        kind="Namespace",
        namespaced=False,
        subresources=("status",),
    ),
    ApiResource(
        group="", version="v1", plural="nodes", kind="Node", namespaced=False, subresources=("status",)
    ),
    ApiResource(group="", version="v1", plural="configmaps", kind="ConfigMap"),
    ApiResource(group="", version="v1", plural="secrets", kind="Secret"),
    ApiResource(group="", version="v1", plural="services", kind="Service", subresources=("status",)),
    ApiResource(group="", version="v1", plural="serviceaccounts", kind="ServiceAccount"),
    ApiResource(group="", version="v1", plural="pods", kind="Pod", subresources=("status", "log")),
    # Kept apart here: what is written by one group is read by that group alone.
    ApiResource(group="events.k8s.io", version="v1", plural="events", kind="Event"),
    ApiResource(group="", version="v1", plural="events", kind="Event"),
    ApiResource(
        group="", version="v1", plural="resourcequotas", kind="ResourceQuota", subresources=("status",)
    ),
    ApiResource(
        group="",
        version="v1",
        plural="persistentvolumeclaims",
        kind="PersistentVolumeClaim",
        subresources=("status",),
    ),
    ApiResource(
        group="apps",
        version="v1",
        plural="deployments",
        kind="Deployment",
        subresources=("status", "scale"),
    ),
    ApiResource(
        group="apps", version="v1", plural="replicasets", kind="ReplicaSet", subresources=("status", "scale")
    ),
    ApiResource(
        group="apps",
        version="v1",
        plural="statefulsets",
        kind="StatefulSet",
        subresources=("status", "scale"),
    ),
    ApiResource(group="apps", version="v1", plural="daemonsets", kind="DaemonSet", subresources=("status",)),
    ApiResource(group="apps", version="v1", plural="controllerrevisions", kind="ControllerRevision"),
    ApiResource(
        group="autoscaling",
        version="v2",
        plural="horizontalpodautoscalers",
        kind="HorizontalPodAutoscaler",
        subresources=("status",),
    ),
    ApiResource(group="batch", version="v1", plural="cronjobs", kind="CronJob", subresources=("status",)),
    ApiResource(group="batch", version="v1", plural="jobs", kind="Job", subresources=("status",)),
    ApiResource(
        group="networking.k8s.io", version="v1", plural="ingresses", kind="Ingress", subresources=("status",)
    ),
    ApiResource(
        group="gateway.networking.k8s.io",
        version="v1",
        plural="httproutes",
        kind="HTTPRoute",
        subresources=("status",),
        extension=True,
    ),
    ApiResource(group="coordination.k8s.io", version="v1", plural="leases", kind="Lease"),
    ApiResource(
        group="policy",
        version="v1",
        plural="poddisruptionbudgets",
        kind="PodDisruptionBudget",
        subresources=("status",),
    ),
    ApiResource(group="rbac.authorization.k8s.io", version="v1", plural="roles", kind="Role"),
    ApiResource(group="rbac.authorization.k8s.io", version="v1", plural="rolebindings", kind="RoleBinding"),
)
BY_PATH = {(each.group, each.version, each.plural): each for each in RESOURCES}
BY_KEY = {each.key: each for each in RESOURCES}
BY_KIND = {each.kind: each for each in RESOURCES}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTarget:
    """What a path points at: a kind, perhaps in a namespace, perhaps one object, perhaps a part of it."""

    resource: ApiResource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def parse_path(path: str, extensions: Collection[str] = ()) -> RequestTarget:
    """Read the path of a request for objects.

    Args:
        path: of the request.
        extensions: the groups that this cluster has beside those of every cluster.

    Raises:
        ApiError: 404, if this server knows no such path.
    """
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            raise no_such_path()
    namespace = ""
    # A namespace's own subresources are `namespaces/NAME/status`; anything else there is a kind inside it.
    if len(rest) >= 3 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    resource = BY_PATH.get((group, version, rest[0])) if rest else None
    if resource is not None and resource.extension and group not in extensions:
        resource = None
    if resource is None or len(rest) > 3 or (namespace and not resource.namespaced):
        raise no_such_path()
    name, subresource = (*rest[1:], "", "")[:2]
    if subresource and subresource not in resource.subresources:
        raise no_such_path()
    return RequestTarget(resource=resource, namespace=namespace, name=name, subresource=subresource)


def discovery(path: str, extensions: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the discovery document of that path, if it is one; `extensions` as for `parse_path`."""
    served = [each for each in RESOURCES if not each.extension or each.group in extensions]
    versions = {each.group: each.version for each in served if each.group} | {"authorization.k8s.io": "v1"}
    groups = [
        {
            "name": group,
            "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
            "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
        }
        for group, version in sorted(versions.items())
    ]
    fixed: dict[str, dict[str, Any]] = {
        "/version": {
            "major": "1",
            "minor": "37",
            "gitVersion": "v1.37.2",
            "platform": "linux/amd64",
            "goVersion": "go1.25.4",
        },
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": groups,
        },
        **{f"/apis/{each['name']}": {"kind": "APIGroup", "apiVersion": "v1", **each} for each in groups},
    }
    for group, version in {"": "v1", **versions}.items():
        base = f"/apis/{group}/{version}" if group else f"/api/{version}"
        fixed[base] = {
            "kind": "APIResourceList",
            "groupVersion": f"{group}/{version}" if group else version,
            "resources": [
                {
                    "name": each.plural,
                    "singularName": each.kind.lower(),
                    "namespaced": each.namespaced,
                    "kind": each.kind,
                    "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
                }
                for each in RESOURCES
                if each.group == group
            ],
        }
    return fixed.get(path.rstrip("/"))

"""Where the API server keeps each kind: without this table every request would begin with discovery."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the API server's paths spell it; the core group is the empty string."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    @property
    def root(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


RESOURCES: Mapping[str, Resource] = MappingProxyType(
    {
        "Namespace": Resource("", "v1", "namespaces", namespaced=False),
        "ConfigMap": Resource("", "v1", "configmaps"),
        "Secret": Resource("", "v1", "secrets"),
        "Service": Resource("", "v1", "services"),
        "ServiceAccount": Resource("", "v1", "serviceaccounts"),
        "Pod": Resource("", "v1", "pods"),
        "Event": Resource("", "v1", "events"),
        "Deployment": Resource("apps", "v1", "deployments"),
        "ReplicaSet": Resource("apps", "v1", "replicasets"),
        "RoleBinding": Resource("rbac.authorization.k8s.io", "v1", "rolebindings"),
        "SelfSubjectAccessReview": Resource(
            "authorization.k8s.io", "v1", "selfsubjectaccessreviews", namespaced=False
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Names an object, a subresource or a whole collection.

    Attributes:
        name: empty for a collection.
        rack, app: whose namespace it is, so that a refusal can say what an administrator has to apply.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rack: str = ""
    app: str = ""

    @property
    def path(self) -> str:
        """The path of the request; raises KeyError for a kind that is not in `RESOURCES`."""
        resource = RESOURCES[self.kind]
        parts = [resource.root]
        if resource.namespaced:
            parts += ["namespaces", quote(self.namespace, safe="")]
        parts.append(resource.plural)
        parts += [quote(part, safe="") for part in (self.name, self.subresource) if part]
        return "/".join(parts)

    @property
    def resource(self) -> str:
        """The resource as a Role spells it, such as `deployments/scale`."""
        plural = RESOURCES[self.kind].plural
        return f"{plural}/{self.subresource}" if self.subresource else plural

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else self.resource

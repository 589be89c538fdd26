"""The bot's rights in a namespace that it has made itself."""

from core.cluster.kinds.kind import Kind, Resource

ROLE_BINDING = Kind(
    name="RoleBinding",
    resource=Resource("rbac.authorization.k8s.io", "v1", "rolebindings"),
    rights={},
    provisioning=frozenset({"create"}),
)

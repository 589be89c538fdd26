"""The place of an app: read before every rollout, made by an administrator, or by the bot where it may."""

from core.cluster.kinds.kind import GET, Kind, Resource

NAMESPACE = Kind(
    name="Namespace",
    resource=Resource("", "v1", "namespaces", namespaced=False),
    rights={"": GET},
    provisioning=GET | {"create"},
)

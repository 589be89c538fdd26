"""Claims of volumes: known by the events about them only, which say why a pod has to wait for its volume."""

from core.cluster.kinds.kind import Kind, Resource

VOLUME_CLAIM = Kind(
    name="PersistentVolumeClaim",
    resource=Resource("", "v1", "persistentvolumeclaims"),
    rights={},
)

"""What a Deployment makes its pods through: one replica set a pod template."""

from core.cluster.kinds.kind import LOOK, Follow, Kind, Resource

REPLICA_SET = Kind(
    name="ReplicaSet",
    resource=Resource("apps", "v1", "replicasets"),
    rights={"": LOOK},
    follow=Follow(judged=True, fresh=True, selected=True),
)

"""What runs in the end, and whose log proves what went wrong."""

from core.cluster.kinds.kind import GET, LOOK, Follow, Kind, Resource

POD = Kind(
    name="Pod",
    resource=Resource("", "v1", "pods"),
    rights={"": LOOK, "log": GET},
    follow=Follow(judged=True, fresh=True, selected=True),
)

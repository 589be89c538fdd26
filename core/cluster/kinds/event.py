"""What the kubelet and the controllers tell: for lines only, no verdict rests on one."""

from core.cluster.kinds.kind import LOOK, Follow, Kind, Resource

EVENT = Kind(
    name="Event",
    resource=Resource("", "v1", "events"),
    rights={"": LOOK},
    follow=Follow(judged=False, fresh=False, selected=False),
)

"""Events as the bot writes them: the same objects as those it reads, in the group that they moved to.

The name is the one by which kubectl tells two kinds of one name apart.
"""

from core.cluster.kinds.kind import Kind, Resource

RECORDED_EVENT = Kind(
    name="Event.events.k8s.io",
    resource=Resource("events.k8s.io", "v1", "events"),
    rights={"": frozenset({"create"})},
)

"""The anchor: the one ConfigMap a namespace, by which a bot knows that it is its own (engine rule 14)."""

from core.cluster.kinds.kind import APPLY, Kind, Resource
from core.records.bundle import Ref

CONFIG_MAP = Kind(name="ConfigMap", resource=Resource("", "v1", "configmaps"), rights={"": APPLY})

# Another name would orphan the anchors of live clusters.
ANCHOR = Ref(CONFIG_MAP.name, "convox-bot-anchor")

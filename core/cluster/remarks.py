"""What is worth a sentence though no verdict waits for it: an autoscaler that cannot scale."""

from core.cluster.api.client import KubeClient
from core.cluster.documents import Document, condition
from core.cluster.fencing import AppNamespace
from core.cluster.kinds.horizontal_pod_autoscaler import HORIZONTAL_POD_AUTOSCALER
from core.cluster.kinds.kind import Resource
from core.records.bundle import Bundle

# Where the load of pods is asked for; metrics-server is what usually answers.
METRICS = Resource("metrics.k8s.io", "v1beta1", "pods")
# What a controller says that has nothing to do: its workload has no pods.
RESTING = "ScalingDisabled"


async def remarks(client: KubeClient, ns: AppNamespace, bundle: Bundle) -> tuple[str, ...]:
    """Return a sentence for each autoscaler of the bundle that does not scale.

    Raises:
        Rejected, Unreachable: one of them cannot be read.
    """
    refs = [ref for ref in bundle.refs if ref.kind == HORIZONTAL_POD_AUTOSCALER.name]
    if not refs:
        return ()
    measured = await client.serves(METRICS)
    found = [(ref.name, await client.get(ns.at(ref.kind, ref.name))) for ref in refs]
    said = [scaling_remark(name, live, measured=measured) for name, live in found if live is not None]
    return tuple(each for each in said if each)


def scaling_remark(service: str, live: Document, *, measured: bool) -> str:
    """Say why a service is not scaled by its load, or "".

    Args:
        service: its name.
        live: its autoscaler; one that was just made says nothing of itself for 15 s.
        measured: the cluster serves the load of pods at all.
    """
    active = condition(live, "ScalingActive")
    if active.get("status") == "False" and active.get("reason") != RESTING and measured:
        return f"{service} is not scaled by its load: {active.get('message') or active.get('reason')}"
    if not measured:
        return (
            f"{service} is not scaled by its load: this cluster does not measure it ({METRICS.group} is not served; metrics-server"
            " does that)"
        )
    return ""

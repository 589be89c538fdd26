"""What becomes of every key that Convox knows in a convox.yml: run, noted to be without effect, or refused.

A key is refused if leaving it out would change what runs, what is stored, or who can reach it; a silent
half of a manifest is worse than none. A key may be without effect if all it does is dress up traffic that
convox-bot does not route (it makes no ingress) or serve another command. docs/compatibility.md lists both.
"""

from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

TOP_SUPPORTED = ("configs", "environment", "labels", "resources", "services", "timers")
_NO_ROUTER = "this rack has no router"
_FOREIGN = "it is of Compose or of an older Convox, and Convox 3 ignores it too"
# Accepted, and noted with the reason why nothing comes of it.
TOP_IGNORED = {
    "appSettings": "it sets how long a cloud keeps logs",
    "version": _FOREIGN,
    "workflows": "the Console runs workflows, and they are set up there",
}
TOP_UNSUPPORTED = {
    "balancers": "load balancers",
    "budget": "spending caps",
    "params": "parameters of the app",
}

SERVICE_SUPPORTED = (
    "agent",
    "annotations",
    "build",
    "command",
    "configMounts",
    "deployment",
    "dnsConfig",
    "environment",
    "grpcHealthEnabled",
    "health",
    "image",
    "imagePullSecrets",
    "init",
    "initContainer",
    "internal",
    "labels",
    "lifecycle",
    "liveness",
    "nodeAffinityLabels",
    "nodeSelectorLabels",
    "port",
    "ports",
    "privileged",
    "resources",
    "scale",
    "securityContext",
    "singleton",
    "startupProbe",
    "termination",
    "volumeOptions",
    "volumes",
)
SERVICE_IGNORED = {
    "certificate": _NO_ROUTER,
    "domain": _NO_ROUTER,
    "drain": "termination.grace says how long a process has to stop",
    "ingressAnnotations": _NO_ROUTER,
    "internalRouter": _NO_ROUTER,
    "sticky": _NO_ROUTER,
    "test": "it is what `convox test` runs",
    "timeout": _NO_ROUTER,
    "tls": _NO_ROUTER,
    **dict.fromkeys(
        (
            *("container_name", "cpu_shares", "depends_on", "expose", "links", "logging"),
            *("mem_limit", "mem_reservation", "restart"),
        ),
        _FOREIGN,
    ),
}
BUILD_IGNORED = {"context": f"{_FOREIGN}; `path` names the folder"}
SERVICE_UNSUPPORTED = {
    "accessControl": "access control at the ingress",
    "disableHostUsers": "user namespaces",
    "nlb": "network load balancers",
    "whitelist": "address lists at the ingress",
}
SCALE_SUPPORTED = ("autoscale", "count", "cpu", "gpu", "limit", "max", "memory", "min", "targets")
SCALE_UNSUPPORTED = {
    "keda": "autoscaling by KEDA; `targets` scales by cpu and memory",
    "vpa": "vertical autoscaling",
}
# Convox's two spellings of each.
AUTOSCALE_IGNORED = {
    **dict.fromkeys(
        ("cooldownPeriod", "cooldown_period"), "it matters only to a service that is scaled to nothing"
    ),
    **dict.fromkeys(("pollingInterval", "polling_interval"), "Kubernetes looks every 15 s"),
}
AUTOSCALE_UNSUPPORTED = {
    "custom": "autoscaling by metrics of your own",
    **dict.fromkeys(("gpuUtilization", "gpu_utilization"), "autoscaling by the load of a GPU"),
    **dict.fromkeys(("queueDepth", "queue_depth"), "autoscaling by the length of a queue"),
}
TARGETS_IGNORED = dict.fromkeys(("custom", "requests"), "Convox 3 ignores it too")
TARGETS_UNSUPPORTED = {"external": "autoscaling by metrics from outside of the cluster"}

# Labels that select pods and tell what they are; Convox's list and ours.
RESERVED_LABELS = frozenset(
    {"system", "rack", "app", "name", "service", "release", "type", "app.kubernetes.io/managed-by"}
)
# On Convox these give a service's own service account a cloud identity; on a pod they would do nothing at all.
SERVICE_ACCOUNT_ANNOTATIONS = frozenset({"eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account"})


def is_switched_off(node: Node) -> bool:
    """Whether a key that would be refused is switched off: `agent: false`, `resources: []`, `nlb:`."""
    match node:
        case ScalarNode():
            return node.null or (node.plain and node.text.lower() in {"false", "no", "off"})
        case SequenceNode():
            return not node.items
        case MappingNode():
            return not node.entries


def refusal(entry: MappingEntry, what: str, names: str) -> str:
    """Say that this version does not run a key."""
    return f'"{entry.key.text}" of {what}: this version does not run {names}'


def note(entry: MappingEntry, what: str, why: str) -> str:
    """Say that nothing comes of a key, and why."""
    return f"{entry.key.text} of {what} is without effect: {why}"

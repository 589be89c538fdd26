"""What becomes of every key that Convox knows in a convox.yml: run, accepted without effect, or refused.

A key is refused if leaving it out would change what runs, what is stored, or who can reach it; a silent
half of a manifest is worse than none. A key may be without effect if all it does is dress up traffic that
convox-bot does not route (it makes no ingress) or serve another command. docs/compatibility.md lists both.
"""

from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

TOP_SUPPORTED = ("environment", "labels", "services")
# Log retention of a cloud; nothing of the rollout depends on it.
TOP_IGNORED = ("appSettings",)
TOP_UNSUPPORTED = {
    "balancers": "load balancers",
    "budget": "spending caps",
    "configs": "configuration files",
    "params": "parameters of the app",
    "resources": "databases and other resources",
    "timers": "timers",
}

SERVICE_SUPPORTED = (
    "annotations",
    "build",
    "command",
    "deployment",
    "environment",
    "health",
    "image",
    "init",
    "internal",
    "labels",
    "liveness",
    "port",
    "ports",
    "scale",
    "startupProbe",
    "termination",
)
SERVICE_IGNORED = (
    "certificate",
    "domain",
    "drain",  # deprecated in Convox for termination.grace
    "ingressAnnotations",
    "internalRouter",
    "sticky",
    "test",
    "timeout",
    "tls",
)
SERVICE_UNSUPPORTED = {
    "accessControl": "access control at the ingress",
    "agent": "agents (one process a node)",
    "configMounts": "configuration files",
    "disableHostUsers": "user namespaces",
    "dnsConfig": "DNS settings",
    "grpcHealthEnabled": "gRPC health checks",
    "imagePullSecrets": "pull secrets of its own",
    "initContainer": "init containers",
    "lifecycle": "lifecycle hooks",
    "nlb": "network load balancers",
    "nodeAffinityLabels": "node affinity",
    "nodeSelectorLabels": "node selectors",
    "privileged": "privileged containers",
    "resources": "databases and other resources",
    "securityContext": "a security context of its own",
    "singleton": "singletons (never two processes at once)",
    "volumeOptions": "volumes",
    "volumes": "volumes",
    "whitelist": "address lists at the ingress",
}
SCALE_SUPPORTED = ("count", "cpu", "limit", "max", "memory", "min")
SCALE_UNSUPPORTED = {
    "autoscale": "autoscaling",
    "gpu": "GPUs",
    "keda": "autoscaling",
    "targets": "autoscaling",
    "vpa": "autoscaling",
}

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

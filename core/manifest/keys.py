"""What becomes of every key that Convox knows in a convox.yml: run, noted to be without effect, or refused.

A key is refused if leaving it out would change what runs, what is stored, or who can reach it; a silent
half of a manifest is worse than none. A key may be without effect if all it does is serve another command. What comes of
the keys of a route depends on the rack's router (`core/cluster/rendering/routes.py`). docs/compatibility.md lists them all.
"""

from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

TOP_SUPPORTED = ("balancers", "configs", "environment", "labels", "resources", "services", "timers")
_FOREIGN = "it is of Compose or of an older Convox, and Convox 3 ignores it too"
# Accepted, and noted with the reason why nothing comes of it.
TOP_IGNORED = {
    "appSettings": "it sets how long a cloud keeps logs",
    **dict.fromkeys(("name", "networks", "secrets", "version"), _FOREIGN),
    "volumes": f"{_FOREIGN}; each service names its own",
    "workflows": "the Console runs workflows, and they are set up there",
}
TOP_UNSUPPORTED = {
    "budget": "spending caps",
    "params": "parameters of the app",
}

SERVICE_SUPPORTED = (
    "agent",
    "annotations",
    "build",
    "certificate",
    "command",
    "configMounts",
    "deployment",
    "dnsConfig",
    "domain",
    "environment",
    "grpcHealthEnabled",
    "health",
    "image",
    "imagePullSecrets",
    "ingressAnnotations",
    "init",
    "initContainer",
    "internal",
    "internalRouter",
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
    "sticky",
    "termination",
    "timeout",
    "tls",
    "volumeOptions",
    "volumes",
    "whitelist",
)
SERVICE_IGNORED = {
    "drain": "termination.grace says how long a process has to stop",
    "test": "it is what `convox test` runs",
    **dict.fromkeys(
        (
            *("container_name", "cpu_shares", "depends_on", "develop", "devices", "domainname", "expose"),
            *("extends", "external_links", "extra_hosts", "hostname", "ipc", "links", "logging"),
            *("mac_address", "mem_limit", "mem_reservation", "memswap_limit", "network_mode", "networks"),
            *("pid", "pids_limit", "platform", "profiles", "pull_policy", "restart", "runtime", "shm_size"),
            *("stdin_open", "stop_signal", "sysctls", "tmpfs", "tty", "ulimits", "volumes_from"),
            "working_dir",
        ),
        _FOREIGN,
    ),
    **{
        key: f"{_FOREIGN}; {instead}"
        for key, instead in {
            "cap_add": "`securityContext.capabilities` adds some",
            "cap_drop": "`securityContext.capabilities` drops some",
            "configs": "`configMounts` mounts files",
            "cpus": "`scale.limit.cpu` is the most that it gets",
            "deploy": "`scale` says how many and how large",
            "dns": "`dnsConfig` says how names are looked up",
            "dns_search": "`dnsConfig` says how names are looked up",
            "dockerfile": "`build.manifest` names it",
            "entrypoint": "`command` gives the image's own its arguments",
            "env_file": "`environment` declares variables",
            "healthcheck": "`health` and `liveness` ask it",
            "policies": "the annotation eks.amazonaws.com/role-arn gives it a role",
            "read_only": "`securityContext.readOnlyRootFilesystem` does that",
            "secrets": "`env set` keeps them",
            "security_opt": "`securityContext` does that",
            "stop_grace_period": "`termination.grace` says how long a process has to stop",
            "user": "`securityContext.runAsUser` says who it is",
        }.items()
    },
}
BUILD_IGNORED = {
    **dict.fromkeys(
        (
            *("additional_contexts", "cache_from", "cache_to", "extra_hosts", "labels", "network"),
            *("no_cache", "platforms", "pull", "secrets", "shm_size", "ssh", "tags"),
        ),
        _FOREIGN,
    ),
    "context": f"{_FOREIGN}; `path` names the folder",
    "dockerfile": f"{_FOREIGN}; `manifest` names it",
    "target": f"{_FOREIGN}; the last stage is built",
}
SERVICE_UNSUPPORTED = {
    "accessControl": "IAM policies of pods; give the service a role by the annotation eks.amazonaws.com/role-arn",
    "disableHostUsers": "user namespaces",
    "nlb": "network load balancers of a service; name one under balancers:",
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
# Annotations that give the service account of a service a cloud identity; on a pod alone they would do nothing at all.
SERVICE_ACCOUNT_PREFIXES = ("azure.workload.identity/", "eks.amazonaws.com/", "iam.gke.io/")


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

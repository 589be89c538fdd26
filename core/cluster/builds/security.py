"""How BuildKit is kept from the node it runs on: as an ordinary user that makes namespaces, or as root of namespaces that Kubernetes makes.

Both end where nobody on the node is root. The second takes nothing setuid and no kernel that lets ordinary users make
namespaces, but nodes that have user namespaces for pods (Kubernetes 1.33 on, Linux 6.3, containerd 2.0 or CRI-O 1.25).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSecurity:
    """What differs between the two in a pod.

    Attributes:
        home: of whoever runs BuildKit; its logins lie there.
        state: where BuildKit keeps layers.
        environment: of the container.
        pod: fields of the pod.
        security: `securityContext` of the container that builds.
        check: what that container does first, in a shell.
    """

    home: str
    state: str
    environment: Mapping[str, str] = field(default_factory=dict)
    pod: Mapping[str, Any] = field(default_factory=dict)
    security: Mapping[str, Any]
    check: str = ""


ROOTLESS = BuildSecurity(
    home="/home/user",
    state="/home/user/.local/share/buildkit",
    # Without it the daemon would need a /proc of its own, which no pod without privileges can mount.
    environment={"BUILDKITD_FLAGS": "--oci-worker-no-process-sandbox"},
    # newuidmap is setuid, and RootlessKit unshares: both are what these three lines allow.
    security={
        "allowPrivilegeEscalation": True,
        "seccompProfile": {"type": "Unconfined"},
        "appArmorProfile": {"type": "Unconfined"},
    },
)
# As BuildKit's own examples/kubernetes/job.userns.yaml: root, and privileged, in a namespace where neither is so on the node.
USER_NAMESPACE = BuildSecurity(
    home="/root",
    state="/var/lib/buildkit",
    pod={"hostUsers": False},
    security={"privileged": True, "runAsNonRoot": False, "runAsUser": 0, "runAsGroup": 0},
    # An API server without the feature drops `hostUsers`, and an old kubelet does not look at it: then this is root of the node,
    # and must end before anything of a stranger runs. Where there is no namespace, root is the node's own (user_namespaces(7)).
    check="""\
read -r inside outside count </proc/self/uid_map
if test "$outside" = 0; then
  echo "error: this node has no user namespaces for pods, which CONVOX_BUILD_USER_NAMESPACES takes: nothing was run"
  exit 1
fi
""",
)


def build_security(*, user_namespaces: bool) -> BuildSecurity:
    return USER_NAMESPACE if user_namespaces else ROOTLESS

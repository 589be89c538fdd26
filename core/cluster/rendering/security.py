"""What the processes of a service may do on their node; nothing that a manifest does not ask for (engine rule 23)."""

from typing import Any

from core.manifest.service import Service

Json = dict[str, Any]


def pod_security(service: Service) -> Json:
    """Return the security context of the pod."""
    asked = service.security
    context: Json = {"seccompProfile": {"type": asked.seccomp}}
    return context | ({"fsGroup": asked.fs_group} if asked.fs_group is not None else {})


def container_security(service: Service) -> Json:
    """Return that of a container; one that is privileged may do anything, and Kubernetes takes no "but" with that."""
    asked = service.security
    capabilities = {key: list(names) for key, names in (("add", asked.add), ("drop", asked.drop)) if names}
    given = {
        "runAsUser": asked.run_as_user,
        "runAsGroup": asked.run_as_group,
        "runAsNonRoot": asked.non_root,
        "readOnlyRootFilesystem": asked.read_only_root,
        "capabilities": capabilities or None,
        "privileged": True if service.privileged else None,
    }
    known = {key: value for key, value in given.items() if value is not None}
    return {"allowPrivilegeEscalation": asked.escalation or service.privileged, **known}

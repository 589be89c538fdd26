"""What a service asks of its nodes, and whether the policy lets it have that."""

from collections.abc import Iterable

from core.errors import Invalid
from core.manifest.service import Service
from core.policy.rules import Rules


def check_power(services: Iterable[Service], rules: Rules) -> None:
    """Raise Invalid where a service asks for power over its nodes that the policy does not give, with the line to add.

    Who goes back is asked too: what an administrator has forbidden stays so.
    """
    asked = tuple(services)
    found = [] if rules.privileged else [_privileged(each) for each in asked]
    found += [] if rules.host_paths else [_host_paths(each) for each in asked]
    if wrong := [sentence for sentence in found if sentence]:
        missing = [
            f"`{key}: true`"
            for key, given in (("privileged", rules.privileged), ("host_paths", rules.host_paths))
            if not given and any(key in sentence for sentence in wrong)
        ]
        raise Invalid(
            "\n".join(wrong),
            hint=f"let an administrator add {' and '.join(missing)} to the app under apps: in the policy file",
        )


def _privileged(service: Service) -> str:
    if service.privileged:
        return f"service {service.name} is privileged, which the policy does not allow (privileged: false)"
    if service.security.powerful:
        return (
            f"securityContext of service {service.name} asks for power over its node, which the policy does not allow"
            " (privileged: false)"
        )
    return ""


def _host_paths(service: Service) -> str:
    if not service.host_paths:
        return ""
    paths = ", ".join(service.host_paths)
    return f"service {service.name} mounts {paths} of its node, which the policy does not allow (host_paths: false)"

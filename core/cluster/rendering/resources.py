"""What a resource is as a container, and the variables by which services find it; both as in Convox.

What is rendered has no release in it and depends on the resource alone, so that it changes only with its own definition.
"""

import base64
from collections.abc import Mapping
from typing import Any

from core.cluster.labels import APP_REGISTRIES, CONTAINER, resource_labels
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.registries import needs_login
from core.manifest.resources import AppResource, ResourceLink, variable_of
from core.manifest.service import Service
from core.records.environment import Environment

Json = dict[str, Any]
# A database writes what it holds in memory before it goes.
TERMINATION_GRACE = 60
PASSWORD = "password"  # noqa: S105 — a key of a Secret
VOLUME = "data"


def resource_template(resource: AppResource, given: RenderInput) -> Json:
    """Return the template of the pod of a resource."""
    spec: Json = {
        "serviceAccountName": "default",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": TERMINATION_GRACE,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(resource)],
    }
    # Only where its own image needs one: whatever changes here starts a database anew.
    if needs_login(resource.image, given.login_hosts):
        spec["imagePullSecrets"] = [{"name": APP_REGISTRIES}]
    if resource.storage is not None:
        spec["volumes"] = [
            {"name": VOLUME, "persistentVolumeClaim": {"claimName": resource.object_name}},
        ]
    return {"metadata": {"labels": resource_labels(given.rack, given.app, resource)}, "spec": spec}


def _container(resource: AppResource) -> Json:
    kind = resource.kind
    container: Json = {
        "name": CONTAINER,
        "image": resource.image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "main", "containerPort": kind.port, "protocol": "TCP"}],
        # No liveness check: a database that recovers what it holds must not be killed for taking its time.
        "readinessProbe": {
            "tcpSocket": {"port": kind.port},
            "initialDelaySeconds": 1,
            "periodSeconds": 3,
            "timeoutSeconds": 2,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "resources": _amounts(resource),
        "securityContext": {"allowPrivilegeEscalation": False},
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    variables: list[Json] = [{"name": key, "value": value} for key, value in kind.settings]
    if kind.password:
        secret = {"secretKeyRef": {"name": resource.object_name, "key": PASSWORD}}
        variables.append({"name": kind.password, "valueFrom": secret})
    if variables:
        container["env"] = variables
    if resource.storage is not None:
        mount: Json = {"name": VOLUME, "mountPath": kind.folder}
        container["volumeMounts"] = [mount | ({"subPath": kind.sub_path} if kind.sub_path else {})]
    return container


def _amounts(resource: AppResource) -> Json:
    given = {"cpu": f"{resource.cpu}m" if resource.cpu else "", "memory": f"{resource.memory}Mi"}
    amounts = {key: value for key, value in given.items() if value and value != "0Mi"}
    return {"requests": amounts, "limits": amounts} if amounts else {}


def credentials(resource: AppResource, given: RenderInput) -> Json:
    """Return the data of the Secret of a resource, "" of those that take no password."""
    if not resource.kind.password:
        return {}
    return {PASSWORD: base64.b64encode(given.passwords[resource.name].encode()).decode()}


def resource_variables(service: Service, given: RenderInput) -> dict[str, str]:
    """Return the variables of every resource that a service links to.

    Those of one that is not made are the release's own; under another name its URL is repeated.
    """
    resources = {each.name: each for each in given.manifest.resources}
    found: dict[str, str] = {}
    for link in service.links:
        found |= _of_link(link, resources[link.resource], given)
    return found


def _of_link(link: ResourceLink, resource: AppResource, given: RenderInput) -> dict[str, str]:
    if resource.overlaid:
        url = _value(given.release.environment, variable_of(resource.name))
        return {link.variable: url} if link.variable else {}
    parts = _parts(resource, given.passwords, given.namespace)
    if link.variable:
        return {link.variable: parts["URL"]}
    return {variable_of(resource.name, part): value for part, value in parts.items()}


def _value(environment: Environment, key: str) -> str:
    return dict(environment.pairs).get(key, "").strip()


def _parts(resource: AppResource, passwords: Mapping[str, str], namespace: str) -> dict[str, str]:
    kind = resource.kind
    host = f"{resource.object_name}.{namespace}.svc.cluster.local"
    password = passwords[resource.name] if kind.password else ""
    who = f"{kind.user}:{password}@" if kind.user else ""
    where = f"/{kind.database}{kind.query}" if kind.database else ""
    return {
        "URL": f"{kind.scheme}://{who}{host}:{kind.port}{where}",
        "USER": kind.user,
        "PASS": password,
        "HOST": host,
        "PORT": str(kind.port),
        "NAME": kind.database,
    }

"""A release as Kubernetes objects: rendered once, stored, and applied as they are, now and at every way back.

`RENDER_VERSION` grows with every change of what is rendered; a stored bundle is never rendered anew (rule 16).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from core.cluster.labels import RELEASE_LABEL, namespace_name, own_labels, secret_name, selector
from core.cluster.rendering.environment import secret_data, variables
from core.cluster.rendering.probes import settle
from core.cluster.rendering.workload import deployment, port_name
from core.errors import Invalid
from core.manifest.manifest import Manifest
from core.manifest.service import Service
from core.policy.policy import Rules
from core.records.app import App
from core.records.build import Build
from core.records.bundle import Bundle, BundleService
from core.records.release import Release

RENDER_VERSION = 1

Json = dict[str, Any]


def render(
    release: Release, build: Build, manifest: Manifest, app: App, rules: Rules, *, rack: str
) -> Bundle:
    """Render a release; the same arguments always give the same bundle.

    Order: Secrets, Services, workloads (engine rule 25), each by name.

    Raises:
        Invalid: the build has no image for a service, or no process could be started with its environment.
    """
    services = sorted(manifest.services, key=lambda service: service.name)
    images = _images(build, services)
    place: Json = {"rack": rack, "namespace": namespace_name(rack, app.name)}
    objects = (
        *(_secret(release, build, service, app, **place) for service in services),
        *(_service(service, app, **place) for service in services if service.port or service.ports),
        *(deployment(release, service, images[service.name], app, rules, **place) for service in services),
    )
    told = tuple(
        BundleService(name=service.name, count=service.scale.count, settle=settle(service, rules))
        for service in services
    )
    return Bundle(
        release=release.id,
        app=app.name,
        objects=objects,
        services=told,
        digest=digest(objects, told),
        render_version=RENDER_VERSION,
    )


def _images(build: Build, services: Iterable[Service]) -> dict[str, str]:
    """Return the image of every service; what was registered wins over what the manifest names."""
    found = {service.name: build.images.get(service.name) or service.image for service in services}
    if missing := [name for name, image in found.items() if not image]:
        raise Invalid(f"build {build.id} has no image for {', '.join(missing)}", hint="register a new build")
    return {name: image for name, image in found.items() if image}


def _secret(release: Release, build: Build, service: Service, app: App, *, rack: str, namespace: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret_name(service.name, release.id),
            "namespace": namespace,
            "labels": {**own_labels(rack, app, service, kind="env"), RELEASE_LABEL: release.id},
        },
        "type": "Opaque",
        "immutable": True,
        "data": secret_data(variables(release, build, service, app, rack=rack), service.name),
    }


def _service(service: Service, app: App, *, rack: str, namespace: str) -> Json:
    """Render the ClusterIP; it has no release in it, so that a promotion leaves it alone."""
    main = [{"name": "main", "port": service.port.number, "targetPort": "main"}] if service.port else []
    extra = [
        {"name": port_name(p.number, p.protocol), "port": p.number, "targetPort": p.number}
        | {"protocol": p.protocol.upper()}
        for p in service.ports
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": service.name,
            "namespace": namespace,
            "labels": own_labels(rack, app, service),
        },
        "spec": {
            "type": "ClusterIP",
            "selector": selector(rack, app, service),
            "ports": [{"protocol": "TCP", **port} for port in (*main, *extra)],
        },
    }


def canonical(value: Any) -> str:
    """Return JSON with one spelling: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(objects: Iterable[Mapping[str, Any]], services: Iterable[BundleService]) -> str:
    """Return the SHA-256 of a bundle's canonical JSON; never shown as it is (engine rule 18)."""
    told = [[service.name, service.count, service.settle] for service in services]
    return hashlib.sha256(canonical([list(objects), told]).encode()).hexdigest()

"""A release as Kubernetes objects: rendered once, stored, and applied as they are, now and at every way back.

`RENDER_VERSION` grows with every change of what is rendered; a stored bundle is never rendered anew (rule 16).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.cluster.kinds import MANAGED, WORKLOADS, workload_of
from core.cluster.kinds.horizontal_pod_autoscaler import HORIZONTAL_POD_AUTOSCALER
from core.cluster.kinds.kind import ManagedKind
from core.cluster.kinds.stateful_set import STATEFUL_SET
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.routes import route_notes
from core.errors import Invalid
from core.lifecycle.patience import (
    RESOURCE_PATIENCE,
    SETTLE_LEAST,
    SOAK_LEAST,
    check_times,
    patience,
    settle,
    soak,
)
from core.lifecycle.power import check_power
from core.manifest.convox_yml import Manifest
from core.manifest.resources import AppResource
from core.manifest.service import Service
from core.policy.authorization import Rules
from core.records.app import App
from core.records.build import Build
from core.records.bundle import Bundle, BundleService, Ref
from core.records.release import Release
from core.records.router import NO_ROUTER, Router

RENDER_VERSION = 4


def render_bundle(
    release: Release,
    build: Build,
    manifest: Manifest,
    app: App,
    rules: Rules,
    passwords: Mapping[str, str],
    *,
    rack: str,
    login_hosts: Collection[str] = (),
    router: Router = NO_ROUTER,
) -> Bundle:
    """Render a release; the same arguments always give the same bundle.

    Order: that of the kinds (engine rule 25), each by name.

    Raises:
        Invalid: the build has no image for a service, no process could be started with its environment, the policy
            leaves no time for a start that its checks allow, or the router cannot keep out who should stay out.
    """
    route_notes(manifest, router)
    services = tuple(sorted(manifest.services, key=lambda service: service.name))
    check_power(services, rules)
    images = _images(build, services)
    if release.copy_of is None:
        # Whoever goes back is not kept from it by a policy that has changed since.
        check_times(services, rules)
    given = RenderInput(
        rack=rack,
        app=app,
        release=release,
        build=build,
        rules=rules,
        manifest=manifest,
        services=services,
        images=images,
        passwords=passwords,
        login_hosts=frozenset(login_hosts),
        router=router,
    )
    objects = tuple(rendered for kind in MANAGED.values() for rendered in kind.render(_input_of(kind, given)))
    bundle_services = tuple(
        BundleService(
            name=service.name,
            workload=Ref(workload_of(service).name, service.name),
            count=service.scale.count,
            settle=settle(service, rules),
            soak=soak(service, rules),
            patience=patience(service, rules),
            autoscaler=_autoscaler(service),
            recreates=service.recreates,
        )
        for service in services
    ) + tuple(_of_resource(resource) for resource in manifest.made)
    return Bundle(
        release=release.id,
        app=app.name,
        objects=objects,
        services=bundle_services,
        digest=digest(objects, bundle_services),
        render_version=RENDER_VERSION,
    )


def _of_resource(resource: AppResource) -> BundleService:
    """Return what the verdict must know of a resource: it is waited for as a service is, and a first start takes its time."""
    return BundleService(
        name=resource.object_name,
        workload=Ref(STATEFUL_SET.name, resource.object_name),
        count=1,
        settle=SETTLE_LEAST,
        soak=SOAK_LEAST,
        patience=RESOURCE_PATIENCE,
        resource=resource.name,
    )


def _input_of(kind: ManagedKind, given: RenderInput) -> RenderInput:
    """Return what a kind is rendered from: of the workloads only the one that runs a service renders it."""
    if kind.name not in WORKLOADS:
        return given
    return replace(given, services=tuple(s for s in given.services if workload_of(s) is kind))


def _autoscaler(service: Service) -> Ref | None:
    return Ref(HORIZONTAL_POD_AUTOSCALER.name, service.name) if service.scale.autoscaler else None


def _images(build: Build, services: Iterable[Service]) -> dict[str, str]:
    """Return the image of every service; what was registered wins over what the manifest names."""
    found = {service.name: build.images.get(service.name) or service.image for service in services}
    if missing := [name for name, image in found.items() if not image]:
        raise Invalid(f"build {build.id} has no image for {', '.join(missing)}", hint="register a new build")
    return {name: image for name, image in found.items() if image}


def canonical(value: Any) -> str:
    """Return JSON with one spelling: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(objects: Iterable[Mapping[str, Any]], services: Iterable[BundleService]) -> str:
    """Return the SHA-256 of a bundle's canonical JSON; never shown as it is (engine rule 18)."""
    service_values = [
        [s.name, s.count, s.settle, s.soak, s.patience, s.autoscaler is not None, s.recreates]
        for s in services
    ]
    return hashlib.sha256(canonical([list(objects), service_values]).encode()).hexdigest()

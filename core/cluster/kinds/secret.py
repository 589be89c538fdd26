"""The environment of a service: one immutable Secret a service and release, so that old pods never read new values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from core.cluster.documents import Document
from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource
from core.cluster.labels import (
    APP_REGISTRIES,
    RELEASE_LABEL,
    config_labels,
    config_name,
    namespace_name,
    own_labels,
    registries_labels,
    registry_secret_name,
    resource_labels,
    secret_name,
)
from core.cluster.rendering.environment import secret_data, variables
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.registries import TYPE, logins_data, registry_data
from core.cluster.rendering.resources import credentials
from core.cluster.rendering.volumes import config_data
from core.records.app import App
from core.records.bundle import Bundle
from core.records.registry_account import RegistryAccount
from core.records.traits import Traits


def render(given: RenderInput) -> Iterator[Json]:
    """Yield the Secrets of the app's logins, of each service, of each file of the manifest, and of each resource that has a password.

    Raises:
        Invalid: no process could be started with an environment.
    """
    if given.login_hosts:
        yield app_registries(given.rack, given.app, ())
    for service in given.services:
        yield _secret(
            secret_name(service.name, given.release.id),
            own_labels(given.rack, given.app, service, type_="env"),
            secret_data(variables(service, given), service.name),
            given,
        )
        if service.registries:
            yield _secret(
                registry_secret_name(service.name, given.release.id),
                own_labels(given.rack, given.app, service, type_="registry"),
                registry_data(service, given.release.environment),
                given,
                kind=TYPE,
            )
    for config in sorted(given.manifest.configs, key=lambda each: each.id):
        name = config_name(config.id, given.release.id)
        yield _secret(name, config_labels(given.rack, given.app), config_data(config), given)
    for resource in given.manifest.made:
        if data := credentials(resource, given):
            labels = resource_labels(given.rack, given.app, resource)
            metadata = {"name": resource.object_name, "namespace": given.namespace, "labels": labels}
            yield {
                "apiVersion": "v1",
                "kind": SECRET.name,
                "metadata": metadata,
                "type": "Opaque",
                "data": data,
            }


def app_registries(rack: str, app: App, logins: Iterable[RegistryAccount]) -> Json:
    """Return the Secret of the app's own logins.

    A bundle holds it without any, so that no password is approved, stored or gone back to with a release: what it
    says is filled in whenever it is sent (`filled`).
    """
    return {
        "apiVersion": "v1",
        "kind": SECRET.name,
        "metadata": {
            "name": APP_REGISTRIES,
            "namespace": namespace_name(rack, app.name),
            "labels": registries_labels(rack, app),
        },
        "type": TYPE,
        "data": logins_data(logins),
    }


def filled(bundle: Bundle, rack: str, app: App, logins: Iterable[RegistryAccount]) -> Bundle:
    """Return a bundle as it is sent: where it holds the app's logins, with those of now."""
    secret = app_registries(rack, app, logins)
    objects = tuple(secret if _is_app_registries(each) else each for each in bundle.objects)
    return replace(bundle, objects=objects)


def _is_app_registries(document: Mapping[str, Any]) -> bool:
    return bool(document["kind"] == SECRET.name and document["metadata"]["name"] == APP_REGISTRIES)


def _secret(
    name: str,
    labels: Mapping[str, str],
    data: Mapping[str, str],
    given: RenderInput,
    kind: str = "Opaque",
) -> Json:
    """Return a Secret of this release alone: nothing ever changes it."""
    return {
        "apiVersion": "v1",
        "kind": SECRET.name,
        "metadata": {
            "name": name,
            "namespace": given.namespace,
            "labels": {**labels, RELEASE_LABEL: given.release.id},
        },
        "type": kind,
        "immutable": True,
        "data": dict(data),
    }


def brief(wanted: Document, bundle: Bundle) -> str:
    """Return how many variables it has; that of a resource holds its password alone, and is of no release."""
    of_release = wanted["metadata"]["name"].endswith(f"-{bundle.release.lower()}")
    return f" ({len(wanted['data'])} variables)" if of_release else ""


SECRET = ManagedKind(
    name="Secret",
    resource=Resource("", "v1", "secrets"),
    rights={"": MANAGE},
    # Kept: an old replica set, even one at 0, may still refer to it.
    traits=Traits(counted=False, pruned=False, removed=True, after_verdict=False),
    render=render,
    brief=brief,
)

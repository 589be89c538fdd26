"""What the objects of a release are rendered from: without it every kind would take eight arguments."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.cluster.labels import namespace_name
from core.manifest.convox_yml import Manifest
from core.manifest.service import Service
from core.policy.authorization import Rules
from core.records.app import App
from core.records.build import Build
from core.records.release import Release
from core.records.router import NO_ROUTER, Router


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderInput:
    """One release of an app on a rack.

    Attributes:
        manifest: the whole file, for what belongs to no service or names one.
        services: those that a kind is rendered for, by name: all of them, for a workload kind those that run as it.
        images: service → image; every service has one.
        passwords: resource → the password that was generated for it.
        login_hosts: registries at which the app has a login.
        router: how the rack's services are reached from outside.
    """

    rack: str
    app: App
    release: Release
    build: Build
    rules: Rules
    manifest: Manifest
    services: tuple[Service, ...]
    images: Mapping[str, str]
    passwords: Mapping[str, str]
    login_hosts: frozenset[str] = frozenset()
    router: Router = NO_ROUTER

    @property
    def namespace(self) -> str:
        return namespace_name(self.rack, self.app.name)

"""Kubernetes as the core needs it: the port `Cluster`, put together from its parts."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from core.clock import Clock
from core.cluster import baseline
from core.cluster.anchor import Anchors
from core.cluster.annotating import annotated
from core.cluster.api.client import KubeClient
from core.cluster.bundling import render_bundle
from core.cluster.evidence import evidence
from core.cluster.fencing import AppNamespace
from core.cluster.kinds import MANAGED, PRUNED
from core.cluster.kinds.config_map import ANCHOR
from core.cluster.kinds.secret import SECRET, app_registries, filled
from core.cluster.labels import APP_REGISTRIES
from core.cluster.logs import read_logs
from core.cluster.object_applier import ObjectApplier
from core.cluster.object_lines import object_lines
from core.cluster.processes import read_processes, read_timers
from core.cluster.provisioning import NamespaceProvisioner
from core.cluster.recording import record_event
from core.cluster.remarks import remarks
from core.cluster.rendering.routes import route_notes
from core.cluster.routes import addresses, read_routes
from core.cluster.watching.reflector import ReflectorOptions
from core.cluster.watching.watch import NamespaceWatch, watching
from core.cluster.writer import ObjectWriter
from core.manifest.convox_yml import Manifest
from core.manifest.timers import Timer
from core.policy.authorization import Rules
from core.records.anchor import AuditHead
from core.records.app import App
from core.records.app_parts import TimerStatus
from core.records.build import Build
from core.records.bundle import Bundle, Ref
from core.records.change_cause import ChangeCause
from core.records.claim import Claim
from core.records.cluster_event import ClusterEvent
from core.records.intent import Applied, Intent
from core.records.observation import Diagnosis
from core.records.process import AppProcesses
from core.records.process_log import LogRequest, ProcessLog
from core.records.registry_account import RegistryAccount
from core.records.release import Release
from core.records.route_state import RouteState
from core.records.router import NO_ROUTER, Router
from core.records.traits import Traits
from core.redaction import Redactor


class KubernetesCluster:
    """Implements `core.ports.cluster.Cluster`, which says what each method is for and what it raises.

    Args:
        client: the cluster.
        rack: first part of every namespace's name.
        router: how the rack's services are reached from outside.
        clock: for pauses and for lines to which the cluster gives no time.
        tuning: of the watches.
    """

    anchor = ANCHOR
    pruned_kinds = PRUNED

    def __init__(
        self,
        client: KubeClient,
        *,
        rack: str,
        router: Router = NO_ROUTER,
        clock: Clock,
        tuning: ReflectorOptions | None = None,
    ) -> None:
        self._client = client
        self.rack = rack
        self._router = router
        self._clock = clock
        self._tuning = tuning
        self._anchors = Anchors(client)
        self._applier = ObjectApplier(client)
        self._writer = ObjectWriter(client)
        self._namespaces = NamespaceProvisioner(client)

    def render(
        self,
        release: Release,
        build: Build,
        manifest: Manifest,
        app: App,
        rules: Rules,
        passwords: Mapping[str, str],
        login_hosts: Collection[str] = (),
    ) -> Bundle:
        return render_bundle(
            release,
            build,
            manifest,
            app,
            rules,
            passwords,
            rack=self.rack,
            login_hosts=login_hosts,
            router=self._router,
        )

    def with_logins(self, bundle: Bundle, app: App, logins: Sequence[RegistryAccount]) -> Bundle:
        return filled(bundle, self.rack, app, logins)

    def annotated(self, bundle: Bundle, cause: ChangeCause | None) -> Bundle:
        return annotated(bundle, cause)

    def notes(self, manifest: Manifest) -> tuple[str, ...]:
        return (*manifest.notes, *route_notes(manifest, self._router))

    def object_lines(self, bundle: Bundle) -> tuple[str, ...]:
        return object_lines(bundle)

    def traits(self, ref: Ref) -> Traits:
        return MANAGED[ref.kind].traits

    async def reach(self) -> None:
        """Ask the API server what everybody may ask; raises as every method does where it cannot be asked."""
        await self._namespaces.may_list()

    async def time(self) -> datetime | None:
        """Return what time it is by the API server's clock, None where it does not say; raises as every method does."""
        return await self._client.time()

    async def ready(self) -> bool | None:
        return await self._client.ready()

    async def create_namespace(self, app: str) -> str | None:
        return await self._namespaces.create(self._ns(app))

    async def read_baseline(self, app: str, refs: Sequence[Ref]) -> Intent:
        return await baseline.read_baseline(self._client, self._ns(app), refs)

    async def check_anchor(self, app: App, claim: Claim) -> None:
        await self._anchors.check(self._ns(app.name), app, claim)

    async def claim_anchor(self, app: App, claim: Claim) -> Applied:
        return await self._anchors.claim(self._ns(app.name), app, claim)

    async def audit_head(self, app: str, claim: Claim) -> AuditHead | None:
        return await self._anchors.head(self._ns(app), claim)

    async def keep_audit_head(self, app: App, claim: Claim, head: AuditHead) -> None:
        await self._anchors.keep_head(self._ns(app.name), app, claim, head)

    async def preflight(self, app: str, bundle: Bundle, *, token: int, force: bool) -> None:
        await self._applier.preflight(self._ns(app), bundle, token=token, force=force)

    async def apply(self, app: str, bundle: Bundle, ref: Ref, *, token: int, force: bool) -> Applied:
        return await self._applier.apply(self._ns(app), bundle, ref, token=token, force=force)

    async def renew_logins(self, app: App, logins: Sequence[RegistryAccount], *, token: int) -> None:
        ns, ref = self._ns(app.name), Ref(SECRET.name, APP_REGISTRIES)
        if await self._client.get(ns.at(ref.kind, ref.name)) is None:
            return
        alone = (app_registries(self.rack, app, logins),)
        part = Bundle(release="", app=app.name, objects=alone, services=(), digest="")
        await self._applier.apply(ns, annotated(part, None), ref, token=token, force=True)

    async def scale(self, app: str, ref: Ref, replicas: int, *, token: int) -> Applied:
        return await self._writer.scale(self._ns(app), ref, replicas, token=token)

    async def restart(self, app: str, ref: Ref, at: str, *, token: int) -> Applied:
        return await self._writer.restart(self._ns(app), ref, at, token=token)

    async def delete(self, app: str, ref: Ref, *, uid: str, token: int) -> None:
        await self._writer.delete(self._ns(app), ref, uid=uid, token=token)

    async def suspend(self, app: str, ref: Ref, *, uid: str, token: int) -> bool:
        return await self._writer.suspend(self._ns(app), ref, uid=uid, token=token)

    def watch(
        self, app: str, intent: Intent, redact: Redactor
    ) -> AbstractAsyncContextManager[NamespaceWatch]:
        return watching(
            NamespaceWatch(
                self._client,
                self._ns(app),
                intent,
                redact=redact,
                clock=self._clock,
                tuning=self._tuning,
            )
        )

    async def processes(self, app: str) -> AppProcesses:
        return await read_processes(self._client, self._ns(app))

    async def timers(self, app: str, timers: Sequence[Timer]) -> Mapping[str, TimerStatus]:
        return await read_timers(self._client, self._ns(app), timers)

    async def logs(self, app: str, request: LogRequest, redact: Redactor) -> ProcessLog:
        return await read_logs(self._client, self._ns(app), request, redact)

    async def evidence(self, app: str, diagnosis: Diagnosis, redact: Redactor) -> str:
        return await evidence(self._client, self._ns(app), diagnosis, redact)

    async def remarks(self, app: str, bundle: Bundle) -> tuple[str, ...]:
        return await remarks(self._client, self._ns(app), bundle)

    async def record_event(self, app: str, event: ClusterEvent) -> None:
        await record_event(self._client, self._ns(app), event)

    def addresses(self, bundle: Bundle) -> tuple[str, ...]:
        return addresses(bundle)

    async def read_routes(self, app: str, bundle: Bundle) -> tuple[RouteState, ...]:
        return await read_routes(self._client, self._ns(app), bundle)

    def _ns(self, app: str) -> AppNamespace:
        return AppNamespace(self.rack, app)

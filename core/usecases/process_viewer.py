"""What people may see of what runs: processes and services, as the cluster has them at this moment."""

import asyncio
import shlex
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches

from core.actor import Caller
from core.errors import Conflict, NotFound, Rejected, Unavailable, Unreachable
from core.lifecycle.access import Access
from core.lifecycle.redacting import redactor_of_releases
from core.lifecycle.retention import line_not_kept
from core.manifest.convox_yml import Manifest, parse_manifest
from core.manifest.service import Service
from core.manifest.timers import Timer
from core.ports.cluster import Cluster
from core.ports.outbox import Card
from core.ports.store import Store, StoreReader
from core.records.app_parts import ResourceStatus, TimerStatus
from core.records.bundle import Bundle
from core.records.line import Line
from core.records.process import AppProcesses, Process, ProcessStatus
from core.records.process_log import LogRequest, ProcessLog
from core.records.release import Release
from core.redaction import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProcesses:
    """A service of the active release, and what runs of it.

    Attributes:
        desired: processes that its workload asks for; None where the cluster has no such workload.
        running: those of them that run.
        domain: names under which the rack's router has it, "" where none leads to it.
    """

    service: Service
    desired: int | None
    running: int
    domain: str = ""

    @property
    def ports(self) -> tuple[int, ...]:
        """The numbers of its ports, the main one first."""
        main = (self.service.port.number,) if self.service.port else ()
        return (*main, *(port.number for port in self.service.ports))

    @property
    def most(self) -> int:
        """How many processes its manifest allows."""
        scale = self.service.scale
        return scale.autoscaler.most if scale.autoscaler else scale.count


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerState:
    """A timer of a manifest, and what it does in the cluster.

    Attributes:
        command: as it may be shown.
        status: None where the cluster has no such timer.
    """

    timer: Timer
    command: str
    status: TimerStatus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """A resource of a manifest, and whether it runs."""

    name: str
    type: str
    status: ResourceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLog:
    """The last lines of an app's processes.

    Attributes:
        card: of the app's newest promotion, in whose thread they may be shown; None where there is none.
    """

    log: ProcessLog
    card: Card | None


class ProcessViewer:
    """Shows what runs to whoever may see it; no value of an environment is in it (promise 7)."""

    def __init__(self, store: Store, cluster: Cluster, access: Access) -> None:
        self._store = store
        self._cluster = cluster
        self._access = access

    async def processes(self, caller: Caller, app: str, service: str | None) -> Sequence[Process]:
        """Return the processes of an app, or of one service of it.

        Raises:
            NotFound: there is no such service, neither in the active release nor among what runs.
            Unavailable: the cluster cannot be asked now; Conflict: it refuses to tell.
        """
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        active = (await read.app(app)).active_release
        found = (await self._look(app)).processes
        if service is not None:
            await self._check(service, app, active, found)
            found = tuple(p for p in found if p.service == service)
        redact = await redactor_of_processes(read, app, found, active)
        return [replace(p, command=redact(p.command)) if p.command else p for p in found]

    async def services(
        self, caller: Caller, app: str, service: str | None = None
    ) -> Sequence[ServiceProcesses]:
        """Return the services of the active release by name, or one of them; none before the first. Raises as `processes`."""
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        active = (await read.app(app)).active_release
        if active is None:
            if service is not None:
                check_service(service, (), app)
            return ()
        release, bundle = await read.release(app, active), await read.bundle(active)
        assert bundle is not None, "it is stored with the request"
        manifest = await self._manifest(app, release)
        if service is not None:
            check_service(service, {s.name for s in manifest.services}, app)
        seen, workloads = await self._look(app), {s.name: s.workload for s in bundle.services}
        domains = await self._domains(app, bundle)
        return [
            ServiceProcesses(
                service=each,
                domain=domains.get(each.name, ""),
                desired=seen.counts.get(workloads[each.name]),
                running=sum(
                    p.type == "service" and p.service == each.name and p.status is ProcessStatus.RUNNING
                    for p in seen.processes
                ),
            )
            for each in sorted(manifest.services, key=lambda s: s.name)
            if service in {None, each.name}
        ]

    async def _domains(self, app: str, bundle: Bundle) -> dict[str, str]:
        """Return service → names under which a router has it; none where that cannot be told: a list does not wait for it."""
        with suppress(Rejected, Unreachable):
            found = await self._cluster.read_routes(app, bundle)
            return {route.ref.name: " ".join(route.addresses) for route in found}
        return {}

    async def timers(self, caller: Caller, app: str) -> Sequence[TimerState]:
        """Return the timers of the active release by name, or of the newest before there is one; raises as `processes`."""
        await self._access.require(caller.actor, "view", app)
        release, manifest = await self._shown(app)
        if release is None or not manifest.timers:
            return ()
        with told_of_cluster():
            found = await self._cluster.timers(app, manifest.timers)
        redact = await redactor_of_releases(self._store.read, app, [release])
        return [
            TimerState(timer=timer, command=redact(shlex.join(timer.command)), status=found.get(timer.name))
            for timer in sorted(manifest.timers, key=lambda each: each.name)
        ]

    async def resources(self, caller: Caller, app: str) -> Sequence[ResourceState]:
        """Return the resources of the active release by name, or of the newest before there is one; raises as `processes`."""
        await self._access.require(caller.actor, "view", app)
        _, manifest = await self._shown(app)
        if not manifest.resources:
            return ()
        ready = (await self._look(app)).resources
        return [
            ResourceState(
                name=each.name,
                type=each.type,
                status="external" if each.overlaid else "running" if each.name in ready else "pending",
            )
            for each in sorted(manifest.resources, key=lambda each: each.name)
        ]

    async def _shown(self, app: str) -> tuple[str | None, Manifest]:
        """Return the release whose manifest is looked at: the active one, else the newest; None where it has no manifest."""
        read = self._store.read
        chosen = (await read.app(app)).active_release
        if chosen is None:
            newest = next(iter(await read.release_entries(app, 1)), None)
            chosen = newest.id if newest and newest.build else None
        if chosen is None:
            return None, Manifest()
        return chosen, await self._manifest(app, await read.release(app, chosen))

    async def _manifest(self, app: str, release: Release) -> Manifest:
        assert release.build is not None, "without one it has no manifest"
        build = await self._store.read.build(app, release.build)
        return await asyncio.to_thread(
            parse_manifest, build.manifest, release.environment, complete=False, stored=True
        )

    async def logs(self, caller: Caller, app: str, asked: LogRequest) -> AppLog:
        """Return the last lines of an app's processes, or of one service's.

        Raises:
            NotFound: there is no such service, neither in the active release nor among what runs.
            Unavailable, Conflict: as `processes`.
        """
        await self._access.require(caller.actor, "logs", app)
        read = self._store.read
        active = (await read.app(app)).active_release
        running = (await self._look(app)).processes
        if asked.service is not None:
            await self._check(asked.service, app, active, running)
        redact = await redactor_of_processes(read, app, running, active)
        with told_of_cluster():
            log = await self._cluster.logs(app, asked, redact)
        newest = next(iter(await read.promotions(app, 1)), None)
        card = await read.card(newest.id) if newest else None
        return AppLog(log=log, card=card)

    async def failure_logs(self, caller: Caller, app: str, promotion_id: str) -> Line | None:
        """Return what the pods wrote that made a promotion fail, as it was stored then; None where nothing was.

        Raises:
            NotFound: there is no such promotion of this app.
        """
        await self._access.require(caller.actor, "logs", app)
        read = self._store.read
        found = await read.promotion(promotion_id)
        if found.app != app:
            raise NotFound(f"no such promotion: {promotion_id}")
        if (stored := await read.evidence(promotion_id)) is not None:
            return stored
        if await read.promotion_aged(promotion_id, "evidence"):
            return line_not_kept("logs", found.requested_at, self._access.policy.retention.evidence)
        return None

    async def _check(self, service: str, app: str, active: str | None, running: Sequence[Process]) -> None:
        """Raise NotFound for a service that is neither in the active release nor among what runs."""
        bundle = await self._store.read.bundle(active) if active else None
        names = {s.name for s in bundle.services if not s.resource} if bundle else set()
        check_service(service, names | {p.service for p in running}, app)

    async def _look(self, app: str) -> AppProcesses:
        with told_of_cluster():
            return await self._cluster.processes(app)


@contextmanager
def told_of_cluster() -> Generator[None]:
    """Tell whoever asked what keeps the cluster from answering: Unavailable where that may pass, Conflict where it does not."""
    try:
        yield
    except Unreachable as error:
        raise Unavailable(
            f"the cluster cannot be asked now: {error}", hint="try again in a minute"
        ) from error
    except Rejected as error:
        raise Conflict(f"the cluster does not tell: {error}") from error


def check_service(name: str, known: Collection[str], app: str) -> None:
    """Raise NotFound for a service that an app has not, with the one that was probably meant and with those it has."""
    if name in known:
        return
    close = get_close_matches(name, known, 1)
    meant = f"did you mean {close[0]}? " if close else ""
    has = (
        f"{app} has {', '.join(sorted(known))}"
        if known
        else f"{app} has no service yet: promote a release first"
    )
    raise NotFound(f"no such service: {name[:63]}", hint=meant + has)


async def redactor_of_processes(
    read: StoreReader, app: str, processes: Sequence[Process], active: str | None
) -> Redactor:
    """Return what knows the values of every release that these processes were made for, and of the active one."""
    wanted = {p.release for p in processes if p.release} | ({active} if active else set())
    known = []
    for release in sorted(wanted):
        try:
            known.append((await read.release_entry(app, release)).id)
        except NotFound:
            # A label that somebody else has written: there is no release whose values could be in it.
            continue
    return await redactor_of_releases(read, app, known)

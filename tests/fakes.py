"""Stand-ins for what the core sees through its ports; everything else in the tests is the real thing."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.cluster.anchor import anchor_of, objection
from core.cluster.annotating import annotated
from core.cluster.bundling import render_bundle
from core.cluster.kinds import MANAGED, PRUNED
from core.cluster.kinds.config_map import ANCHOR
from core.cluster.kinds.secret import filled
from core.cluster.object_lines import object_lines
from core.cluster.rendering.routes import route_notes
from core.cluster.routes import addresses
from core.errors import Rejected, Unreachable
from core.manifest.convox_yml import Manifest
from core.manifest.timers import Timer
from core.policy.authorization import Rules
from core.ports.outbox import Card
from core.ports.people import Person
from core.records.anchor import AuditHead
from core.records.app import App
from core.records.app_parts import TimerStatus
from core.records.build import Build
from core.records.bundle import Bundle, Ref
from core.records.change_cause import ChangeCause
from core.records.claim import Claim
from core.records.cluster_event import ClusterEvent
from core.records.desired_state import DesiredState
from core.records.intent import Applied, BaselineObject, Intent
from core.records.observation import (
    Diagnosis,
    DiagnosisKind,
    Observation,
    PodMilestone,
    PodObservation,
    Readiness,
    ServiceState,
)
from core.records.process import AppProcesses, Process, ProcessStatus
from core.records.process_log import LogRequest, ProcessLine, ProcessLog
from core.records.registry_account import RegistryAccount
from core.records.release import Release
from core.records.route_state import RouteState
from core.records.router import NO_ROUTER
from core.records.traits import Traits
from core.redaction import Redactor

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
NO_SECRETS = Redactor([])


class JumpingClock:
    """Time that stands still until somebody sleeps, and then jumps: waiting costs a test nothing."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def jump(self, seconds: float) -> None:
        self._passed += seconds

    async def sleep(self, seconds: float) -> None:
        self._passed += max(0.0, seconds)
        await asyncio.sleep(0)


def service(
    name: str = "web",
    *,
    started: int = 2,
    ready: int | None = None,
    restarts: Mapping[str, int] | None = None,
    milestone: PodMilestone = PodMilestone.STARTED,
    **changes: Any,
) -> ServiceState:
    """A service of two pods that is complete.

    Args:
        name: of the service; its pods are `<name>-1`, `<name>-2` …
        started: pods that exist; `ready`: how many of them, the first ones, are ready; None for all.
        restarts: pod → restarts, which names the pods that exist.
        step: how far those are that are not ready.
        **changes: other fields.
    """
    counts = (
        dict.fromkeys((f"{name}-{n}" for n in range(1, started + 1)), 0) if restarts is None else restarts
    )
    ready = len(counts) if ready is None else ready
    pods = tuple(
        PodObservation(
            uid=uid,
            milestone=PodMilestone.READY if number < ready else milestone,
            running=number < ready or milestone >= PodMilestone.STARTED,
            ready=number < ready,
            restarts=count,
        )
        for number, (uid, count) in enumerate(counts.items())
    )
    good = ServiceState(
        name=name, readiness=Readiness.READY, sentence="2 of 2 new pods are ready", desired=2, pods=pods
    )
    return replace(good, **changes)


def progressing(name: str = "web", ready: int = 0, **changes: Any) -> ServiceState:
    return service(
        name,
        readiness=Readiness.PROGRESSING,
        sentence=f"{ready} of 2 new pods are ready",
        ready=ready,
        **changes,
    )


def named(state: ServiceState, name: str) -> ServiceState:
    """Return the same state of another service; no two services share a pod."""
    pods = tuple(replace(pod, uid=f"{name}{pod.uid[len(state.name) :]}") for pod in state.pods)
    return replace(state, name=name, pods=pods)


MISSING_IMAGE = Diagnosis(
    kind=DiagnosisKind.IMAGE,
    sentence="image registry.example/web:nope does not exist",
    pod="web-2",
    pod_uid="web-2",
    permanent=True,
    everywhere=True,
)


def broken(name: str = "web", diagnosis: Diagnosis = MISSING_IMAGE) -> ServiceState:
    return progressing(name, diagnoses=(diagnosis,))


Behaviour = Callable[[float], ServiceState]


@dataclass
class FakeCluster:
    """A namespace in which releases behave as the test says; every request is remembered.

    Attributes:
        behaves: release id → function of the seconds since it was aimed at; others become ready after 2 s.
        requests: what was asked for, in order: `apply Deployment/web R…`, `remove …`, `scale …`.
        live: ref → release whose bundle it was last applied from.
        head_error: raised where the head of the audit is to be kept.
        refuse: called with each request, `watch` among them; may raise Rejected or Unreachable.
        serves: what the API server says of itself.
        after_verdict: further kinds that are applied once the rest is verified.
        remarked: what there is to remark.
        suspensions: ref → how often it was suspended; `runs_on`: after how many of them it is at rest, 1 at the least.
        command: arguments of every process.
    """

    clock: JumpingClock
    rack: str = "convox"
    anchor: Ref = ANCHOR
    pruned_kinds: frozenset[str] = PRUNED
    behaves: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    live: dict[Ref, str] = field(default_factory=dict)
    replicas: dict[str, int] = field(default_factory=dict)
    uids: dict[Ref, str] = field(default_factory=dict)
    restarted: dict[Ref, str] = field(default_factory=dict)
    made: int = 0
    refuse: Callable[[str], None] = lambda _request: None
    head_error: Exception | None = None
    synced: bool = True
    serves: bool | None = True
    after_verdict: frozenset[str] = frozenset()
    remarked: tuple[str, ...] = ()
    suspensions: dict[Ref, int] = field(default_factory=dict)
    runs_on: dict[Ref, int] = field(default_factory=dict)
    anchors: dict[str, dict[str, str]] = field(default_factory=dict)
    command: str = ""
    routes: tuple[RouteState, ...] = ()
    look_at_routes: Callable[[], tuple[RouteState, ...]] | None = None
    log: str = "KeyError: 'DATABASE_URL'"
    events: dict[str, ClusterEvent] = field(default_factory=dict)

    def _ask(self, request: str) -> None:
        self.refuse(request)
        self.requests.append(request)

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
            release, build, manifest, app, rules, passwords, rack=self.rack, login_hosts=login_hosts
        )

    def with_logins(self, bundle: Bundle, app: App, logins: Sequence[RegistryAccount]) -> Bundle:
        return filled(bundle, self.rack, app, logins)

    def annotated(self, bundle: Bundle, cause: ChangeCause | None) -> Bundle:
        return annotated(bundle, cause)

    async def record_event(self, app: str, event: ClusterEvent) -> None:
        self._ask(f"record event {event.name}")
        self.events.setdefault(event.name, event)

    async def renew_logins(self, app: App, logins: Sequence[RegistryAccount], *, token: int) -> None:
        self._ask(f"renew logins {' '.join(f'{each.host}={each.secret}' for each in logins)}".strip())

    def notes(self, manifest: Manifest) -> tuple[str, ...]:
        return (*manifest.notes, *route_notes(manifest, NO_ROUTER))

    def object_lines(self, bundle: Bundle) -> tuple[str, ...]:
        return object_lines(bundle)

    def traits(self, ref: Ref) -> Traits:
        known = MANAGED[ref.kind].traits
        return replace(known, after_verdict=True) if ref.kind in self.after_verdict else known

    async def ready(self) -> bool | None:
        return self.serves

    async def create_namespace(self, app: str) -> str | None:
        return None

    async def read_baseline(self, app: str, refs: Sequence[Ref]) -> Intent:
        self._ask("look")
        return Intent(
            namespace_uid="namespace-1",
            objects=tuple(
                BaselineObject(
                    ref=ref,
                    existed=ref in self.live,
                    uid=self.uids[ref] if ref in self.live else "",
                    replicas=self.replicas.get(ref.name)
                    if self.traits(ref).counted and ref in self.live
                    else None,
                    restarted=self.restarted.get(ref, ""),
                )
                for ref in refs
            ),
        )

    def _object(self, app: App, claim: Claim) -> None:
        data = self.anchors.get(app.name, {})
        if reason := objection(f"{self.rack}-{app.name}", data, "namespace-1", app, claim):
            raise Rejected(reason)

    async def check_anchor(self, app: App, claim: Claim) -> None:
        self._ask("check anchor")
        self._object(app, claim)

    async def claim_anchor(self, app: App, claim: Claim) -> Applied:
        self._ask("claim anchor")
        self._object(app, claim)
        self.anchors[app.name] = {
            **self.anchors.get(app.name, {}),
            "installation": claim.installation,
            "token": str(claim.token),
            "promotion": claim.promotion,
        }
        return Applied(ref=self.anchor, uid="anchor", generation=0)

    async def audit_head(self, app: str, claim: Claim) -> AuditHead | None:
        if self.head_error is not None:
            raise self.head_error
        return anchor_of({"data": self.anchors.get(app, {})}).head_of(claim.installation)

    async def keep_audit_head(self, app: App, claim: Claim, head: AuditHead) -> None:
        # Asked beside everything else, at a moment of its own: it is none of the requests of a rollout.
        if self.head_error is not None:
            raise self.head_error
        self._object(app, claim)
        if (anchor := self.anchors.get(app.name)) and anchor.get("settled") != claim.promotion:
            anchor |= {
                "settled": claim.promotion,
                "audit-rows": str(head.rows),
                "audit-head": head.hash,
            }

    async def preflight(self, app: str, bundle: Bundle, *, token: int, force: bool) -> None:
        self._ask(f"preflight {bundle.release}{' forced' if force else ''}")

    async def apply(self, app: str, bundle: Bundle, ref: Ref, *, token: int, force: bool) -> Applied:
        self._ask(f"apply {ref} {bundle.release}{' forced' if force else ''}")
        changed = self.live.get(ref) != bundle.release
        if ref not in self.live:
            self.made += 1
            self.uids[ref] = f"uid-{ref.name}-{self.made}"
            if self.traits(ref).counted:
                self.replicas[ref.name] = 1
        self.live[ref] = bundle.release
        replicas = self.replicas[ref.name] if self.traits(ref).counted else None
        return Applied(ref=ref, uid=self.uids[ref], generation=1, changed=changed, replicas=replicas)

    async def scale(self, app: str, ref: Ref, replicas: int, *, token: int) -> Applied:
        self._ask(f"scale {ref.name} {replicas}")
        self.replicas[ref.name] = replicas
        return Applied(ref=ref, uid=self.uids[ref], generation=1, replicas=replicas)

    async def restart(self, app: str, ref: Ref, at: str, *, token: int) -> Applied:
        self._ask(f"restart {ref.name} {at}")
        self.restarted[ref] = at
        return Applied(ref=ref, uid=self.uids[ref], generation=1)

    async def delete(self, app: str, ref: Ref, *, uid: str, token: int) -> None:
        self._ask(f"remove {ref}")
        self.live.pop(ref, None)
        if self.traits(ref).counted:
            self.replicas.pop(ref.name, None)

    async def suspend(self, app: str, ref: Ref, *, uid: str, token: int) -> bool:
        self._ask(f"suspend {ref}")
        self.suspensions[ref] = self.suspensions.get(ref, 0) + 1
        return ref not in self.live or self.suspensions[ref] > self.runs_on.get(ref, 1)

    @asynccontextmanager
    async def watch(self, app: str, intent: Intent, redact: Redactor) -> AsyncGenerator["FakeWatch"]:
        yield FakeWatch(self)

    async def remarks(self, app: str, bundle: Bundle) -> tuple[str, ...]:
        return self.remarked

    async def processes(self, app: str) -> AppProcesses:
        """Return as many running processes as each workload asks for."""
        self._ask("processes")
        counts = {ref: self.replicas[ref.name] for ref in self.live if self.traits(ref).counted}
        running = (
            Process(
                id=f"{ref.name}-{number}",
                service=ref.name,
                status=ProcessStatus.RUNNING,
                release=self.live[ref],
                started_at=START,
                command=self.command,
            )
            for ref in sorted(counts)
            if ref.kind != "StatefulSet"
            for number in range(1, counts[ref] + 1)
        )
        ready = {ref.name.removeprefix("resource-") for ref in self.live if ref.kind == "StatefulSet"}
        return AppProcesses(processes=tuple(running), counts=counts, resources=frozenset(ready))

    async def timers(self, app: str, timers: Sequence[Timer]) -> Mapping[str, TimerStatus]:
        self._ask("timers")
        there = {ref.name for ref in self.live}
        return {each.name: TimerStatus() for each in timers if f"timer-{each.name}" in there}

    async def logs(self, app: str, request: LogRequest, redact: Redactor) -> ProcessLog:
        self._ask("logs")
        text = redact(self.log)
        processes = (await self.processes(app)).processes
        lines = [
            ProcessLine(at=START, service=p.service, process=p.id, text=text)
            for p in processes
            if request.service in {None, p.service} and request.containing in text
        ]
        return ProcessLog(lines=tuple(lines[-request.lines :]))

    def addresses(self, bundle: Bundle) -> tuple[str, ...]:
        return addresses(bundle)

    async def read_routes(self, app: str, bundle: Bundle) -> tuple[RouteState, ...]:
        return self.look_at_routes() if self.look_at_routes else self.routes

    async def evidence(self, app: str, diagnosis: Diagnosis, redact: Redactor) -> str:
        self._ask(f"evidence {diagnosis.pod}")
        return redact(self.log)


class FakeWatch:
    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._target: DesiredState | None = None
        self._aimed = 0.0

    def aim(self, target: DesiredState | None) -> None:
        self._target = target
        self._aimed = self._cluster.clock.monotonic()

    async def wait_for_sync(self) -> None:
        self._cluster.refuse("watch")

    async def next(self, seconds: float) -> Observation:
        await self._cluster.clock.sleep(seconds)
        return self._seen()

    async def fresh(self) -> Observation:
        bundle = self._target.bundle if self._target else None
        lost = [ref for ref in bundle.refs if ref not in self._cluster.live] if bundle else []
        return replace(self._seen(), lost="; ".join(f"{ref} was deleted by somebody" for ref in lost))

    def _seen(self) -> Observation:
        target = self._target
        if target is None:
            return Observation(synced=self._cluster.synced)
        if target.bundle is None:
            left = [ref for ref in target.absent if ref in self._cluster.live]
            return Observation(synced=self._cluster.synced, services=tuple(progressing(r.name) for r in left))
        passed = self._cluster.clock.monotonic() - self._aimed
        behave = self._cluster.behaves.get(target.release, self._good)
        states = tuple(named(behave(passed), s.name) for s in target.bundle.services)
        return Observation(synced=self._cluster.synced, services=states)

    def _good(self, passed: float) -> ServiceState:
        if passed < 2:
            return progressing()
        return service()


class FakeDirectory:
    """A workspace: everybody is a member but those named as guests."""

    def __init__(self, *, guests: frozenset[str] = frozenset(), down: bool = False) -> None:
        self.guests = guests
        self.down = down
        self.groups: Mapping[str, frozenset[str]] = {}
        self.zones: Mapping[str, str] = {}

    async def person(self, user_id: str) -> Person:
        if self.down:
            raise Unreachable("Slack does not answer")
        guest = user_id in self.guests
        return Person(
            id=user_id,
            name=user_id.lower(),
            member=not guest,
            why_not="guests may not do this" if guest else "",
            zone=self.zones.get(user_id, "UTC"),
        )

    async def group(self, group_id: str) -> frozenset[str]:
        if self.down:
            raise Unreachable("Slack does not answer")
        return self.groups.get(group_id, frozenset())


class FakeAnnouncer:
    """Counts how often it was woken; cards are posted at once, or fail as the test says."""

    def __init__(self, failed: str = "") -> None:
        self.woken = 0
        self.failed = failed

    def wake(self) -> None:
        self.woken += 1

    async def wait_for_card(self, subject: str, seconds: float) -> Card | None:
        return Card(subject=subject, channel="C1", ts=None if self.failed else "1.0", failed=self.failed)

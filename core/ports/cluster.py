"""Kubernetes, as far as a rollout needs it."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

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
from core.records.desired_state import DesiredState
from core.records.intent import Applied, Intent
from core.records.observation import Diagnosis, Observation
from core.records.process import AppProcesses
from core.records.process_log import LogRequest, ProcessLog
from core.records.registry_account import RegistryAccount
from core.records.release import Release
from core.records.route_state import RouteState
from core.records.traits import Traits
from core.redaction import Redactor


class Watch(Protocol):
    """One app's namespace, live."""

    def aim(self, target: DesiredState | None) -> None:
        """Judge everything from now on towards this target; None judges nothing, and only lines are told."""
        ...

    async def wait_for_sync(self) -> None:
        """Return once everything that is followed has been looked at.

        Raises:
            Rejected: a right to look is missing, since this was asked for; it names which.
            Unreachable: the cluster has not answered yet.
        """
        ...

    async def next(self, seconds: float) -> Observation:
        """Return when something has changed, at the latest after so many seconds."""
        ...

    async def fresh(self) -> Observation:
        """Read what verdicts rest on anew and return what is so now: a watch may be silent because it is dead.

        What a verdict rests on is asked for just before it; where it cannot be read, the look is not synced.
        """
        ...


class Cluster(Protocol):
    """Kubernetes, as far as a rollout needs it.

    Every method raises Rejected where the cluster says no for good, with a sentence that names what and, for a
    missing right, which; and Unreachable where asking again may help.

    Attributes:
        rack: whose namespaces it works in.
        anchor: the object that says whose a namespace is (rule 14).
        pruned_kinds: kinds of objects that go once no release of the app has them any more (`Traits.pruned`).
    """

    rack: str
    anchor: Ref
    pruned_kinds: frozenset[str]

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
        """Render a release; pure.

        Args:
            release: what is rendered.
            build: with its images.
            manifest: of the build.
            app: whose release.
            rules: what the policy says of the app.
            passwords: resource → the password that was generated for it.
            login_hosts: registries at which the app has a login, with which its pods are to pull.

        Raises:
            Invalid: it cannot be rendered.
        """
        ...

    def with_logins(self, bundle: Bundle, app: App, logins: Sequence[RegistryAccount]) -> Bundle:
        """Return a bundle as it is sent, with the logins that the app has now: a stored one holds none; pure."""
        ...

    def annotated(self, bundle: Bundle, cause: ChangeCause | None) -> Bundle:
        """Return a bundle as it is sent, each object with the labels and annotations by which other tools know it; pure.

        None of these is in a pod template or a selector, and that they differ is no change (`Applied.changed`).
        """
        ...

    def notes(self, manifest: Manifest) -> tuple[str, ...]:
        """Say of which keys of a manifest nothing comes on this rack, and what nobody outside reaches; pure.

        Raises:
            Invalid: a key of which something must come, since it keeps people out, and cannot on this rack.
        """
        ...

    def object_lines(self, bundle: Bundle) -> tuple[str, ...]:
        """Return a line for each object: its kind, its name, and what is worth knowing of it; pure."""
        ...

    def traits(self, ref: Ref) -> Traits:
        """Return what becomes of an object of a bundle, by its kind; pure."""
        ...

    async def ready(self) -> bool | None:
        """Return whether the API server says that it is ready to serve; None where it does not say so to us.

        One that has just started refuses what it will allow (engine rule 49). It raises nothing.
        """
        ...

    async def create_namespace(self, app: str) -> str | None:
        """Create what an app needs, where the bot may; return None, or the command for an administrator."""
        ...

    async def read_baseline(self, app: str, refs: Sequence[Ref]) -> Intent:
        """Read the namespace and the named objects as they are now (a consistent read)."""
        ...

    async def check_anchor(self, app: App, claim: Claim) -> None:
        """Raise Rejected where the namespace belongs to another installation, uid or newer token (rule 14).

        The same token is fine where the anchor names the promotion that claims (rule 59).
        """
        ...

    async def claim_anchor(self, app: App, claim: Claim) -> Applied:
        """Write our installation, token and promotion into the anchor by compare-and-set (rules 14 and 59)."""
        ...

    async def audit_head(self, app: str, claim: Claim) -> AuditHead | None:
        """Return how far the anchor of an app remembers the audit of the claim's installation, None where it does not."""
        ...

    async def keep_audit_head(self, app: App, claim: Claim, head: AuditHead) -> None:
        """Note in the anchor how far the audit was when the promotion of a claim had ended; once for each (rule 14)."""
        ...

    async def preflight(self, app: str, bundle: Bundle, *, token: int, force: bool) -> None:
        """Server-side dry run of the whole bundle, forced as the applies will be (rule 19).

        Raises Rejected with every reason at once.
        """
        ...

    async def apply(self, app: str, bundle: Bundle, ref: Ref, *, token: int, force: bool) -> Applied:
        """Apply one object, fenced by uid and resourceVersion of a read that checked its token (rule 15)."""
        ...

    async def renew_logins(self, app: App, logins: Sequence[RegistryAccount], *, token: int) -> None:
        """Let the app's pods pull with these logins from now on; nothing where no release has brought any."""
        ...

    async def scale(self, app: str, ref: Ref, replicas: int, *, token: int) -> Applied:
        """Set a workload's count through the /scale subresource (rule 20)."""
        ...

    async def restart(self, app: str, ref: Ref, at: str, *, token: int) -> Applied:
        """Have the pods of a workload replaced by noting a time in its template; the note of before brings those of before back."""
        ...

    async def delete(self, app: str, ref: Ref, *, uid: str, token: int) -> None:
        """Delete one object of ours if it still has this uid; already gone is fine."""
        ...

    async def suspend(self, app: str, ref: Ref, *, uid: str, token: int) -> bool:
        """Keep one object of ours (`Traits.suspended`), if it still has this uid, from starting anything more.

        Returns:
            Whether nothing that it has started goes on any more. Never at once: what it has just begun may not be seen yet.
        """
        ...

    def watch(self, app: str, intent: Intent, redact: Redactor) -> AbstractAsyncContextManager[Watch]:
        """Watch the app's objects; lines tell what differs from the intent's baseline, and nothing told holds a value."""
        ...

    async def processes(self, app: str) -> AppProcesses:
        """Return the processes of an app and how many each workload asks for, as they are now.

        Their commands may hold values of the environment: convox.yml takes `${VAR}` there.
        """
        ...

    async def timers(self, app: str, timers: Sequence[Timer]) -> Mapping[str, TimerStatus]:
        """Return what those of these timers do that there are in the cluster, by name."""
        ...

    async def logs(self, app: str, request: LogRequest, redact: Redactor) -> ProcessLog:
        """Return the last lines of an app's processes, without values (bounded: 20 processes, 1 MiB and 10 s each)."""
        ...

    async def record_event(self, app: str, event: ClusterEvent) -> None:
        """Write an Event about an object of the app; one that was written already is left as it is."""
        ...

    def addresses(self, bundle: Bundle) -> tuple[str, ...]:
        """Return where the services of a bundle are found from outside, once somebody picks its routes up; what the cluster chooses is not known before."""
        ...

    async def read_routes(self, app: str, bundle: Bundle) -> tuple[RouteState, ...]:
        """Return how each object of a bundle that leads from outside to a service stands now."""
        ...

    async def evidence(self, app: str, diagnosis: Diagnosis, redact: Redactor) -> str:
        """Return the last log lines that prove a trouble, without values, or "" (bounded: 20 lines, 5 s)."""
        ...

    async def remarks(self, app: str, bundle: Bundle) -> tuple[str, ...]:
        """Return a sentence for each object of a bundle that does not do what it is there for, though no verdict waits for it."""
        ...

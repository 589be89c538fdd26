"""Setting how many processes of a service run: one request to the cluster, no rollout and no verdict."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.actor import Actor, Caller
from core.errors import Busy, Conflict, NotFound, Rejected, Unavailable, Unreachable, UserError
from core.failpoints import failpoint
from core.lifecycle.access import Access
from core.lifecycle.guards import busy_error
from core.lifecycle.startable import check_startable
from core.ports.announcer import Announcer
from core.ports.cluster import Cluster
from core.ports.store import Store, Transaction
from core.records.app import App
from core.records.bundle import Ref
from core.records.claim import Claim
from core.records.scale_job import ScaleJob
from core.redaction import quiet
from core.sentence import CommandLine, Sentence
from core.usecases.process_viewer import check_service, told_of_cluster

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleResult:
    """How many processes a service was to have, and is to have now."""

    service: str
    before: int
    count: int


class Scaler:
    """Sets counts through /scale, as a person does with `kubectl scale`, but with a right, a fence and an audit row."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        announcer: Announcer,
        *,
        why_not_startable: Callable[[], str],
    ) -> None:
        """Take the records, the cluster, who may do what, who is told that there is a notice, and why nothing may be written now, or ""."""
        self._store = store
        self._cluster = cluster
        self._access = access
        self._announcer = announcer
        self._why_not_startable = why_not_startable

    async def scale(self, caller: Caller, app: str, service: str, count: int) -> ScaleResult:
        """Set the count of a service of the active release; it stays until a person or a new count in convox.yml changes it (engine rule 57).

        Raises:
            NotFound: there is no release that runs, or no such service in it.
            Busy: something of the app is rolling out.
            Conflict: the service has no count of its own, an autoscaler has it, or the cluster refuses.
            Unavailable: the cluster does not answer; it may have been done.
        """
        actor = await self._access.require(caller.actor, "scale", app)
        check_startable(self._why_not_startable)
        found = await self._store.read.app(app)
        ref = await self._workload(found, service)
        with told_of_cluster():
            before = await self._count(found, ref)
        made = ScaleResult(service=service, before=before, count=count)
        if before == count:
            return made
        job = await self._announce(caller, actor, found.name, ref, made)
        failpoint("scale.after_request")
        await self._carry_out(job)
        return made

    async def resume(self) -> None:
        """Set what an earlier life of this process was about to set; what is refused by now is said and left."""
        for job in await self._store.read.scale_jobs():
            try:
                await self._carry_out(job)
            except UserError as error:
                log.warning(
                    "%s of %s was not scaled to %d: %s", job.service, job.app, job.count, quiet(str(error))
                )

    async def _workload(self, app: App, service: str) -> Ref:
        bundle = await self._store.read.bundle(app.active_release) if app.active_release else None
        if bundle is None:
            raise NotFound(
                f"no release for app: {app.name}",
                hint=Sentence.of(CommandLine(f"releases promote -a {app.name}"), " rolls one out"),
            )
        services = {s.name: s for s in bundle.services if not s.resource}
        check_service(service, services, app.name)
        if services[service].autoscaler is not None:
            raise Conflict(
                f"{service} is scaled by its autoscaler, which would undo it",
                hint="its limits are under `scale` in convox.yml: change them there",
            )
        ref = services[service].workload
        if not self._cluster.traits(ref).counted:
            raise Conflict(
                f"{service} has no count to set: it runs as a {ref.kind}, on every node that takes it"
            )
        return ref

    async def _count(self, app: App, ref: Ref) -> int:
        """Return the count that the workload has, where it is a person's to set."""
        counts = (await self._cluster.processes(app.name)).counts
        if ref not in counts:
            raise Conflict(
                f"there is no {ref} in the cluster: somebody has removed it",
                hint=Sentence.of(
                    CommandLine(f"releases promote {app.active_release} -a {app.name}"), " makes it anew"
                ),
            )
        return counts[ref]

    async def _announce(
        self, caller: Caller, actor: Actor, app: str, ref: Ref, made: ScaleResult
    ) -> ScaleJob:
        """Write that a count is about to be set.

        What starts after this raises the app's number, by which a request of before it is refused (engine rule 15).
        """
        async with self._store.transaction(delivery=caller.delivery) as tx:
            if (holder := await tx.in_flight(app)) is not None:
                hint = f"scale it when that has ended: a rollout keeps the count that {made.service} has"
                raise Busy(busy_error(holder).sentence, hint=hint)
            last = await tx.last_touched(app)
            assert last is not None, "a release became active by a promotion"
            detail = {"app": app, "object": str(ref), "from": made.before, "to": made.count}
            await tx.audit(actor, "service.scale", f"{app}/{made.service}", detail)
            return await tx.add_scale_job(
                ScaleJob(
                    app=app,
                    service=made.service,
                    ref=ref,
                    before=made.before,
                    count=made.count,
                    actor=actor,
                    promotion=last.id,
                    token=last.token,
                )
            )

    async def _carry_out(self, job: ScaleJob) -> None:
        """Send it, and write what came of it.

        Raises:
            Conflict, Unavailable: it was not done, or nobody knows; that is written as well.
        """
        try:
            await self._set(job)
        except UserError:
            async with self._store.transaction() as tx:
                await tx.finish_scale_job(job.id)
                await tx.audit(job.actor, "service.unscaled", f"{job.app}/{job.service}", {"app": job.app})
            raise
        failpoint("scale.after_effect")
        async with self._store.transaction() as tx:
            await self._done(tx, job)
        self._announcer.wake()

    async def _set(self, job: ScaleJob) -> None:
        read = self._store.read
        claim = Claim(
            installation=await read.installation(), token=job.token, promotion=job.promotion, touched=True
        )
        try:
            await self._cluster.check_anchor(await read.app(job.app), claim)
            await self._cluster.scale(job.app, job.ref, job.count, token=job.token)
        except Rejected as error:
            raise Conflict(f"the cluster refuses to scale it: {error}") from error
        except Unreachable as error:
            raise Unavailable(
                f"the cluster did not answer: {error}",
                hint="it may be done: `scale` shows the count that it has",
            ) from error

    async def _done(self, tx: Transaction, job: ScaleJob) -> None:
        """Record it, and tell the channel: whoever looks after the app has to know of it."""
        await tx.finish_scale_job(job.id)
        if (known := (await tx.workload_counts(job.app)).get(job.ref)) is not None:
            await tx.save_workload_count(replace(known, replicas=job.count))
        await tx.audit(
            job.actor, "service.scaled", f"{job.app}/{job.service}", {"app": job.app, "to": job.count}
        )
        channel = (await tx.app(job.app)).channel or self._access.policy.rules(job.app).channel
        if channel is not None:
            said = f" scaled {job.service} of {job.app} from {job.before} to {job.count}"
            await tx.add_notice(channel, Sentence.of(job.actor, said))

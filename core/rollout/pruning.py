"""Removing what a promotion left over, after its verdict: durable, and never a reason to change it."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from core.errors import Conflict, Foreign, Rejected, Unreachable
from core.failpoints import failpoint
from core.ports.store import Transaction
from core.records.bundle import Ref
from core.records.intent import BaselineObject
from core.records.step import PruneJob, Step
from core.redaction import quiet
from core.rollout.effects import RolloutPorts
from core.rollout.lineage import claim_of, redactor_of

log = logging.getLogger(__name__)


class Pruner:
    """Works off the prune jobs of an app; the caller holds the app's lock."""

    def __init__(self, ports: RolloutPorts) -> None:
        self._ports = ports

    async def run(self, app: str) -> bool:
        """Do every job of the app that can be done; one that cannot waits for the next rollout or restart.

        Returns:
            Whether there is something that is only to end first, and is worth another look soon.
        """
        waits = False
        for job in await self._ports.store.read.prune_jobs(app):
            try:
                waits |= await self._prune(job)
            except (Rejected, Unreachable, Conflict) as error:
                log.warning("what %s left over stays for now: %s", job.promotion, quiet(str(error)))
        return waits

    async def _prune(self, job: PruneJob) -> bool:
        """Remove what is still there; what is refused does not keep the rest, but keeps the job.

        Returns:
            Whether the job is kept because something is still at work.

        Raises:
            Rejected, Unreachable: something could not be removed, or the namespace is not ours any more.
        """
        read, cluster = self._ports.store.read, self._ports.cluster
        redact = await redactor_of(read, await read.promotion(job.promotion))
        app = await read.any_app(job.app)
        keep = await self._kept(app.active_release)
        refused: list[str] = []
        at_work: list[Ref] = []
        if refs := [ref for ref in job.refs if ref not in keep]:
            # A restored database still has jobs that were done long ago (engine rule 14). The anchor is asked in the name of
            # whoever claimed it last: this promotion, or a later one that did not get around to the job.
            last = await read.last_touched(job.app)
            assert last is not None, "a job is written by a promotion that has touched something"
            await cluster.check_anchor(app, await claim_of(read, last))
            there = [each for each in (await cluster.read_baseline(job.app, refs)).objects if each.existed]
            # Only of what is there: most of these were removed long ago, after an earlier promotion.
            await self._tell(job, removing(each.ref for each in there))
            for each in there:
                try:
                    if await self._idle(job, each, token=last.token):
                        await self._remove(job, each, token=last.token)
                    else:
                        at_work.append(each.ref)
                except Foreign:
                    # Somebody else's by now, or from the start.
                    log.info("%s is not ours and stays", each.ref)
                except (Rejected, Unreachable, Conflict) as error:
                    refused.append(redact(str(error)))
        if refused:
            await self._tell(job, not_removed("; ".join(refused)))
            raise Rejected("; ".join(refused))
        if at_work:
            await self._tell(job, finishing(at_work))
            return True
        async with self._ports.store.transaction() as tx:
            await tx.finish_prune_job(job.promotion)
            gone = [s.ref for s in await tx.steps(job.promotion) if s.stage == "prune"]
            await tell_pruning(tx, job.promotion, removed(gone))
        self._ports.announcer.wake()
        return False

    async def _idle(self, job: PruneJob, there: BaselineObject, *, token: int) -> bool:
        """Tell whether an object may go; one that starts work of its own is suspended, and may once that is done."""
        if not self._ports.cluster.traits(there.ref).suspended:
            return True
        idle = await self._ports.cluster.suspend(job.app, there.ref, uid=there.uid, token=token)
        failpoint("prune.after_suspend")
        return idle

    async def _tell(self, job: PruneJob, said: str) -> None:
        async with self._ports.store.transaction() as tx:
            await tell_pruning(tx, job.promotion, said)
        self._ports.announcer.wake()

    async def _remove(self, job: PruneJob, there: BaselineObject, *, token: int) -> None:
        """Remove one object; should it come back, it gets the count of its manifest (engine rule 58)."""
        row = Step(
            promotion=job.promotion,
            stage="prune",
            ref=there.ref,
            action="remove",
            state="sent",
            token=token,
            uid=there.uid,
            generation=there.generation,
        )
        async with self._ports.store.transaction() as tx:
            await tx.save_step(row)
        await self._ports.cluster.delete(job.app, there.ref, uid=there.uid, token=token)
        failpoint("prune.after_remove")
        async with self._ports.store.transaction() as tx:
            await tx.save_step(replace(row, state="done"))
            await tx.forget_replicas(job.app, there.ref)

    async def _kept(self, active: str | None) -> frozenset[Ref]:
        """What the app runs now is never pruned, whatever an old job says."""
        bundle = await self._ports.store.read.bundle(active) if active else None
        return frozenset(bundle.refs) if bundle else frozenset()


def removing(refs: Iterable[Ref]) -> str:
    """Say what is removed now that the verdict is in; nothing where there is nothing."""
    return _said("being removed", refs)


def finishing(refs: Iterable[Ref]) -> str:
    """Say what starts nothing more and is removed once what it has started is done."""
    return _said("removed once what it has started is done", refs)


def not_removed(why: str) -> str:
    """Say why something is still there."""
    return f"not removed yet: {why}; tried again after the next rollout and at a restart"


def removed(refs: Iterable[Ref]) -> str:
    """Say what was removed; nothing where it was gone already or another release needs it."""
    return _said("removed", refs)


def _said(what: str, refs: Iterable[Ref]) -> str:
    names = ", ".join(sorted(map(str, refs)))
    return f"no longer part of the app, {what}: {names}" if names else ""


async def tell_pruning(tx: Transaction, promotion_id: str, said: str) -> None:
    """Let the card of a settled promotion say what becomes of the objects that its release no longer has."""
    current = await tx.promotion(promotion_id)
    if current.progress.clearing == said:
        return
    await tx.save_progress(
        promotion_id,
        replace(current.progress, clearing=said),
        was=current.phase,
        revision=current.revision + 1,
    )

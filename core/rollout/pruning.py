"""Removing what a promotion left over, after its verdict: durable, and never a reason to change it."""

import logging

from core.errors import Conflict, Rejected, Unreachable
from core.failpoints import failpoint
from core.ports import PruneJob
from core.progress import Ref
from core.rollout.effects import Tools

log = logging.getLogger(__name__)


class Pruner:
    """Works off the prune jobs of an app; the caller holds the app's lock."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def run(self, app: str) -> None:
        """Do every job of the app that can be done; one that cannot waits for the next rollout or restart."""
        for job in await self._tools.store.read.prune_jobs():
            if job.app != app:
                continue
            try:
                await self._prune(job)
            except (Rejected, Unreachable, Conflict) as error:
                log.warning("what %s left over stays for now: %s", job.promotion, error)

    async def _prune(self, job: PruneJob) -> None:
        read = self._tools.store.read
        app = await read.app(job.app)
        keep = await self._kept(app.active)
        refs = [ref for ref in job.refs if ref not in keep]
        found = await self._tools.cluster.look(job.app, refs) if refs else None
        for ref in refs:
            there = found.of(ref) if found else None
            if there is None or not there.existed:
                continue
            await self._tools.cluster.remove(job.app, ref, uid=there.uid, token=app.token)
            failpoint("prune.after_remove")
        async with self._tools.store.transaction() as tx:
            await tx.finish_prune_job(job.promotion)

    async def _kept(self, active: str | None) -> frozenset[Ref]:
        """What the app runs now is never pruned, whatever an old job says."""
        bundle = await self._tools.store.read.bundle(active) if active else None
        return frozenset(bundle.refs) if bundle else frozenset()

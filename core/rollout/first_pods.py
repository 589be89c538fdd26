"""The first pods of a release that became active while nothing of it ran: nobody is judged unseen (engine rule 35).

Such a release is never verified by its promotion. As soon as somebody scales it up, its pods are watched as those of a rollout
are, and then it is verified or on hold. Nothing is applied and nothing goes back: a person has just started them.
"""

import asyncio
import logging
from dataclasses import replace

from core.actor import BOT
from core.errors import Rejected, Unavailable, Unreachable
from core.ports.store import StoreReader
from core.promotion import Promotion, PromotionEvent
from core.records.desired_state import DesiredState
from core.records.progress import Progress
from core.records.release import ReleaseStatus
from core.redaction import Redactor, quiet
from core.rollout.effects import RolloutPorts
from core.rollout.judging import Judging
from core.rollout.lineage import applied_of, redactor_of
from core.rollout.verdict import Verdict
from core.rollout.watched_time import WatchedTime
from core.sentence import Sentence

log = logging.getLogger(__name__)

# A few requests for each such app; pods that crash go on crashing for longer than this.
LOOK_SECONDS = 30.0


class FirstPods:
    """Waits for the first pods of releases that nothing has proved, and judges them."""

    def __init__(self, ports: RolloutPorts) -> None:
        self._ports = ports
        self._judging: set[str] = set()

    async def run(self) -> None:
        """Look every half minute, until cancelled; each app is judged by a task of its own."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for promotion in await self._unproved():
                    if promotion.id not in self._judging:
                        self._judging.add(promotion.id)
                        name = f"first pods of {promotion.app} {promotion.release}"
                        tasks.create_task(self._attend(promotion), name=name)
                await self._ports.clock.sleep(LOOK_SECONDS)

    async def _unproved(self) -> list[Promotion]:
        try:
            found = await self._ports.store.read.unproved()
            # What could not be judged once is told, and somebody else's by now.
            return [promotion for promotion in found if not promotion.progress.first_pods]
        except Unavailable as error:
            log.warning("releases that nothing has proved are looked for later: %s", error)
        except Exception:
            log.exception("releases that nothing has proved could not be looked for")
        return []

    async def _attend(self, promotion: Promotion) -> None:
        try:
            await self.judge(promotion)
        except (Rejected, Unreachable, Unavailable) as error:
            log.warning("the first pods of %s are looked for later: %s", promotion.release, quiet(str(error)))
        except Exception:
            log.exception("the first pods of %s could not be judged", promotion.release)
        finally:
            self._judging.discard(promotion.id)

    async def judge(self, promotion: Promotion) -> None:
        """Judge the first pods of a release, where there are any; return once that is written, or nobody is to be judged.

        Raises:
            Rejected, Unreachable: the cluster cannot be looked at.
        """
        read, cluster = self._ports.store.read, self._ports.cluster
        bundle = await read.bundle(promotion.release)
        assert bundle is not None, "it was applied"
        workloads = [s.workload for s in bundle.services]
        found = await cluster.read_baseline(promotion.app, workloads)
        if not found.pods and not any(each.replicas for each in found.objects):
            return
        redact = await redactor_of(read, promotion)
        # Whatever they have crashed until now is their own: nothing is there from before.
        intent = replace(found, pods={}, terminating=frozenset())
        target = DesiredState(
            release=promotion.release, bundle=bundle, applied=await applied_of(read, promotion, "forward")
        )
        async with cluster.watch(promotion.app, intent, redact) as watch:
            watch.aim(target)
            judging = Judging(
                watch=watch,
                time=WatchedTime(self._ports.clock, self._ports.blind),
                target=target,
                limits=promotion.limits,
            )
            verdict = await self._until_verdict(promotion, judging)
        if verdict is not None:
            await self._write(promotion, verdict, redact)

    async def _until_verdict(self, promotion: Promotion, judging: Judging) -> Verdict | None:
        """Return the verdict; None where a newer promotion has begun to write, or nothing runs any more."""
        progress = Progress()
        while await _is_last(self._ports.store.read, promotion):
            verdict, _ = await judging.look(progress)
            progress = verdict.progress
            if verdict.nothing_ran:
                return None
            if verdict.event is not None:
                return verdict
        return None

    async def _write(self, promotion: Promotion, verdict: Verdict, redact: Redactor) -> None:
        cause = redact(verdict.cause)
        good = verdict.event is PromotionEvent.VERIFIED
        async with self._ports.store.transaction() as tx:
            if not await _is_last(tx, promotion):
                return
            current = await tx.promotion(promotion.id)
            status = await tx.release_status(promotion.release)
            if good:
                await tx.save_release_status(ReleaseStatus(release=promotion.release, verified_at=tx.now))
            elif _blamed(verdict):
                held = Sentence.of(f"its first pods failed: {cause}")
                await tx.save_release_status(replace(status, held=held))
            told = _told(verdict, cause)
            progress = replace(
                current.progress, services=verdict.progress.services, first_pods=told, proved=good
            )
            await tx.save_progress(promotion.id, progress, was=current.phase, revision=current.revision + 1)
            detail = {"app": promotion.app, "promotion": promotion.id, "verified": good}
            await tx.audit(BOT, "release.judge", promotion.release, detail)
        self._ports.announcer.wake()


async def _is_last(read: StoreReader, promotion: Promotion) -> bool:
    """Tell whether nobody has written to the app since: what runs there is this release, or what people did to it."""
    last = await read.last_touched(promotion.app)
    return last is not None and last.id == promotion.id


def _blamed(verdict: Verdict) -> bool:
    """Tell whether it lies in the release (engine rule 53)."""
    return verdict.event is not PromotionEvent.SUPERSEDED and not verdict.blameless


def _told(verdict: Verdict, cause: str) -> str:
    """Say on the card what became of them."""
    if verdict.event is PromotionEvent.VERIFIED:
        return "its first pods have started and stood: it is verified"
    if _blamed(verdict):
        return f"its first pods failed: {cause}; nothing was undone, for a person has started them"
    return f"its first pods could not be judged: {cause}"

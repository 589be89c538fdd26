"""Who drives what: one named task a promotion, one lock an app, and the work of a restart."""

import asyncio
import logging
from collections import defaultdict

from core.promotion import Promotion
from core.rollout.driver import Driver
from core.rollout.effects import Tools
from core.rollout.pruning import Pruner

log = logging.getLogger(__name__)
# After an error that nobody foresaw the promotion is tried again, since leaving it unattended is worse.
AFTER_A_SURPRISE = 5.0


class Supervisor:
    """Owns the tasks that drive promotions."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._driver = Driver(tools)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def drive(self, promotion: Promotion) -> None:
        """Go on with the promotion; a second call for the same one changes nothing."""
        if promotion.id in self._tasks:
            return
        task = asyncio.create_task(self._attend(promotion), name=f"rollout {promotion.app} {promotion.id}")
        self._tasks[promotion.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(promotion.id, None))

    async def resume(self) -> int:
        """Take up everything that an earlier life of this process has left; return how many rollouts."""
        unsettled = [p for p in await self._tools.store.read.unsettled() if p.in_flight]
        for promotion in unsettled:
            self.drive(promotion)
        busy = {p.app for p in unsettled}
        for app in {job.app for job in await self._tools.store.read.prune_jobs()} - busy:
            async with self._locks[app]:
                await Pruner(self._tools).run(app)
        return len(unsettled)

    async def idle(self) -> None:
        """Wait until nothing is driven any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Let go of every rollout where it is; the next start resumes it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self, promotion: Promotion) -> None:
        """Drive under the app's lock, which the one before holds until its last request has returned."""
        async with self._locks[promotion.app]:
            while True:
                try:
                    await self._driver.drive(promotion.id)
                except Exception:
                    log.exception("the rollout %s met an error nobody foresaw; it goes on", promotion.id)
                    await self._tools.clock.sleep(AFTER_A_SURPRISE)
                else:
                    return

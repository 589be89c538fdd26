"""Who drives what: one named task a promotion, one lock an app, and the work of a restart."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine

from core.errors import BROKEN, Unavailable, Unexpected
from core.log_context import log_about
from core.promotion import Phase, Promotion
from core.rollout.audit_heads import AuditHeadWriter
from core.rollout.driver import Driver
from core.rollout.effects import Effects, RolloutPorts
from core.rollout.pruning import Pruner
from core.rollout.routes import RouteWatcher, is_unrouted
from core.waiting import first_of

log = logging.getLogger(__name__)
# After an error that nobody foresaw the promotion is tried again, since leaving it unattended is worse: soon, for a
# passing one, then once a minute. A person can always cancel it or take over.
AFTER_A_SURPRISE = 5.0
LONGEST_PAUSE = 60.0
# What was just suspended may have started a run that nobody has seen yet; later the pauses grow.
AFTER_SUSPENDING = 5.0


class Supervisor:
    """Owns the tasks that drive promotions."""

    def __init__(self, ports: RolloutPorts) -> None:
        self._ports = ports
        self._driver = Driver(ports)
        self._pruner = Pruner(ports)
        self._routes = RouteWatcher(ports, Effects(ports))
        self._audit_heads = AuditHeadWriter(ports)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # By app: set where somebody has decided about what waits to be tried again, and holds the app's lock meanwhile.
        self._news: dict[str, asyncio.Event] = {}
        self._stopping = False

    def drive(self, promotion: Promotion) -> None:
        """Go on with the promotion; a second call for the same one changes nothing."""
        self._own(f"rollout {promotion.app} {promotion.id}", self._attend(promotion))

    def wake(self, app: str) -> None:
        """Let what waits to be tried again for this app be tried now: somebody has cancelled it, or taken over."""
        if (news := self._news.get(app)) is not None:
            news.set()
        self._driver.wake(app)

    def clear_up(self, app: str) -> None:
        """Remove what is still to be removed of an app of which nothing is rolling out."""
        self._own(f"prune {app}", self._clear_up(app))

    def _own(self, name: str, work: Coroutine[None, None, None]) -> None:
        if name in self._tasks or self._stopping:
            # After a stop nothing begins: the next start resumes it.
            work.close()
            return
        task = self._tasks[name] = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def resume(self) -> int:
        """Take up everything that an earlier life of this process has left; return how many rollouts.

        It waits for no cluster: one that is away makes the bot degraded, never late (engine rule 37).
        """
        unsettled = [p for p in await self._ports.store.read.unsettled() if p.in_flight]
        for promotion in unsettled:
            self.drive(promotion)
        busy = {p.app for p in unsettled}
        for app in set(await self._ports.store.read.apps_to_prune()) - busy:
            self.clear_up(app)
        ended = []
        for each in await self._ports.store.read.apps():
            if each.name not in busy and (last := await self._ports.store.read.last_touched(each.name)):
                self._follow_routes(last)
                ended.append(last)
        # What the life before may not have come to; beside everything else, since no start waits for the cluster.
        self._own("audit heads", self._audit_heads.keep(*ended))
        return len(unsettled)

    async def stop(self) -> None:
        """Let go of every rollout where it is; the next start resumes it."""
        self._stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self, promotion: Promotion) -> None:
        """Drive under the app's lock, which the one before holds until its last request has returned."""
        log_about(app=promotion.app, promotion=promotion.id, delivery="", request="")
        async with self._locks[promotion.app]:
            log.info("driving %s of %s from %s", promotion.release, promotion.app, promotion.phase)
            ended = await self._insist(promotion)
            log.info(
                "%s of %s has ended %s%s",
                ended.release,
                ended.app,
                ended.phase,
                f" ({ended.cause_kind})" if ended.cause_kind else "",
            )
            self._own(f"audit head {ended.app} {ended.id}", self._audit_heads.keep(ended))
            # The one that took its place waits for this lock, and clears up itself at its own end.
            if ended.phase is not Phase.SUPERSEDED:
                self._look_again(promotion.app, waits=await self._prune(promotion.app))
        self._follow_routes(ended)

    def _follow_routes(self, promotion: Promotion) -> None:
        """Go on looking for who picks up the routes of a release, beside whatever is done next: no rollout waits for it."""
        if is_unrouted(promotion):
            self._own(f"routes {promotion.app} {promotion.id}", self._see_routes(promotion))

    async def _see_routes(self, promotion: Promotion) -> None:
        """Look; whatever goes wrong with that, no verdict changes."""
        try:
            await self._routes.follow(promotion)
        except Unavailable as error:
            log.warning("how %s is reached is not told: %s", promotion.app, error)
        except Exception:
            log.exception("how %s is reached is not told", promotion.app)

    async def _insist(self, promotion: Promotion) -> Promotion:
        pause = AFTER_A_SURPRISE
        news = self._news[promotion.app] = asyncio.Event()
        try:
            while True:
                news.clear()
                try:
                    return await self._driver.drive(promotion.id)
                except Unavailable as error:
                    # A disk in trouble is foreseen: one sentence.
                    log.warning(
                        "the rollout %s stands still: %s; it goes on in %g s", promotion.id, error, pause
                    )
                    why = str(error)
                except Exception:
                    surprise = Unexpected()
                    log.exception(
                        "%s: the rollout %s met an error nobody foresaw; it goes on in %g s",
                        surprise.reference,
                        promotion.id,
                        pause,
                    )
                    why = f"{BROKEN} ({surprise.reference})"
                await self._say(promotion.id, f"{why}; I go on trying")
                await first_of(news.wait(), self._ports.clock.sleep(pause))
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            del self._news[promotion.app]

    async def _say(self, promotion_id: str, waiting: str) -> None:
        """Let the card say why nothing moves."""
        try:
            async with self._ports.store.transaction() as tx:
                current = await tx.promotion(promotion_id)
                await tx.save_progress(
                    promotion_id,
                    current.progress.awaiting(waiting),
                    was=current.phase,
                    revision=current.revision + 1,
                )
        except Unavailable as error:
            log.warning("the card of %s cannot say so: %s", promotion_id, error)
        except Exception:
            # Whatever it is, the rollout goes on: its task would end here, and nobody would drive it any more.
            log.exception("the card of %s cannot say so", promotion_id)
        self._ports.announcer.wake()

    async def _clear_up(self, app: str) -> None:
        """Prune, and go on with it for as long as something is only to end first; a rollout in between is let through."""
        pause = AFTER_SUSPENDING
        while True:
            async with self._locks[app]:
                if not await self._prune(app):
                    return
            await self._ports.clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _look_again(self, app: str, *, waits: bool) -> None:
        if waits:
            self._own(f"prune {app}", self._clear_up_soon(app))

    async def _clear_up_soon(self, app: str) -> None:
        await self._ports.clock.sleep(AFTER_SUSPENDING)
        await self._clear_up(app)

    async def _prune(self, app: str) -> bool:
        """Prune; whatever goes wrong with that, no verdict changes and nobody else waits (engine rule 26).

        Returns:
            Whether it is worth another look soon.
        """
        try:
            return await self._pruner.run(app)
        except Unavailable as error:
            log.warning("what old releases of %s left over stays for now: %s", app, error)
        except Exception:
            log.exception("what old releases of %s left over stays for now", app)
        return False

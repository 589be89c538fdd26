"""Whether what leads from outside to a release is picked up: told on its card, and waited for only where the policy asks."""

import logging
from dataclasses import replace

from core.errors import NotYet, Rejected, Unreachable
from core.ports.store import Transaction
from core.promotion import Phase, Promotion
from core.records.bundle import Bundle
from core.records.progress import Progress
from core.records.route_state import RouteState
from core.redaction import quiet
from core.rollout.effects import Effects, RolloutPorts

log = logging.getLogger(__name__)
# After a verdict: a controller takes seconds, a cloud that makes a load balancer minutes. Then it stands on the card that
# nobody has picked it up.
LOOK_SECONDS = 5.0
LONGEST_LOOK = 300.0


class RouteWatcher:
    """Looks at the routes of a release that is verified."""

    def __init__(self, ports: RolloutPorts, effects: Effects) -> None:
        self._ports = ports
        self._effects = effects

    async def wait(self, promotion: Promotion, bundle: Bundle, watched: float) -> None:
        """Return once every route is picked up, where the policy makes that a part of the verdict.

        Args:
            promotion: in Updating.
            bundle: what was applied.
            watched: seconds of this stage until now; the routes have the patience without progress from here on.

        Raises:
            StalePromotion: a person cancelled it or took over.
            StageTimeout: it took too long; what is still awaited.
            Rejected: they cannot be read.
        """
        limits = promotion.limits
        if not limits.routes:
            return

        async def attempt() -> None:
            states = await self._ports.cluster.read_routes(promotion.app, bundle)
            if waiting := _waiting(states):
                raise NotYet("; ".join(waiting))

        await self._effects.retry(promotion, attempt, limit=min(watched + limits.deadline, limits.longest))

    async def look(self, app: str, bundle: Bundle, progress: Progress) -> Progress:
        """Return the progress with how the routes stand now; what cannot be read is told later."""
        try:
            states = await self._ports.cluster.read_routes(app, bundle)
        except (Rejected, Unreachable) as error:
            log.warning("the routes of %s cannot be read: %s", app, quiet(str(error)))
            return progress
        return replace(
            progress, routes=tuple(str(s) for s in states if not s.sentence), unrouted=_waiting(states)
        )

    async def follow(self, promotion: Promotion) -> None:
        """Tell on the card of a live release what becomes of routes that nobody has picked up yet."""
        bundle = await self._ports.store.read.bundle(promotion.release)
        clock = self._ports.clock
        ends = clock.monotonic() + LONGEST_LOOK
        while bundle is not None and clock.monotonic() < ends:
            await clock.sleep(LOOK_SECONDS)
            app = await self._ports.store.read.app(promotion.app)
            if app.active_release != promotion.release:
                return
            seen = await self.look(promotion.app, bundle, Progress())
            async with self._ports.store.transaction() as tx:
                told = await _tell(tx, promotion.id, seen)
            if told:
                self._ports.announcer.wake()
            if seen.routes and not seen.unrouted:
                return


def is_unrouted(promotion: Promotion) -> bool:
    """Tell whether a live release has routes that nobody had picked up when it was looked at last."""
    return promotion.phase is Phase.RUNNING and bool(promotion.progress.unrouted)


async def _tell(tx: Transaction, promotion_id: str, seen: Progress) -> bool:
    """Let the card say how the routes stand; return whether that is news."""
    current = await tx.promotion(promotion_id)
    known = (current.progress.routes, current.progress.unrouted)
    if not (seen.routes or seen.unrouted) or known == (seen.routes, seen.unrouted):
        return False
    progress = replace(current.progress, routes=seen.routes, unrouted=seen.unrouted)
    await tx.save_progress(promotion_id, progress, was=current.phase, revision=current.revision + 1)
    return True


def _waiting(states: tuple[RouteState, ...]) -> tuple[str, ...]:
    return tuple(state.sentence for state in states if state.sentence)

"""Telling Kubernetes: a rollout's start and its verdict are Events on what runs each service."""

from bot.outgoing.receiver import Delivered, Delivery, Postponed, Skipped, Undelivered
from core.clock import Clock
from core.errors import Denied, NotFound, NotYet, Rejected, Unreachable
from core.lifecycle.outcome import ending
from core.lifecycle.outgoing import STARTED
from core.lifecycle.redacting import redactor_of_releases
from core.ports.cluster import Cluster
from core.ports.store import StoreReader
from core.promotion import Phase, Promotion
from core.records.bundle import Ref
from core.records.cluster_event import ClusterEvent
from core.records.outgoing_event import DropReason, OutgoingEvent, Subscription
from core.redaction import quiet

# A start is told once the namespace is known to be ours. That takes a second, or minutes where a rollout waits for something: a look
# is a write, so the next one comes after as long as it has waited already.
LOOK_SECONDS, LONGEST_LOOK_SECONDS = 2.0, 60.0
_REASONS = {
    Phase.RUNNING: "RolloutVerified",
    Phase.REVERTED: "RolledBack",
    Phase.SUPERSEDED: "RolloutSuperseded",
}


class ClusterEventReceiver:
    """`bot.outgoing.receiver.Receiver` of Kubernetes."""

    def __init__(self, read: StoreReader, cluster: Cluster, clock: Clock) -> None:
        self._read = read
        self._cluster = cluster
        self._clock = clock

    async def deliver(self, subscription: Subscription, event: OutgoingEvent) -> Delivery:  # noqa: ARG002 - there is one cluster
        try:
            promotion = await self._read.promotion(event.subject)
            bundle = await self._read.bundle(promotion.release)
        except NotFound:
            return Skipped()
        if promotion.touched_at is None:
            # Nothing of a namespace that may not be ours is written before the anchor has said so.
            return Skipped() if promotion.settled else self._later(event)
        services = [s.workload for s in bundle.services if not s.resource] if bundle else []
        try:
            for ref in services:
                await self._cluster.record_event(promotion.app, await self._told(promotion, event, ref))
        except (Rejected, Unreachable) as error:
            return Undelivered(
                answer=quiet(str(error)), drop=_dropped(error), of_event=isinstance(error, NotYet)
            )
        return Delivered(answer="written")

    def _later(self, event: OutgoingEvent) -> Postponed:
        waited = (self._clock.now() - event.at).total_seconds()
        return Postponed(seconds=min(max(LOOK_SECONDS, waited), LONGEST_LOOK_SECONDS))

    async def _told(self, promotion: Promotion, event: OutgoingEvent, ref: Ref) -> ClusterEvent:
        name = f"{ref.name}.{promotion.id.lower()}"
        asker = promotion.requested_by.plain
        if event.type == STARTED:
            return ClusterEvent(
                name=f"{name}.started",
                ref=ref,
                reason="RolloutStarted",
                action=promotion.kind.capitalize(),
                note=f"{promotion.id}: {promotion.kind} of {promotion.release} has started, requested by {asker}",
                warning=False,
                at=event.at,
            )
        ids = [each for each in (promotion.release, promotion.back_to) if each]
        redact = await redactor_of_releases(self._read, promotion.app, ids)
        return ClusterEvent(
            name=f"{name}.ended",
            ref=ref,
            reason=_REASONS.get(promotion.phase, "RolloutFailed"),
            action=promotion.kind.capitalize(),
            note=redact(f"{promotion.id}: {promotion.kind} of {promotion.release}: {ending(promotion)}"),
            warning=promotion.phase is not Phase.RUNNING,
            at=event.at,
        )


def _dropped(error: Rejected | Unreachable) -> DropReason | None:
    if isinstance(error, Denied):
        return "unauthorized"
    return "rejected" if isinstance(error, Rejected) else None

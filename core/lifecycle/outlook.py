"""What an approver has to see that no record of the promotion says: objects and addresses that change, and how it went last time.

It reads bundles and what became of promotions before, so it is looked up once for a card that waits.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from core.lifecycle.release_diff import ReleaseDiff, ReleaseSide, release_diff
from core.ports.cluster import Cluster
from core.ports.store import StoreReader
from core.promotion import Phase, Promotion
from core.records.bundle import Bundle
from core.records.release import Release

# Promotions that are looked through for the last one that says how it may go; what is older says little.
MOST_EARLIER = 20
# Endings by which a rollout has said how its release does.
TELLING = frozenset({Phase.RUNNING, Phase.REVERTED, Phase.FAILURE, Phase.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What promoting a release will come to, as far as it is known before.

    Attributes:
        objects: how the objects of the cluster change; None where nothing runs that they could be compared with.
        opened, closed: addresses from outside that there will be, and that there will be no longer.
        earlier: the promotion that tells best how it may go: an attempt with this release that failed, else the last rollout.
    """

    objects: ReleaseDiff | None = None
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    earlier: Promotion | None = None


NO_OUTLOOK = Outlook()


async def read_outlook(
    read: StoreReader, cluster: Cluster, promotion: Promotion, release: Release, active: Release | None
) -> Outlook:
    """Look up what is known before a promotion begins.

    Args:
        read: the records.
        cluster: knows which objects lead from outside to a service.
        promotion: what waits.
        release: what it promotes.
        active: what runs; None where nothing does, or this very release.
    """
    earlier = earlier_rollout(await read.promotions(promotion.app, MOST_EARLIER), promotion)
    new = await read.bundle(release.id)
    old = await read.bundle(active.id) if active else None
    if new is None or (active is not None and old is None):
        return Outlook(earlier=earlier)
    after, before = cluster.addresses(new), cluster.addresses(old) if old else ()
    return Outlook(
        objects=await asyncio.to_thread(_compared, active, old, release, new) if active and old else None,
        opened=tuple(each for each in after if each not in before),
        closed=tuple(each for each in before if each not in after),
        earlier=earlier,
    )


def earlier_rollout(promotions: Iterable[Promotion], promotion: Promotion) -> Promotion | None:
    """Return the promotion before this one that tells best how it may go, of some of the same app, newest first.

    An attempt with the same release that did not go well says more than what another release did. A restart says nothing of a
    release, and what a person has cancelled says nothing of how it would have ended.
    """
    told = [
        each
        for each in promotions
        if each.phase in TELLING and not each.restarts and not each.cancelled_by and each.id != promotion.id
    ]
    same = (each for each in told if each.release == promotion.release and each.phase is not Phase.RUNNING)
    return next(same, None) or next(iter(told), None)


def _compared(active: Release, old: Bundle, release: Release, new: Bundle) -> ReleaseDiff:
    return release_diff(
        ReleaseSide(release=active, build=None, bundle=old),
        ReleaseSide(release=release, build=None, bundle=new),
    )

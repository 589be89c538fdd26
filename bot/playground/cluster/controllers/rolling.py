"""How a Deployment's controller moves counts between replica sets, as functions of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.playground.cluster.quantities import share

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How far a rollout may stray from the wanted count.

    Attributes:
        replicas: the wanted count.
        surge: pods above it.
        unavailable: pods missing from it.
    """

    replicas: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        return self.replicas + self.surge

    @property
    def fewest(self) -> int:
        return self.replicas - self.unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A replica set in numbers.

    Attributes:
        name: its name.
        spec: how many pods it is to have.
        available: how many are available.
        most_before: the deployment's largest size when this one was last sized, `None` if unknown.
    """

    name: str
    spec: int
    available: int = 0
    most_before: int | None = None


def room_of(spec: Document) -> Room:
    """Return the room a Deployment's spec leaves; if both numbers come to 0, one pod may be missing."""
    replicas = int(spec["replicas"])
    if spec["strategy"]["type"] == "Recreate":
        return Room(replicas=replicas, surge=0, unavailable=0)
    rolling = spec["strategy"]["rollingUpdate"]
    surge = share(rolling["maxSurge"], replicas, up=True)
    unavailable = share(rolling["maxUnavailable"], replicas, up=False)
    if not surge and not unavailable:
        unavailable = 1
    return Room(replicas=replicas, surge=surge, unavailable=min(unavailable, replicas))


def new_size(room: Room, new: Sized | None, old: Sequence[Sized], *, recreate: bool = False) -> int:
    """Return how many pods the new replica set is to have now."""
    size = new.spec if new else 0
    if recreate or size > room.replicas:
        return room.replicas
    total = size + sum(each.spec for each in old)
    if total >= room.most:
        return size
    return min(size + room.most - total, room.replicas) if size < room.replicas else size


def old_sizes(room: Room, new: Sized, old: Sequence[Sized]) -> dict[str, int]:
    """Return the sizes that old replica sets (oldest first) get now; those that stay are left out.

    Pods that are not available anyway go first; then as many as availability allows.
    """
    total = new.spec + sum(each.spec for each in old)
    spare = total - room.fewest - (new.spec - new.available)
    sizes = {each.name: each.spec for each in old}
    if spare <= 0:
        return {}
    for each in old:
        unhealthy = min(spare, max(0, each.spec - each.available))
        sizes[each.name] -= unhealthy
        spare -= unhealthy
    available = new.available + sum(each.available for each in old)
    surplus = available - room.fewest
    for each in old:
        goes = max(0, min(sizes[each.name], surplus))
        sizes[each.name] -= goes
        surplus -= goes
    return {each.name: sizes[each.name] for each in old if sizes[each.name] != each.spec}


def proportional_sizes(room: Room, active: Sequence[Sized]) -> dict[str, int]:
    """Spread a new count over replica sets in the middle of a rollout, each by its share.

    Args:
        room: with the new count.
        active: replica sets with pods, newest first.
    """
    allowed = room.most if room.replicas else 0
    missing = allowed - sum(each.spec for each in active)
    order = sorted(active, key=lambda each: -each.spec)
    sizes: dict[str, int] = {}
    added = 0
    for each in order:
        part = _fraction(room, each) if missing and each.spec else 0
        left = missing - added
        part = min(part, left) if missing > 0 else max(part, left)
        sizes[each.name] = each.spec + part
        added += part
    if order and missing:
        sizes[order[0].name] = max(0, sizes[order[0].name] + missing - added)
    return {each.name: sizes[each.name] for each in active if sizes[each.name] != each.spec}


def _fraction(room: Room, each: Sized) -> int:
    if not room.replicas:
        return -each.spec
    before = each.most_before or room.most
    return round(each.spec * room.most / before) - each.spec

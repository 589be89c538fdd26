"""How a Deployment's controller moves counts between replica sets, as functions of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.playground.cluster.quantities import int_or_percent

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutBounds:
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
    def max_pods(self) -> int:
        return self.replicas + self.surge

    @property
    def min_available(self) -> int:
        return self.replicas - self.unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSetCounts:
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
    max_pods_before: int | None = None


def rollout_bounds(spec: Document) -> RolloutBounds:
    """Return the bounds of a Deployment's spec; if both numbers come to 0, one pod may be missing."""
    replicas = int(spec["replicas"])
    if spec["strategy"]["type"] == "Recreate":
        return RolloutBounds(replicas=replicas, surge=0, unavailable=0)
    rolling = spec["strategy"]["rollingUpdate"]
    surge = int_or_percent(rolling["maxSurge"], replicas, up=True)
    unavailable = int_or_percent(rolling["maxUnavailable"], replicas, up=False)
    if not surge and not unavailable:
        unavailable = 1
    return RolloutBounds(replicas=replicas, surge=surge, unavailable=min(unavailable, replicas))


def new_size(
    bounds: RolloutBounds,
    new: ReplicaSetCounts | None,
    old: Sequence[ReplicaSetCounts],
    *,
    recreate: bool = False,
) -> int:
    """Return how many pods the new replica set is to have now."""
    size = new.spec if new else 0
    if recreate or size > bounds.replicas:
        return bounds.replicas
    total = size + sum(each.spec for each in old)
    if total >= bounds.max_pods:
        return size
    return min(size + bounds.max_pods - total, bounds.replicas) if size < bounds.replicas else size


def old_sizes(
    bounds: RolloutBounds, new: ReplicaSetCounts, old: Sequence[ReplicaSetCounts]
) -> dict[str, int]:
    """Return the sizes that old replica sets (oldest first) get now; those that stay are left out.

    Pods that are not available anyway go first; then as many as availability allows.
    """
    total = new.spec + sum(each.spec for each in old)
    spare = total - bounds.min_available - (new.spec - new.available)
    sizes = {each.name: each.spec for each in old}
    if spare <= 0:
        return {}
    for each in old:
        unhealthy = min(spare, max(0, each.spec - each.available))
        sizes[each.name] -= unhealthy
        spare -= unhealthy
    available = new.available + sum(each.available for each in old)
    surplus = available - bounds.min_available
    for each in old:
        goes = max(0, min(sizes[each.name], surplus))
        sizes[each.name] -= goes
        surplus -= goes
    return {each.name: sizes[each.name] for each in old if sizes[each.name] != each.spec}


def proportional_sizes(bounds: RolloutBounds, active: Sequence[ReplicaSetCounts]) -> dict[str, int]:
    """Spread a new count over replica sets in the middle of a rollout, each by its share.

    Args:
        bounds: with the new count.
        active: replica sets with pods, newest first.
    """
    allowed = bounds.max_pods if bounds.replicas else 0
    missing = allowed - sum(each.spec for each in active)
    order = sorted(active, key=lambda each: -each.spec)
    sizes: dict[str, int] = {}
    added = 0
    for each in order:
        part = _fraction(bounds, each) if missing and each.spec else 0
        left = missing - added
        part = min(part, left) if missing > 0 else max(part, left)
        sizes[each.name] = each.spec + part
        added += part
    if order and missing:
        sizes[order[0].name] = max(0, sizes[order[0].name] + missing - added)
    return {each.name: sizes[each.name] for each in active if sizes[each.name] != each.spec}


def _fraction(bounds: RolloutBounds, each: ReplicaSetCounts) -> int:
    if not bounds.replicas:
        return -each.spec
    before = each.max_pods_before or bounds.max_pods
    return round(each.spec * bounds.max_pods / before) - each.spec

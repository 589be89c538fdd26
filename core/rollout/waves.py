"""The waves of a rollout: what is applied only once everything before it is verified (engine rules 25 and 29)."""

from collections.abc import Callable, Collection
from enum import IntEnum

from core.records.bundle import Bundle, Ref
from core.records.traits import Traits

Wave = tuple[Ref, ...]


class _Turn(IntEnum):
    """When an object's turn comes."""

    FIRST = 0
    RECREATED = 1
    AFTER_VERDICT = 2


def waves(bundle: Bundle, traits: Callable[[Ref], Traits]) -> tuple[Wave, ...]:
    """Return the objects of a bundle by when they are applied, each wave in apply order.

    What cannot run twice is taken down last, when the rest of the release is known to be good; where nothing else runs
    there is nothing to wait for. Only a bundle without any object has an empty wave.
    """
    recreated = {service.workload for service in bundle.services if service.recreates}
    if all(service.recreates for service in bundle.services):
        recreated.clear()

    def turn(ref: Ref) -> _Turn:
        if traits(ref).after_verdict:
            return _Turn.AFTER_VERDICT
        return _Turn.RECREATED if ref in recreated else _Turn.FIRST

    found = [tuple(ref for ref in bundle.refs if turn(ref) is each) for each in _Turn]
    return tuple(wave for wave in found if wave) or ((),)


def begun(order: tuple[Wave, ...], sent: Collection[Ref]) -> int:
    """Return the number of the last wave of which something was sent, 0 where nothing was."""
    return max((number for number, wave in enumerate(order) if not set(wave).isdisjoint(sent)), default=0)


def up_to(order: tuple[Wave, ...], number: int) -> frozenset[Ref]:
    """Return what is to be there once a wave is applied."""
    return frozenset(ref for wave in order[: number + 1] for ref in wave)

"""Taking objects away in the course of a rollout, each as a step; what is left over after the verdict is pruned instead."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from core.errors import Foreign
from core.ports.store import StoreReader
from core.promotion import Promotion
from core.records.bundle import Ref
from core.records.intent import Applied
from core.records.step import StepStage
from core.rollout.effects import BACK_PATIENCE, Effects, RolloutPorts


async def known_uids(read: StoreReader, promotion: Promotion) -> dict[Ref, str]:
    """Return the uids of the objects that a promotion has written, as far as it was told them."""
    return {step.ref: step.uid for step in await read.steps(promotion.id) if step.uid}


async def remove_all(
    ports: RolloutPorts,
    effects: Effects,
    promotion: Promotion,
    refs: Iterable[Ref],
    *,
    uids: Mapping[Ref, str],
    stage: StepStage = "back",
    limit: float = BACK_PATIENCE,
) -> None:
    """Remove objects; what an earlier life of this process has removed is not removed again.

    Args:
        ports: the cluster, and the steps so far.
        effects: what each removal goes through.
        promotion: whose stage it is.
        refs: what, in this order.
        uids: of the objects meant; for one that is missing, the object that is there.
        stage: forward, or on the way back.
        limit: as of `Effects.retry`, which says what is raised.
    """
    steps = await ports.store.read.steps(promotion.id)
    gone = {s.ref for s in steps if (s.stage, s.action, s.state) == (stage, "remove", "done")}
    for ref in refs:
        if ref not in gone:
            await _remove(ports, effects, promotion, ref, uids.get(ref, ""), stage=stage, limit=limit)


async def _remove(
    ports: RolloutPorts,
    effects: Effects,
    promotion: Promotion,
    ref: Ref,
    uid: str,
    *,
    stage: StepStage,
    limit: float,
) -> None:
    async def effect() -> Applied:
        await ports.cluster.delete(promotion.app, ref, uid=uid, token=promotion.token)
        return Applied(ref=ref, uid=uid, generation=0)

    await effects.step(promotion, stage=stage, ref=ref, action="remove", effect=effect, limit=limit)


async def take_away(ports: RolloutPorts, effects: Effects, promotion: Promotion, refs: Iterable[Ref]) -> None:
    """Take out of service, on the way back, what the release to go back to does not have.

    What may still be at work is only suspended: the prune removes it once that is done (engine rule 29).
    """
    uids = await known_uids(ports.store.read, promotion)
    for ref in refs:
        # What was refused since somebody else's stands there was never made.
        with suppress(Foreign):
            if ports.cluster.traits(ref).suspended:
                await _suspend(ports, effects, promotion, ref, uids.get(ref, ""))
            else:
                await remove_all(ports, effects, promotion, [ref], uids=uids)


async def _suspend(ports: RolloutPorts, effects: Effects, promotion: Promotion, ref: Ref, uid: str) -> None:
    async def effect() -> Applied:
        await ports.cluster.suspend(promotion.app, ref, uid=uid, token=promotion.token)
        return Applied(ref=ref, uid=uid, generation=0)

    await effects.step(promotion, stage="back", ref=ref, action="suspend", effect=effect, limit=BACK_PATIENCE)

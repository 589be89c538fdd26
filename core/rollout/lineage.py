"""What a promotion takes over from others: effects to undo, counts to put back, secrets to keep quiet about."""

from collections.abc import Mapping

from core.lifecycle.redacting import redactor_of_releases
from core.ports.store import StoreReader
from core.promotion import Promotion
from core.records.bundle import Bundle, Ref
from core.records.claim import Claim
from core.records.intent import Applied, Intent
from core.records.step import StepAction, StepStage
from core.redaction import Redactor


async def lineage(read: StoreReader, promotion: Promotion) -> tuple[Promotion, ...]:
    """Return the promotion and, newest first, those it took over after they had touched the cluster.

    What they did is the promotion's own to undo: none of them goes back any more.
    """
    chain = [promotion]
    while (earlier := chain[-1].baseline_of) is not None:
        chain.append(await read.promotion(earlier))
    return tuple(chain)


async def claim_of(read: StoreReader, promotion: Promotion) -> Claim:
    """Return who wants to write where this promotion does, as the anchor is asked (engine rule 59)."""
    return Claim(
        installation=await read.installation(),
        token=promotion.token,
        promotion=promotion.id,
        touched=promotion.touched_at is not None,
    )


async def bundles_of(read: StoreReader, promotion: Promotion) -> tuple[Bundle, ...]:
    """Return the bundle of the promotion and of each that it took over."""
    found = [await read.bundle(each.release) for each in await lineage(read, promotion)]
    return tuple(bundle for bundle in found if bundle is not None)


async def scaled_by(read: StoreReader, promotion: Promotion) -> frozenset[Ref]:
    """Return the workloads whose count the promotion, or one that it took over, may have set."""
    steps = [step for each in await lineage(read, promotion) for step in await read.steps(each.id)]
    return frozenset(s.ref for s in steps if s.stage == "forward" and s.action == "scale")


async def changed_by(read: StoreReader, promotion: Promotion, *actions: StepAction) -> tuple[Ref, ...]:
    """Return to what the promotion, or one that it took over, may have done this on its way forward, in that order."""
    steps = [step for each in reversed(await lineage(read, promotion)) for step in await read.steps(each.id)]
    return tuple(dict.fromkeys(s.ref for s in steps if s.stage == "forward" and s.action in actions))


async def earlier_pods_of(
    read: StoreReader, promotion: Promotion, release: str, intent: Intent
) -> Mapping[str, int]:
    """Return the pods, uid → restarts, that need no settle window: they were there before and their release was verified.

    That our own records say so is worth more than any stamp of a node (engine rule 51). What a promotion that was taken over
    had just made stood in no window yet.
    """
    if (await read.release_status(release)).verified_at is None:
        return {}
    earlier = [await read.intent(each.id) for each in (await lineage(read, promotion))[1:]]
    return {
        uid: restarts
        for uid, restarts in intent.pods.items()
        if all(found is None or uid in found.pods for found in earlier)
    }


async def applied_of(read: StoreReader, promotion: Promotion, stage: StepStage) -> tuple[Applied, ...]:
    """Return what the applies of a stage have answered, as far as its steps tell."""
    steps = [s for s in await read.steps(promotion.id) if s.stage == stage]
    # A state from between the two would be one of another count, or of the pods of before a restart.
    later: dict[Ref, int] = {}
    for step in steps:
        if step.action in {"scale", "restart"}:
            later[step.ref] = max(step.generation, later.get(step.ref, 0))
    return tuple(
        Applied(
            ref=s.ref,
            uid=s.uid,
            generation=max(s.generation, later.get(s.ref, 0)),
            changed=s.changed or s.ref in later,
            template=s.template,
        )
        for s in steps
        if s.action == "apply"
    )


async def redactor_of(read: StoreReader, promotion: Promotion) -> Redactor:
    """Return what knows the values of every environment whose pods may speak meanwhile (engine rule 17)."""
    app = await read.any_app(promotion.app)
    taken = {each.release for each in await lineage(read, promotion)}
    ids = {i for i in (promotion.back_to, app.active_release, *taken) if i is not None}
    return await redactor_of_releases(read, promotion.app, ids)

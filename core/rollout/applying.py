"""Sending a bundle, object by object: forward unforced, on the way back forced, counts through /scale only."""

from collections.abc import Iterable
from dataclasses import replace

from core.errors import Rejected
from core.failpoints import failpoint
from core.promotion import Promotion
from core.records.bundle import Bundle, Ref
from core.records.intent import Applied, Intent
from core.records.step import StepStage
from core.rollout.counts import PodCounts, pod_counts
from core.rollout.effects import BACK_PATIENCE, Effects, RolloutPorts
from core.rollout.lineage import bundles_of, claim_of, scaled_by


class BundleApplier:
    """Applies bundles for one promotion at a time."""

    def __init__(self, ports: RolloutPorts, effects: Effects) -> None:
        self._ports = ports
        self._effects = effects

    async def forward(self, promotion: Promotion, intent: Intent) -> tuple[Applied, ...]:
        """Apply the release; what an earlier life of this process has done is not done again.

        Raises:
            StalePromotion, StageTimeout, Rejected: as Effects.retry.
        """
        read = self._ports.store.read
        bundle = await read.bundle(promotion.release)
        assert bundle is not None, "a bundle is stored with the request"
        counts = await self._counts(promotion, bundle, intent)
        return await self._apply(
            promotion, bundle, stage="forward", counts=counts, limit=promotion.limits.pending
        )

    async def back(self, promotion: Promotion, intent: Intent) -> tuple[Applied, ...]:
        """Apply the stored bundle of the release that the promotion goes back to; errors as `forward`."""
        assert promotion.back_to is not None
        bundle = await self._ports.store.read.bundle(promotion.back_to)
        if bundle is None:
            raise Rejected(f"the objects of {promotion.back_to} are not stored")
        steps = await self._ports.store.read.steps(promotion.id)
        known = [s.uid for s in steps if s.stage == "forward" and s.action == "apply"]
        counts = await self._counts(promotion, bundle, intent, known)
        return await self._apply(promotion, bundle, stage="back", counts=counts, limit=BACK_PATIENCE)

    async def _counts(
        self, promotion: Promotion, bundle: Bundle, intent: Intent, known: Iterable[str] = ()
    ) -> PodCounts:
        return pod_counts(
            [s for s in bundle.services if self._ports.cluster.traits(s.workload).counted],
            intent,
            scaled=await scaled_by(self._ports.store.read, promotion),
            seen=promotion.progress.counts,
            known=known,
        )

    async def _apply(
        self,
        promotion: Promotion,
        bundle: Bundle,
        *,
        stage: StepStage,
        counts: PodCounts,
        limit: float,
    ) -> tuple[Applied, ...]:
        done = {
            (s.ref, s.action): Applied(ref=s.ref, uid=s.uid, generation=s.generation, changed=s.changed)
            for s in await self._ports.store.read.steps(promotion.id)
            if s.stage == stage and s.state == "done" and s.token == promotion.token
        }
        await self._anchor(promotion, stage=stage, limit=limit)
        applied: dict[Ref, Applied] = {}
        for ref in bundle.refs:
            answer = done.get((ref, "apply")) or await self._object(
                promotion, bundle, ref, stage=stage, counts=counts, limit=limit
            )
            applied[ref] = answer
            replicas = counts.of(answer)
            if replicas is not None:
                if (ref, "scale") not in done:
                    await self._scale(promotion, ref, replicas, stage=stage, counts=counts, limit=limit)
                applied[ref] = replace(answer, changed=True)
            if stage == "back":
                failpoint("back.after_apply")
        return tuple(applied.values())

    async def _anchor(self, promotion: Promotion, *, stage: StepStage, limit: float) -> None:
        read, cluster = self._ports.store.read, self._ports.cluster
        app = await read.app(promotion.app)
        # Its intent is stored by now, whatever was known of it when it was handed over.
        claim = replace(await claim_of(read, promotion), touched=True)
        await self._effects.step(
            promotion,
            stage=stage,
            ref=cluster.anchor,
            action="anchor",
            effect=lambda: cluster.claim_anchor(app, claim),
            limit=limit,
        )

    async def _object(
        self,
        promotion: Promotion,
        bundle: Bundle,
        ref: Ref,
        *,
        stage: StepStage,
        counts: PodCounts,
        limit: float,
    ) -> Applied:
        return await self._effects.step(
            promotion,
            stage=stage,
            ref=ref,
            action="apply",
            effect=lambda: self._ports.cluster.apply(
                promotion.app,
                bundle,
                ref,
                token=promotion.token,
                force=stage == "back" or promotion.forced,
            ),
            limit=limit,
            # One that is to be scaled is in order once it has been.
            count=None if ref in counts.given else counts.asked.get(ref),
        )

    async def _scale(
        self,
        promotion: Promotion,
        ref: Ref,
        replicas: int,
        *,
        stage: StepStage,
        counts: PodCounts,
        limit: float,
    ) -> Applied:
        return await self._effects.step(
            promotion,
            stage=stage,
            ref=ref,
            action="scale",
            effect=lambda: self._ports.cluster.scale(promotion.app, ref, replicas, token=promotion.token),
            limit=limit,
            count=counts.asked[ref],
        )

    async def remove(self, promotion: Promotion, intent: Intent) -> tuple[Ref, ...]:
        """Remove what this promotion created, where there is nothing to go back to (engine rule 4).

        Returns:
            The refs that must be gone before the promotion has ended.
        """
        made = {r: None for b in await bundles_of(self._ports.store.read, promotion) for r in b.refs}
        traits = self._ports.cluster.traits
        created = [r for r in made if traits(r).removed and not _existed(intent, r)]
        uids = {s.ref: s.uid for s in await self._ports.store.read.steps(promotion.id) if s.uid}
        # Workloads first, so that no pod runs without its Secret.
        for ref in reversed(created):
            await self._remove(promotion, ref, uids.get(ref, ""))
        return tuple(created)

    async def _remove(self, promotion: Promotion, ref: Ref, uid: str) -> None:
        async def effect() -> Applied:
            await self._ports.cluster.delete(promotion.app, ref, uid=uid, token=promotion.token)
            return Applied(ref=ref, uid=uid, generation=0)

        await self._effects.step(
            promotion, stage="back", ref=ref, action="remove", effect=effect, limit=BACK_PATIENCE
        )

    def existed_before(self, intent: Intent) -> bool:
        """Tell whether anything of the app that can serve was there before the promotion."""
        return any(o.existed and self._ports.cluster.traits(o.ref).pruned for o in intent.objects)

    def added(self, intent: Intent, forward: Iterable[Bundle], back: Bundle) -> tuple[Ref, ...]:
        """Return what a promotion added that the release it went back to does not have (engine rule 25)."""
        made = {r: None for bundle in forward for r in bundle.refs}
        keep, traits = set(back.refs), self._ports.cluster.traits
        return tuple(r for r in made if r not in keep and traits(r).pruned and not _existed(intent, r))


def _existed(intent: Intent, ref: Ref) -> bool:
    found = intent.of(ref)
    return found is not None and found.existed

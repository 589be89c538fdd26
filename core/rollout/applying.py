"""Sending a bundle, object by object: forward unforced, on the way back forced, counts through /scale only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from core.errors import Rejected
from core.failpoints import failpoint
from core.lifecycle.bundles import sendable
from core.promotion import Promotion
from core.records.bundle import Bundle, Ref
from core.records.intent import Applied, Intent
from core.records.step import StepAction, StepStage
from core.rollout.counts import PodCounts, pod_counts
from core.rollout.effects import BACK_PATIENCE, Effects, RolloutPorts
from core.rollout.lineage import bundles_of, changed_by, claim_of, scaled_by
from core.rollout.removing import known_uids, remove_all, take_away
from core.rollout.waves import Wave


class BundleApplier:
    """Applies bundles for one promotion at a time."""

    def __init__(self, ports: RolloutPorts, effects: Effects) -> None:
        self._ports = ports
        self._effects = effects

    async def forward(
        self, promotion: Promotion, intent: Intent, bundle: Bundle, wave: Wave, *, limit: float
    ) -> None:
        """Apply one wave of the release; what an earlier life of this process has done is not done again.

        Raises:
            StalePromotion, StageTimeout, Rejected: as Effects.retry.
        """
        counts = await self._counts(promotion, bundle, intent)
        await self._announce(promotion, wave, stage="forward")
        await self._anchor(promotion, stage="forward", limit=limit)
        await self._hand_over_counts(promotion, bundle, intent, wave, stage="forward", limit=limit)
        # The same in every life of the process: a second one would replace the pods twice.
        began = promotion.started_at.isoformat() if promotion.started_at else ""
        restarts = dict.fromkeys(_restarted(promotion, bundle), began)
        await self._apply(
            promotion, bundle, wave, stage="forward", counts=counts, restarts=restarts, limit=limit
        )

    async def _hand_over_counts(
        self,
        promotion: Promotion,
        bundle: Bundle,
        intent: Intent,
        refs: Collection[Ref],
        *,
        stage: StepStage,
        limit: float,
    ) -> None:
        """Remove the autoscalers that the bundle does not have, before their services are applied (engine rule 20).

        One of a service that goes altogether stays with it until the prune.
        """
        names = {s.name for s in bundle.services if s.workload in refs}
        traits = self._ports.cluster.traits
        gone = [
            o
            for o in intent.objects
            # One that was taken over with its promotion did not exist before, and is there all the same.
            if o.uid and traits(o.ref).scales and o.ref.name in names and o.ref not in bundle.refs
        ]
        uids = {o.ref: o.uid for o in gone}
        await remove_all(self._ports, self._effects, promotion, uids, uids=uids, stage=stage, limit=limit)

    async def back(self, promotion: Promotion, intent: Intent) -> None:
        """Revert what followed the verdict, then apply the stored bundle of the release that the promotion goes back to.

        Raises:
            StalePromotion, StageTimeout, Rejected: as `forward`.
        """
        assert promotion.back_to is not None
        bundle = await self._ports.store.read.bundle(promotion.back_to)
        if bundle is None:
            raise Rejected(f"the objects of {promotion.back_to} are not stored")
        steps = await self._ports.store.read.steps(promotion.id)
        known = [s.uid for s in steps if s.stage == "forward" and s.action == "apply"]
        counts = await self._counts(promotion, bundle, intent, known)
        reverted = await self._after_verdict(promotion)
        first = [ref for ref in reverted if ref in bundle.refs]
        order = (*first, *(ref for ref in bundle.refs if ref not in first))
        await self._announce(promotion, order, stage="back")
        await self._anchor(promotion, stage="back", limit=BACK_PATIENCE)
        missing = [ref for ref in reverted if ref not in bundle.refs]
        await take_away(self._ports, self._effects, promotion, missing)
        await self._hand_over_counts(
            promotion, bundle, intent, bundle.refs, stage="back", limit=BACK_PATIENCE
        )
        noted = {o.ref: o.restarted for o in intent.objects}
        await self._apply(
            promotion,
            bundle,
            order,
            stage="back",
            counts=counts,
            restarts={ref: noted.get(ref, "") for ref in _restarted(promotion, bundle)},
            limit=BACK_PATIENCE,
        )

    async def _after_verdict(self, promotion: Promotion) -> tuple[Ref, ...]:
        """Return what follows a verdict and this promotion, or one that it took over, has changed; the last one first.

        One that existed before goes as well where the release it goes back to has none: what it says is ours by now.
        """
        changed = await changed_by(self._ports.store.read, promotion, "apply", "remove")
        return tuple(ref for ref in reversed(changed) if self._ports.cluster.traits(ref).after_verdict)

    async def _counts(
        self, promotion: Promotion, bundle: Bundle, intent: Intent, known: Iterable[str] = ()
    ) -> PodCounts:
        read, traits = self._ports.store.read, self._ports.cluster.traits
        # What an autoscaler of this promotion has made of a count is undone as what it has set itself; one that it has only
        # removed has made nothing of it.
        applied = await changed_by(read, promotion, "apply")
        by_load = {ref.name for ref in applied if traits(ref).scales}
        counted = [s for s in bundle.services if traits(s.workload).counted]
        return pod_counts(
            counted,
            intent,
            scaled=await scaled_by(read, promotion) | {s.workload for s in counted if s.name in by_load},
            seen=promotion.progress.counts,
            known=known,
            autoscaled={o.ref.name for o in intent.objects if o.existed and traits(o.ref).scales},
        )

    async def _apply(
        self,
        promotion: Promotion,
        bundle: Bundle,
        refs: Iterable[Ref],
        *,
        stage: StepStage,
        counts: PodCounts,
        restarts: Mapping[Ref, str],
        limit: float,
    ) -> None:
        done = await self._done(promotion, stage)
        bundle = await sendable(self._ports.store.read, self._ports.cluster, promotion, bundle)
        for ref in refs:
            answer = done.get((ref, "apply")) or await self._object(
                promotion, bundle, ref, stage=stage, counts=counts, limit=limit
            )
            replicas = counts.of(answer)
            if replicas is not None and (ref, "scale") not in done:
                await self._scale(promotion, ref, replicas, stage=stage, counts=counts, limit=limit)
            if ref in restarts and (ref, "restart") not in done:
                await self._restart(promotion, ref, restarts[ref], stage=stage, limit=limit)
            if stage == "back":
                failpoint("back.after_apply")

    async def _done(self, promotion: Promotion, stage: StepStage) -> dict[tuple[Ref, StepAction], Applied]:
        """Return what this stage has done under its own number, and what the cluster answered."""
        return {
            (s.ref, s.action): Applied(ref=s.ref, uid=s.uid, generation=s.generation, changed=s.changed)
            for s in await self._ports.store.read.steps(promotion.id)
            if s.stage == stage and s.state == "done" and s.token == promotion.token
        }

    async def _announce(self, promotion: Promotion, refs: Iterable[Ref], *, stage: StepStage) -> None:
        """Write that the anchor and all of these are about to be sent, in one transaction for what follows."""
        done = await self._done(promotion, stage)
        coming: list[tuple[Ref, StepAction]] = [(ref, "apply") for ref in refs if (ref, "apply") not in done]
        await self._effects.announce(promotion, stage, [(self._ports.cluster.anchor, "anchor"), *coming])

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

    async def _restart(
        self, promotion: Promotion, ref: Ref, at: str, *, stage: StepStage, limit: float
    ) -> Applied:
        return await self._effects.step(
            promotion,
            stage=stage,
            ref=ref,
            action="restart",
            effect=lambda: self._ports.cluster.restart(promotion.app, ref, at, token=promotion.token),
            limit=limit,
        )

    async def remove(self, promotion: Promotion, intent: Intent) -> tuple[Ref, ...]:
        """Remove what this promotion created, where there is nothing to go back to (engine rule 4).

        Returns:
            The refs that must be gone before the promotion has ended.
        """
        made = {r: None for b in await bundles_of(self._ports.store.read, promotion) for r in b.refs}
        traits = self._ports.cluster.traits
        created = [r for r in made if traits(r).removed and not _existed(intent, r)]
        # Workloads first, so that no pod runs without its Secret.
        uids = await known_uids(self._ports.store.read, promotion)
        await remove_all(self._ports, self._effects, promotion, reversed(created), uids=uids)
        return tuple(created)

    async def left_over(self, promotion: Promotion, intent: Intent, back: Bundle) -> tuple[Ref, ...]:
        """Return what the release that a promotion went back to does not have, and the promotion has added (engine rule 25).

        Of what follows a verdict also what was there before: what it says is the promotion's own.
        """
        read, traits = self._ports.store.read, self._ports.cluster.traits
        made = {r: None for bundle in await bundles_of(read, promotion) for r in bundle.refs}
        changed = {r for r in await changed_by(read, promotion, "apply", "remove") if traits(r).after_verdict}
        keep = set(back.refs)
        return tuple(
            r
            for r in made
            if r not in keep and traits(r).pruned and (r in changed or not _existed(intent, r))
        )


def _restarted(promotion: Promotion, bundle: Bundle) -> list[Ref]:
    """Return the workloads whose pods a promotion replaces without another release."""
    return [s.workload for s in bundle.services if s.name in promotion.restarts]


def _existed(intent: Intent, ref: Ref) -> bool:
    found = intent.of(ref)
    return found is not None and found.existed

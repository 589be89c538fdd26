"""Sending a bundle, object by object: forward unforced, on the way back forced, counts through /scale only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from core.errors import Rejected
from core.failpoints import failpoint
from core.promotion import Promotion
from core.records.bundle import Bundle, BundleService, Ref
from core.records.intent import Applied, Intent
from core.records.step import StepStage
from core.rollout.effects import BACK_PATIENCE, Effects, RolloutPorts
from core.rollout.lineage import bundles_of, recorded_count, scaled_by


class BundleApplier:
    """Applies bundles for one promotion at a time."""

    def __init__(self, tools: RolloutPorts, effects: Effects) -> None:
        self._tools = tools
        self._effects = effects

    async def forward(self, promotion: Promotion, intent: Intent) -> tuple[Applied, ...]:
        """Apply the release; what an earlier life of this process has done is not done again.

        Raises:
            StalePromotion, StageTimeout, Rejected: as Effects.retry.
        """
        read = self._tools.store.read
        bundle = await read.bundle(promotion.release)
        assert bundle is not None, "a bundle is stored with the request"
        app = await read.app(promotion.app)
        active = await read.bundle(app.active) if app.active else None
        counted, changed = self._counted(bundle), _changed(bundle, active)
        counts = _forward_counts(counted, changed, intent, await scaled_by(read, promotion))
        counts |= await self._recorded(promotion.app, counted, intent, keep=changed)
        return await self._apply(
            promotion, bundle, stage="forward", counts=counts, limit=promotion.limits.pending
        )

    async def back(self, promotion: Promotion, intent: Intent) -> tuple[Applied, ...]:
        """Apply the stored bundle of the release that the promotion goes back to; errors as `forward`."""
        assert promotion.back_to is not None
        read = self._tools.store.read
        bundle = await read.bundle(promotion.back_to)
        if bundle is None:
            raise Rejected(f"the objects of {promotion.back_to} are not stored")
        counted = self._counted(bundle)
        counts = _back_counts(counted, intent, await scaled_by(read, promotion))
        counts |= await self._recorded(promotion.app, counted, intent)
        return await self._apply(promotion, bundle, stage="back", counts=counts, limit=BACK_PATIENCE)

    def _counted(self, bundle: Bundle) -> list[BundleService]:
        """Return the services whose workload has a count of its own."""
        return [s for s in bundle.services if self._tools.cluster.traits(s.workload).counted]

    async def _recorded(
        self,
        app: str,
        counted: Iterable[BundleService],
        intent: Intent,
        keep: frozenset[str] = frozenset(),
    ) -> dict[Ref, int]:
        """Return the last recorded counts of workloads that must be made again; 0 stays 0 (engine rule 20).

        Args:
            app: whose.
            counted: the services of the bundle that is applied.
            intent: what was there.
            keep: names whose count the manifest has changed since; a recorded 0 holds even then.
        """
        counts: dict[Ref, int] = {}
        for service in counted:
            if _existed(intent, service.workload):
                continue
            recorded = await recorded_count(self._tools.store.read, app, service.workload)
            if recorded is not None and (service.name not in keep or recorded == 0):
                counts[service.workload] = recorded
        return counts

    async def _apply(
        self,
        promotion: Promotion,
        bundle: Bundle,
        *,
        stage: StepStage,
        counts: Mapping[Ref, int],
        limit: float,
    ) -> tuple[Applied, ...]:
        done = {
            (s.ref, s.action): Applied(ref=s.ref, uid=s.uid, generation=s.generation, changed=s.changed)
            for s in await self._tools.store.read.steps(promotion.id)
            if s.stage == stage and s.state == "done" and s.token == promotion.token
        }
        await self._anchor(promotion, stage=stage, limit=limit)
        applied: dict[Ref, Applied] = {}
        for ref in bundle.refs:
            answer = done.get((ref, "apply")) or await self._object(
                promotion, bundle, ref, stage=stage, limit=limit
            )
            applied[ref] = answer
            if ref in counts:
                if (ref, "scale") not in done:
                    await self._scale(promotion, ref, counts[ref], stage=stage, limit=limit)
                applied[ref] = replace(answer, changed=True)
            if stage == "back":
                failpoint("back.after_apply")
        return tuple(applied.values())

    async def _anchor(self, promotion: Promotion, *, stage: StepStage, limit: float) -> None:
        read = self._tools.store.read
        app, installation = await read.app(promotion.app), await read.installation()
        cluster = self._tools.cluster
        await self._effects.step(
            promotion,
            stage=stage,
            ref=cluster.anchor,
            action="anchor",
            effect=lambda: cluster.claim_anchor(app, installation=installation, token=promotion.token),
            limit=limit,
        )

    async def _object(
        self, promotion: Promotion, bundle: Bundle, ref: Ref, *, stage: StepStage, limit: float
    ) -> Applied:
        return await self._effects.step(
            promotion,
            stage=stage,
            ref=ref,
            action="apply",
            effect=lambda: self._tools.cluster.apply(
                promotion.app,
                bundle,
                ref,
                token=promotion.token,
                force=stage == "back" or promotion.kind == "rollback",
            ),
            limit=limit,
        )

    async def _scale(
        self, promotion: Promotion, ref: Ref, count: int, *, stage: StepStage, limit: float
    ) -> Applied:
        return await self._effects.step(
            promotion,
            stage=stage,
            ref=ref,
            action="scale",
            effect=lambda: self._tools.cluster.scale(promotion.app, ref, count, token=promotion.token),
            limit=limit,
        )

    async def remove(self, promotion: Promotion, intent: Intent) -> tuple[Ref, ...]:
        """Remove what this promotion created, where there is nothing to go back to (engine rule 4).

        Returns:
            The refs that must be gone before the promotion has ended.
        """
        made = {r: None for b in await bundles_of(self._tools.store.read, promotion) for r in b.refs}
        traits = self._tools.cluster.traits
        created = [r for r in made if traits(r).removed and not _existed(intent, r)]
        uids = {s.ref: s.uid for s in await self._tools.store.read.steps(promotion.id) if s.uid}
        # Workloads first, so that no pod runs without its Secret.
        for ref in reversed(created):
            await self._remove(promotion, ref, uids.get(ref, ""))
        return tuple(created)

    async def _remove(self, promotion: Promotion, ref: Ref, uid: str) -> None:
        async def effect() -> Applied:
            await self._tools.cluster.remove(promotion.app, ref, uid=uid, token=promotion.token)
            return Applied(ref=ref, uid=uid, generation=0)

        await self._effects.step(
            promotion, stage="back", ref=ref, action="remove", effect=effect, limit=BACK_PATIENCE
        )

    def existed_before(self, intent: Intent) -> bool:
        """Tell whether anything of the app that can serve was there before the promotion."""
        return any(o.existed and self._tools.cluster.traits(o.ref).pruned for o in intent.objects)

    def added(self, intent: Intent, forward: Iterable[Bundle], back: Bundle) -> tuple[Ref, ...]:
        """Return what a promotion added that the release it went back to does not have (engine rule 25)."""
        made = {r: None for bundle in forward for r in bundle.refs}
        keep, traits = set(back.refs), self._tools.cluster.traits
        return tuple(r for r in made if r not in keep and traits(r).pruned and not _existed(intent, r))


def _existed(intent: Intent, ref: Ref) -> bool:
    found = intent.of(ref)
    return found is not None and found.existed


def _changed(bundle: Bundle, active: Bundle | None) -> frozenset[str]:
    """Return the services whose count the manifest has changed since the active release."""
    before = {s.name: s.count for s in active.services} if active else {}
    return frozenset(s.name for s in bundle.services if before.get(s.name, s.count) != s.count)


def _forward_counts(
    counted: Iterable[BundleService], changed: Collection[str], intent: Intent, scaled: Collection[Ref]
) -> dict[Ref, int]:
    """Return the counts to set: of workloads that did not exist, and those that the manifest has changed.

    Whatever a person has scaled stays, and 0 stays 0 (engine rule 20). What a rollout that was taken over has
    `scaled` gets its recorded count back.
    """
    counts: dict[Ref, int] = {}
    for service in counted:
        ref = service.workload
        found = intent.of(ref)
        if found is None or not found.existed or (service.name in changed and found.replicas != 0):
            counts[ref] = service.count
        elif ref in scaled and found.replicas is not None:
            counts[ref] = found.replicas
    return counts


def _back_counts(counted: Iterable[BundleService], intent: Intent, scaled: Collection[Ref]) -> dict[Ref, int]:
    """Return the recorded count of what this promotion has scaled; a person's own scaling stays."""
    counts: dict[Ref, int] = {}
    for service in counted:
        ref = service.workload
        found = intent.of(ref)
        if found is None or not found.existed:
            counts[ref] = service.count
        elif ref in scaled and found.replicas is not None:
            counts[ref] = found.replicas
    return counts

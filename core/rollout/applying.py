"""Sending a bundle, object by object: forward unforced, on the way back forced, counts through /scale only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from core.errors import Rejected
from core.failpoints import failpoint
from core.lifecycle.binding import KEPT_KINDS
from core.promotion import Promotion
from core.records.bundle import ANCHOR, Bundle, Ref
from core.records.intent import Applied, Intent
from core.rollout.effects import BACK_PATIENCE, Effects, RolloutPorts
from core.rollout.lineage import bundles_of, recorded_count, scaled_by

# Not even where there is nothing to go back to: a claim holds data (engine rule 4).
NEVER_REMOVED = frozenset({"PersistentVolumeClaim", "Namespace"})


class BundleApplier:
    """Applies bundles for one promotion at a time."""

    def __init__(self, tools: RolloutPorts, effects: Effects) -> None:
        self._tools = tools
        self._effects = effects

    async def forward(self, promotion: Promotion, intent: Intent) -> tuple[Applied, ...]:
        """Apply the release; what an earlier life of this process has done is not done again.

        Raises:
            Moved, Late, Rejected: as Effects.insist.
        """
        read = self._tools.store.read
        bundle = await read.bundle(promotion.release)
        assert bundle is not None, "a bundle is stored with the request"
        app = await read.app(promotion.app)
        active = await read.bundle(app.active) if app.active else None
        counts = _forward_counts(bundle, active, intent, await scaled_by(read, promotion))
        counts |= await self._recorded(promotion.app, bundle, intent, keep=_changed(bundle, active))
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
        counts = _back_counts(bundle, intent, await scaled_by(read, promotion))
        counts |= await self._recorded(promotion.app, bundle, intent)
        return await self._apply(promotion, bundle, stage="back", counts=counts, limit=BACK_PATIENCE)

    async def _recorded(
        self, app: str, bundle: Bundle, intent: Intent, keep: frozenset[str] = frozenset()
    ) -> dict[str, int]:
        """Return the last recorded counts of Deployments that must be made again; 0 stays 0 (engine rule 20).

        Args:
            app: whose.
            bundle: what is applied.
            intent: what was there.
            keep: names whose count the manifest has changed since; a recorded 0 holds even then.
        """
        counts: dict[str, int] = {}
        for service in bundle.services:
            ref = Ref("Deployment", service.name)
            if _existed(intent, ref):
                continue
            recorded = await recorded_count(self._tools.store.read, app, ref)
            if recorded is not None and (service.name not in keep or recorded == 0):
                counts[service.name] = recorded
        return counts

    async def _apply(
        self,
        promotion: Promotion,
        bundle: Bundle,
        *,
        stage: str,
        counts: Mapping[str, int],
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
            if ref.kind == "Deployment" and ref.name in counts:
                if (ref, "scale") not in done:
                    await self._scale(promotion, ref, counts[ref.name], stage=stage, limit=limit)
                applied[ref] = replace(answer, changed=True)
            if stage == "back":
                failpoint("back.after_apply")
        return tuple(applied.values())

    async def _anchor(self, promotion: Promotion, *, stage: str, limit: float) -> None:
        read = self._tools.store.read
        app, installation = await read.app(promotion.app), await read.installation()
        await self._effects.step(
            promotion,
            stage=stage,
            ref=ANCHOR,
            action="anchor",
            effect=lambda: self._tools.cluster.claim_anchor(
                app, installation=installation, token=promotion.token
            ),
            limit=limit,
        )

    async def _object(
        self, promotion: Promotion, bundle: Bundle, ref: Ref, *, stage: str, limit: float
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
        self, promotion: Promotion, ref: Ref, count: int, *, stage: str, limit: float
    ) -> Applied:
        return await self._effects.step(
            promotion,
            stage=stage,
            ref=ref,
            action="scale",
            effect=lambda: self._tools.cluster.scale(promotion.app, ref.name, count, token=promotion.token),
            limit=limit,
        )

    async def remove(self, promotion: Promotion, intent: Intent) -> tuple[Ref, ...]:
        """Remove what this promotion created, where there is nothing to go back to (engine rule 4).

        Returns:
            The refs that must be gone before the promotion has ended.
        """
        made = {r: None for b in await bundles_of(self._tools.store.read, promotion) for r in b.refs}
        created = [r for r in made if r.kind not in NEVER_REMOVED and not _existed(intent, r)]
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


def existed_before(intent: Intent) -> bool:
    """Tell whether anything of the app that can serve was there before the promotion."""
    return any(o.existed and o.ref.kind not in KEPT_KINDS for o in intent.objects)


def added(intent: Intent, forward: Iterable[Bundle], back: Bundle) -> tuple[Ref, ...]:
    """Return what a promotion added that the release it went back to does not have (engine rule 25)."""
    made = {r: None for bundle in forward for r in bundle.refs}
    keep = set(back.refs)
    return tuple(r for r in made if r not in keep and r.kind not in KEPT_KINDS and not _existed(intent, r))


def _existed(intent: Intent, ref: Ref) -> bool:
    found = intent.of(ref)
    return found is not None and found.existed


def _changed(bundle: Bundle, active: Bundle | None) -> frozenset[str]:
    """Return the services whose count the manifest has changed since the active release."""
    before = {s.name: s.count for s in active.services} if active else {}
    return frozenset(s.name for s in bundle.services if before.get(s.name, s.count) != s.count)


def _forward_counts(
    bundle: Bundle, active: Bundle | None, intent: Intent, scaled: Collection[str]
) -> dict[str, int]:
    """Return the counts to set: of Deployments that did not exist, and those that the manifest has changed.

    Whatever a person has scaled stays, and 0 stays 0 (engine rule 20). What a rollout that was taken over has
    `scaled` gets its recorded count back.
    """
    changed = _changed(bundle, active)
    counts: dict[str, int] = {}
    for service in bundle.services:
        found = intent.of(Ref("Deployment", service.name))
        if found is None or not found.existed or (service.name in changed and found.replicas != 0):
            counts[service.name] = service.count
        elif service.name in scaled and found.replicas is not None:
            counts[service.name] = found.replicas
    return counts


def _back_counts(bundle: Bundle, intent: Intent, scaled: Collection[str]) -> dict[str, int]:
    """Return the recorded count of what this promotion has scaled; a person's own scaling stays."""
    counts: dict[str, int] = {}
    for service in bundle.services:
        found = intent.of(Ref("Deployment", service.name))
        if found is None or not found.existed:
            counts[service.name] = service.count
        elif service.name in scaled and found.replicas is not None:
            counts[service.name] = found.replicas
    return counts

"""How the objects of a bundle get into the cluster: fenced, never adopting, never overwriting unasked."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.cluster.api.address import Address
from core.cluster.api.client import Json, KubeClient
from core.cluster.api.refusals import ApiFieldConflict, conflicting, owned_sentence
from core.cluster.documents import Document, generation_of, is_terminating, spec_of, uid_of
from core.cluster.fencing import AppNamespace, check_ours, fenced
from core.cluster.kinds import KINDS, MANAGED, WORKLOADS, count_of
from core.cluster.labels import FIELD_MANAGER, SCALE_MANAGER, SUSPENDED_ANNOTATION
from core.cluster.owners import ManagedFieldsWriter, foreign
from core.cluster.patches import (
    RECREATE,
    entered,
    enters_recreate,
    holds_count,
    scale_of,
    substance,
    suspended,
)
from core.cluster.races import retried
from core.cluster.templates import template_digest
from core.errors import Denied, FieldConflict, NotYet, Rejected
from core.records.bundle import Bundle, Ref
from core.records.intent import Applied


@dataclass(slots=True)
class _Tries:
    """What the tries of one apply have done besides.

    Attributes:
        taken: whose fields each of them takes over.
        patched: one of them has changed the object before the apply itself.
    """

    taken: list[str] = field(default_factory=list)
    patched: bool = False


class ObjectApplier:
    """Applies the objects of apps, for a try or for good."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._owners = ManagedFieldsWriter(client)

    async def preflight(self, ns: AppNamespace, bundle: Bundle, *, token: int, force: bool) -> None:
        """Let the server check every object without keeping it.

        Args:
            ns: where.
            bundle: what.
            token: our fencing number.
            force: as the applies will be: a person's rollback takes fields over, so they are no reason against it.

        Raises:
            Rejected: with every reason, each once; Denied where one of them is what a starting server says to everybody.
        """
        missing = await self._missing({ref.kind for ref in bundle.refs})

        async def check(ref: Ref) -> Rejected | None:
            if ref.kind in missing:
                return Denied(missing[ref.kind])
            try:
                # A dry run is bound to the state that was read as any other, and loses races as well.
                await self._apply(ns, bundle, ref, token=token, force=force, dry_run=True)
            except Rejected as error:
                return error
            return None

        # Nothing is kept of a dry run, so none has to wait for another: the first write comes a round trip later, not one an object.
        answers = await asyncio.gather(*map(check, bundle.refs), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Rejected):
                raise answer
        refused = {str(error): error for error in answers if isinstance(error, Rejected)}
        if refused:
            denied = any(isinstance(error, Denied) for error in refused.values())
            raise (Denied if denied else Rejected)("; ".join(refused))

    async def _missing(self, kinds: Iterable[str]) -> dict[str, str]:
        """Return, of the kinds that not every cluster has, those that this one has not, each with what to do."""
        found = {}
        for kind in sorted(kinds):
            remedy = KINDS[kind].optional
            if remedy and not await self._client.serves(KINDS[kind].resource):
                version = KINDS[kind].resource.api_version
                found[kind] = f"this cluster has no {kind} ({version}): {remedy}"
        return found

    async def apply(self, ns: AppNamespace, bundle: Bundle, ref: Ref, *, token: int, force: bool) -> Applied:
        """Apply one object; see `core.ports.cluster.Cluster.apply`."""
        tries = _Tries()
        before, after = await self._apply(
            ns, bundle, ref, token=token, force=force, dry_run=False, tries=tries
        )
        await self._owners.disown_others(ns.at(ref.kind, ref.name), after)
        changed = before is None or tries.patched or substance(before) != substance(after)
        return Applied(
            ref=ref,
            uid=uid_of(after),
            generation=generation_of(after),
            changed=changed,
            replicas=count_of(ref, after),
            template=template_digest(after),
            overwrote=", ".join(dict.fromkeys(filter(None, tries.taken))),
        )

    async def _apply(
        self,
        ns: AppNamespace,
        bundle: Bundle,
        ref: Ref,
        *,
        token: int,
        force: bool,
        dry_run: bool,
        tries: _Tries | None = None,
    ) -> tuple[Json | None, Json]:
        """Return the object before, if it was there, and after; `tries` collects what each try has done besides."""
        return await retried(
            lambda: self._apply_once(
                ns,
                bundle,
                ref,
                token=token,
                force=force,
                dry_run=dry_run,
                tries=tries or _Tries(),
            )
        )

    async def _apply_once(
        self,
        ns: AppNamespace,
        bundle: Bundle,
        ref: Ref,
        *,
        token: int,
        force: bool,
        dry_run: bool,
        tries: _Tries,
    ) -> tuple[Json | None, Json]:
        at = ns.at(ref.kind, ref.name)
        live = await self._client.get(at)
        if live is None and dry_run and ref.kind in WORKLOADS:
            await self._check_alone(ns, ref)
        if live is not None:
            check_ours(live, ref, token)
            if dry_run:
                _check_free(ref, live)
            # A dry run of one that is going has nobody to take a field from: it will be made anew.
            force = force or (dry_run and is_terminating(live))
            tries.taken.append(owned := foreign(live))
            if owned and not force:
                raise FieldConflict(owned_sentence(at, owned))
        wanted = _object(bundle, ref)
        if live is not None and not dry_run:
            live = await self._ready_for_us(ns, ref, live, token)
            tries.patched |= enters_recreate(wanted, live)
            live = await self._enter_recreate(at, live, wanted)
        if live is not None:
            wanted = MANAGED[ref.kind].onto(live, wanted, force)
        body = fenced(wanted, live, token)
        if dry_run:
            return live, await self._owners.dry_run(at, live, entered(body, live), force=force)
        body = await self._owners.claimed(at, live, body, template=force)
        return live, await self._send(at, body, force=force, taken=tries.taken)

    async def _send(self, at: Address, body: Json, *, force: bool, taken: list[str]) -> Json:
        """Apply; with `force`, what others have set to another value is taken from them and noted in `taken` (engine rule 45).

        Only an apply that is not forced says whose it was, so that one goes first: where nobody is in the way it is all.
        """
        try:
            return await self._client.apply(at, body, manager=FIELD_MANAGER, force=False)
        except ApiFieldConflict as error:
            if not force:
                raise
            taken.append(conflicting(error.status))
        return await self._client.apply(at, body, manager=FIELD_MANAGER, force=True)

    async def _check_alone(self, ns: AppNamespace, ref: Ref) -> None:
        """Raise Rejected where a service would be run by two kinds at once, each counting the other's pods (engine rule 21)."""
        for kind in WORKLOADS:
            other = None if kind == ref.kind else await self._client.get(ns.at(kind, ref.name))
            if other is not None and not is_terminating(other):
                raise Rejected(
                    f"{ref.name} runs as a {kind} and cannot become a {ref.kind} under the same name: rename the service"
                )

    async def _enter_recreate(self, at: Address, live: Json, wanted: Mapping[str, Any]) -> Json:
        """Return the object as it is once it may be applied with Recreate: a defaulted rollingUpdate refuses that (engine rule 21)."""
        if not enters_recreate(wanted, live):
            return live
        patch = {
            "metadata": {"uid": uid_of(live), "resourceVersion": live["metadata"]["resourceVersion"]},
            "spec": {"strategy": {"type": RECREATE, "rollingUpdate": None}},
        }
        return await self._client.merge(at, patch, manager=FIELD_MANAGER)

    async def _ready_for_us(self, ns: AppNamespace, ref: Ref, live: Json, token: int) -> Json:
        """Return the object as it may be applied onto.

        Raises:
            NotYet: it is on its way out, after a prune or a removal; whatever it was given now would go with it.
        """
        if is_terminating(live):
            raise NotYet(f"{ref} is still being removed; it is made anew once it has gone")
        if SUSPENDED_ANNOTATION in (live["metadata"].get("annotations") or {}):
            # Somebody else's suspension stays, as a count by hand does.
            at = ns.at(ref.kind, ref.name)
            return await self._client.merge(at, suspended(live, None), manager=FIELD_MANAGER)
        return await self._give_count_away(ns, ref, live, token) if holds_count(live) else live

    async def _give_count_away(self, ns: AppNamespace, ref: Ref, live: Json, token: int) -> Json:
        """Let the scale manager hold the count as well: else an apply that leaves it out sets it to 1 (engine rule 20).

        What is read after it is what the apply is bound to, so its token is checked again (engine rule 15).
        """
        scale, replicas = ns.at(ref.kind, ref.name, "scale"), spec_of(live)["replicas"]
        await self._client.apply(scale, scale_of(ns, live, replicas), manager=SCALE_MANAGER, force=True)
        after = await self._client.get(ns.at(ref.kind, ref.name))
        if after is None or is_terminating(after):
            raise NotYet(f"{ref} is being removed while it is applied; it is made anew once it has gone")
        check_ours(after, ref, token)
        return after


def _check_free(ref: Ref, live: Document) -> None:
    """Raise Rejected where somebody keeps a workload from rolling out (engine rule 53)."""
    kind = WORKLOADS.get(ref.kind)
    held = kind.diagnosis(ref.name, live) if kind else None
    if held is not None:
        raise Rejected(held.sentence)


def _object(bundle: Bundle, ref: Ref) -> Mapping[str, Any]:
    return next(o for o in bundle.objects if Ref(o["kind"], o["metadata"]["name"]) == ref)

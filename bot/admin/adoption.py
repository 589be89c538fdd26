"""`convox-bot adopt`: a namespace that this database may not write to becomes its own again, seen and agreed to by a person."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.admin.cluster_source import cluster_source
from bot.admin.operation_result import OperationResult
from bot.admin.operator import operator
from bot.admin.settings import AdoptionSettings
from core.clock import Clock
from core.cluster.adoption import NamespaceAdopter
from core.cluster.api.client import KubeClient
from core.cluster.kinds import PRUNED
from core.errors import Conflict, Invalid, NotFound, Rejected, Unavailable, Unreachable
from core.lifecycle.adoption import (
    AdoptionPlan,
    check_admissible,
    plan_adoption,
    record_adoption,
    running_releases,
)
from core.ports.store import StoreReader
from core.records.anchor import ADOPTED
from core.records.app import App
from core.records.claim import Claim
from core.records.release import ReleaseEntry
from storage.store import SqliteStore, open_beside

# Asked with the question; whether the operator agrees.
Confirm = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionRequest:
    """What an operator has typed.

    Attributes:
        owner: the installation that the namespace is to be taken from, "" where none was named.
        agreed: nobody is asked any more.
        stopped: the operator vouches that the bot of that installation is stopped, where the cluster cannot tell.
    """

    app: str
    owner: str = ""
    agreed: bool = False
    stopped: bool = False


async def adopt(
    settings: AdoptionSettings,
    clock: Clock,
    request: AdoptionRequest,
    *,
    confirm: Confirm,
    tell: Callable[[str], object],
    kubeconfig: Mapping[str, Any] | None = None,
) -> OperationResult:
    """Show what is there and what will be done, ask, and do it; return the last words. Safe beside a running bot.

    The anchor is written first, which keeps everybody else out, then the records; what breaks off between is finished by
    the same command.

    Raises:
        NotFound: there is no such app.
        Busy, Conflict: it may not be adopted now, or has changed while the operator was asked.
        Invalid: nobody agreed.
        Unavailable: the database or the cluster cannot be used.
        StorageError: there is no database, or its keys are missing.
    """
    async with _opened(settings, clock, kubeconfig) as (store, adopter), _told():
        plan = await _plan(store, adopter, request)
        if not plan.needed:
            nothing = f"There is nothing to adopt: {plan.app.name} may be promoted by this database"
            return OperationResult(
                nothing, {"app": plan.app.name, "namespace": plan.state.namespace, "adopted": False}
            )
        tell(described(plan, await store.read.installation()))
        await _check(store, plan, request)
    if not request.agreed and not confirm(f"Adopt {request.app}? [y/N] "):
        raise Invalid("nothing was adopted, since nobody agreed", hint="`--yes` agrees in a script")
    async with _opened(settings, clock, kubeconfig) as (store, adopter), _told():
        again = await _plan(store, adopter, request)
        if not same(plan, again):
            raise Conflict("what was shown has changed meanwhile, so nothing was adopted", hint="ask again")
        await _check(store, again, request)
        await _carry_out(store, adopter, again)
    done = (
        f"Adopting {request.app}... OK\n"
        f"the next promotion writes to {plan.state.namespace} again: convox-bot do releases promote R… -a {request.app}"
    )
    return OperationResult(done, {"app": request.app, "namespace": plan.state.namespace, "adopted": True})


@asynccontextmanager
async def _opened(
    settings: AdoptionSettings, clock: Clock, kubeconfig: Mapping[str, Any] | None
) -> AsyncIterator[tuple[SqliteStore, NamespaceAdopter]]:
    """Open both for a moment: while a person thinks, nothing is kept from a bot that starts."""
    keys = [key.get_secret_value() for key in settings.convox_keys]
    async with (
        open_beside(settings.convox_database, keys, clock) as store,
        KubeClient(cluster_source(settings.kubeconfig, kubeconfig), clock=clock) as client,
    ):
        yield store, NamespaceAdopter(client, rack=settings.convox_rack)


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    """Turn what a cluster says into what an operator reads."""
    try:
        yield
    except Rejected as error:
        raise Conflict(str(error)) from error
    except Unreachable as error:
        raise Unavailable(f"the cluster does not answer: {error}", hint="is KUBECONFIG right?") from error


async def _plan(store: SqliteStore, adopter: NamespaceAdopter, request: AdoptionRequest) -> AdoptionPlan:
    read = store.read
    try:
        app = await read.app(request.app)
    except NotFound as error:
        hint = f"if the database lost it: `convox-bot do apps create {request.app}` first"
        raise NotFound(error.sentence, hint=hint) from error
    installation = await read.installation()
    coming = Claim(installation=installation, token=app.token + 1, promotion="")
    state = await adopter.look(app, coming, await read.bundle_refs(app.name, PRUNED))
    head = state.anchor.head_of(installation) if state.anchor else None
    lost = head if head is not None and not await read.audit_has(head) else None
    known = await _known(read, app, running_releases(state))
    return plan_adoption(app, state, installation, known=known, lost=lost)


async def _check(store: SqliteStore, plan: AdoptionPlan, request: AdoptionRequest) -> None:
    in_flight = await store.read.in_flight(request.app)
    check_admissible(plan, request.owner, in_flight, stopped=request.stopped)


async def _known(read: StoreReader, app: App, releases: list[str]) -> dict[str, ReleaseEntry]:
    found = {}
    for release in releases:
        try:
            found[release] = await read.release_entry(app.name, release)
        except NotFound:
            continue
    return found


def same(shown: AdoptionPlan, now: AdoptionPlan) -> bool:
    """Tell whether what the operator has agreed to is what would be done; that time has passed is no difference."""
    timeless = [replace(p, state=replace(p.state, now=None)) for p in (shown, now)]
    return timeless[0] == timeless[1]


async def _carry_out(store: SqliteStore, adopter: NamespaceAdopter, plan: AdoptionPlan) -> None:
    app = plan.after
    claim = Claim(installation=await store.read.installation(), token=app.token, promotion=ADOPTED)
    await adopter.adopt(app, plan.state, claim)
    async with store.transaction() as tx:
        await record_adoption(tx, plan, operator())
        head = await tx.audit_head()
    assert head is not None, "a row was just written"
    await adopter.keep_head(app, claim, head)


def described(plan: AdoptionPlan, installation: str) -> str:
    """Say what was found, why it keeps this database from writing, and what will be done."""
    return "\n".join([*_found(plan, installation), *_running(plan), *_coming(plan)])


def _found(plan: AdoptionPlan, installation: str) -> list[str]:
    anchor, quiet = plan.state.anchor, plan.state.quiet_for
    owner = "nobody: it has no anchor" if anchor is None else f"installation {anchor.installation or '?'}"
    adopted = anchor is not None and anchor.promotion == ADOPTED
    last = (
        "adopted, with nothing promoted since"
        if adopted
        else f"promotion {(anchor and anchor.promotion) or '?'}"
    )
    holder = f", number {anchor.token}, {last}" if anchor else ""
    seen = "it cannot be told when" if quiet is None else f"{_span(quiet)} ago"
    return [
        f"namespace {plan.state.namespace} belongs to {owner}{holder}",
        f"this database is installation {installation}, number {plan.app.token}",
        f"a bot has changed something there last: {seen} (one that has nothing to do is not seen)",
        *(f"what does not fit: {each}" for each in plan.why),
    ]


def _running(plan: AdoptionPlan) -> list[str]:
    runs = [f"{each.ref} {each.release}" for each in plan.state.objects if each.release]
    return [f"what runs: {', '.join(runs) or 'no release'}", *plan.notes]


def _coming(plan: AdoptionPlan) -> list[str]:
    took = f", and takes it from installation {plan.foreign}" if plan.foreign else ""
    moved = plan.after.namespace_uid != plan.app.namespace_uid
    return [
        f"adopting sets the number to {plan.after.token}{took}",
        *(["the namespace of before is forgotten"] if moved else []),
        plan.active,
        "nothing that runs is changed by it",
    ]


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"

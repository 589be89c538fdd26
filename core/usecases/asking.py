"""What a request for a promotion comes to, by plain facts, and what would run: the one looked at again in the transaction, the other made before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.actor import Actor
from core.errors import Busy, NotFound
from core.ids import new_id
from core.lifecycle.bundles import rendered
from core.lifecycle.due import turn
from core.lifecycle.explain import (
    Action,
    ActionContext,
    ActionKind,
    Variables,
    explain,
    gets_through,
    rule_of,
)
from core.lifecycle.freezing import frozen
from core.lifecycle.guards import PromotionContext, read_context
from core.lifecycle.holds import fork_point, why_held
from core.lifecycle.principal import Principal
from core.lifecycle.riding import authors_of, riding_along
from core.policy.authorization import ApprovalRule, Policy, Rules
from core.ports.cluster import Cluster
from core.ports.store import Store, StoreReader, Transaction
from core.promotion import GOING_BACK, UNSUCCESSFUL, WAITING, Promotion, PromotionKind
from core.records.build import Build
from core.records.bundle import Bundle
from core.records.release import Release, ReleaseEntry
from core.records.waits_for import WaitsFor
from core.sentence import EMPTY_SENTENCE, CommandLine, Sentence, TimeOfDay
from core.usecases.process_viewer import check_service


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRequest:
    """What is asked for.

    Attributes:
        break_glass: why it goes out through a freeze or without approvals; needs a right of its own.
        at: when it is to start, as it was typed by whoever asks; `queue`: as soon as nothing else of the app rolls out.
        waits_for: what these come to.
        approval: whether it needs an approval even where the policy asks for none.
        build: of a release that the bot asks for as its build is complete, that build: it is asked for once.
        variables: of a rollback, those of the release that it goes back to (`then`) or those that run (`now`).
        restart: the services of the active release whose pods are to be replaced, () for all; None where none are.
    """

    app: str
    kind: PromotionKind = "promote"
    release: str | None = None
    force: bool = False
    overwrite: bool = False
    anyway: str | None = None
    break_glass: str | None = None
    at: str | None = None
    queue: bool = False
    waits_for: WaitsFor | None = None
    approval: bool = False
    build: str | None = None
    variables: Variables = "then"
    restart: tuple[str, ...] | None = None

    @property
    def action(self) -> Action:
        """What `explain` is asked about."""
        kind: ActionKind = self.kind if self.restart is None else "restart"
        return Action(
            kind=kind,
            app=self.app,
            force=self.force,
            waits=self.waits_for is not None or self.queue or self.at is not None,
            anyway=self.anyway,
            break_glass=self.break_glass,
            variables=self.variables,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """What a request comes to, by plain facts.

    Attributes:
        release: what is promoted, or copied by a rollback.
        held: why that is on hold, or nothing.
        waiting: the promotion that already waits for the same release.
        skipped: why the newest release was not taken, or "".
        rules: today's policy; `rule`: how many must approve.
        freeze: what it gets through although the app is frozen, or nothing.
        follows: of what starts later, the releases that may be active by then instead of the one that is.
    """

    context: PromotionContext
    release: ReleaseEntry
    held: Sentence
    waiting: Promotion | None
    skipped: str
    rules: Rules
    rule: ApprovalRule
    freeze: Sentence = EMPTY_SENTENCE
    follows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBundle:
    """What would run, made before the transaction that asks for it.

    Attributes:
        release: what will be promoted; of a rollback the copy, not stored yet.
        sealed: the bundle as it will be stored, None where it is.
        along: what rides along; `authors`: who made what is new.
    """

    asked: RequestContext
    release: Release
    build: Build
    bundle: Bundle
    sealed: bytes | None
    along: tuple[Sentence, ...] = ()
    authors: tuple[Actor, ...] = ()

    async def fits(self, tx: Transaction, asked: RequestContext) -> bool:
        """Tell whether it would be made the same now. A release, a build and a stored bundle never change."""
        before, now = (
            (each.release.id, each.rules, each.context.app.active_release, each.follows)
            for each in (self.asked, asked)
        )
        if before != now:
            return False
        return self.sealed is None or not await tx.has_bundle(self.release.id)


async def considered(
    read: StoreReader,
    policy: Policy,
    principal: Principal,
    request: PromotionRequest,
    now: datetime,
    not_startable: str = "",
) -> RequestContext:
    """Apply the guards to what is asked for, as far as plain facts tell; the same before the transaction, in it, and for `why`."""
    context = await read_context(read, request.app)
    action = request.action
    meets = ActionContext(
        policy=policy,
        now=now,
        not_startable=not_startable,
        in_flight=context.in_flight,
        active=context.active,
        freezes=await read.freezes(),
    )
    # Who has to wait is told so whatever there would be to promote.
    explain(action, principal, meets).enforce()
    if request.restart is not None:
        assert context.active is not None, "it is refused"
        # Whatever is so of it, it runs already, and nothing else is put in its place.
        release, skipped, held = context.active, "", EMPTY_SENTENCE
    else:
        release, skipped = await _chosen(read, request)
        held = await why_held(read, release)
    # Whoever breaks the glass does not point to what waits for approval, but takes its place.
    due = turn(frozen(policy, meets.freezes, request.app, now), busy=context.in_flight is not None)
    waiting = None if request.break_glass else await _same(read, context.awaiting, request, release, due)
    if going := await _same(read, [context.in_flight] if context.in_flight else [], request, release, due):
        raise _under_way(going, release)
    meets = replace(
        meets,
        release=release,
        held=held,
        build=await read.build_entry(request.app, release.build) if release.build else None,
        waiting=waiting,
    )
    explain(action, principal, meets).enforce()
    return RequestContext(
        context=context,
        release=release,
        held=held,
        waiting=meets.waiting,
        skipped=skipped,
        rules=policy.rules(request.app),
        rule=_at_least_one(rule_of(action, meets)) if request.approval else rule_of(action, meets),
        freeze=gets_through(action, principal, meets),
        follows=_followed(context) if action.waits else (),
    )


def _at_least_one(rule: ApprovalRule) -> ApprovalRule:
    return rule if rule.count else replace(rule, count=1)


def _starts_alike(one: WaitsFor | None, other: WaitsFor | None, due: WaitsFor | None) -> bool:
    """Tell whether both start at the same moment: whatever is queued waits for its turn, though what that depends on has changed since."""
    first, second = (
        each if each is None or each.what == "time" else due and replace(due, at=None)
        for each in (one, other)
    )
    if first is None or second is None:
        return first is second
    return (first.what, first.at) == (second.what, second.at)


async def _same(
    read: StoreReader,
    promotions: Sequence[Promotion],
    request: PromotionRequest,
    release: ReleaseEntry,
    due: WaitsFor | None,
) -> Promotion | None:
    """Return the promotion that was asked for with the same request: of a rollback, the one whose release is a copy of the same.

    `due` is what somebody who queues waits for now. A promote of what is rolling out is refused as any other, and what takes over is meant to.
    """
    if request.restart is not None:
        return None
    for each in promotions:
        # Asked for with another time it is another request, and takes the place of the one before.
        alike = each.release == release.id and _starts_alike(each.waits_for, request.waits_for, due)
        if request.kind == "promote" and each.phase in WAITING and alike:
            return each
        if request.kind == "rollback" == each.kind and each.phase not in UNSUCCESSFUL:
            copied = await read.release_entry(each.app, each.release)
            if copied.copy_of == release.id:
                return each
    return None


def _under_way(going: Promotion, release: ReleaseEntry) -> Busy:
    """Say to whoever asks a second time, by a second click for instance, that it is being done: else it would begin anew."""
    since = Sentence.of(", since ", TimeOfDay(going.started_at)) if going.started_at else ""
    what = f"{going.app} is going back to {release.id} already: asked for by "
    return Busy(
        Sentence.of(what, going.requested_by, since),
        hint=Sentence.of(
            "its card says how far it is; to stop it: ", CommandLine(f"apps cancel {going.app}")
        ),
    )


def what_comes(request: PromotionRequest, asked: RequestContext) -> Sentence:
    """Say what would come of a request that may be made: of a rollback, how far it is one, and how many must approve first."""
    if asked.waiting is not None:
        return Sentence.of(f"it waits already, as {asked.waiting.id}")
    release, active = asked.release, asked.context.active
    said: list[str | Sentence] = [asked.freeze] if asked.freeze else []
    if request.kind == "rollback":
        if active is not None and release.id == active.id:
            said.append("it is active, and a copy of it takes its place")
        if not release.verified:
            never = "it never ran well" if active is not None else f"nothing of {request.app} runs yet"
            said.append(f"{never}: a copy of it goes out as with a promote")
    count = 0 if request.kind == "promote" and active and release.id == active.id else asked.rule.count
    said.append(f"after {count} approval{'s' if count > 1 else ''}" if count else "without an approval")
    return Sentence.join(", ", [Sentence.of(each) for each in said])


def restarted(bundle: Bundle, request: PromotionRequest) -> tuple[str, ...]:
    """Return the services whose pods are to be replaced; NotFound names one that there is not."""
    if request.restart is None:
        return ()
    # A database is no process of the app, and goes on.
    names = sorted(service.name for service in bundle.services if not service.resource)
    for name in request.restart:
        check_service(name, names, request.app)
    return request.restart or tuple(names)


def _followed(context: PromotionContext) -> tuple[str, ...]:
    """Return the releases that may be active, instead of the one that is, when something that waits starts.

    That is known when it is asked for: what rolls out before it ends well, or goes back.
    """
    flying = context.in_flight
    if flying is None:
        return ()
    active = context.app.active_release
    ends = [flying.release] if flying.phase not in GOING_BACK else []
    return tuple(each for each in dict.fromkeys([*ends, flying.back_to]) if each and each != active)


async def _chosen(read: StoreReader, request: PromotionRequest) -> tuple[ReleaseEntry, str]:
    """Return the release to promote, or to copy, and what to say of a skipped one."""
    if request.release is not None:
        return await read.release_entry(request.app, request.release), ""
    assert request.kind == "promote", "a rollback names where it goes"
    newest, skipped = await fork_point(read, request.app)
    if newest is None:
        held = f": {skipped.id} is on hold" if skipped else ""
        raise NotFound(f"no releases to promote{held}")
    return newest, f"{skipped.id} is on hold and was skipped" if skipped else ""


async def prepared(
    store: Store, cluster: Cluster, asked: RequestContext, request: PromotionRequest
) -> RequestBundle | None:
    """Render what would run, or read it, and seal it: what takes long and needs no transaction.

    None where another request waits for the same release: nothing new will run.
    """
    if asked.waiting is not None:
        return None
    read, app = store.read, asked.context.app
    assert asked.release.build is not None, "the guards refuse a release without one"
    build = await read.build(app.name, asked.release.build)
    release = await read.release(app.name, asked.release.id)
    stored = None
    if request.kind == "rollback":
        release = await _copy_of(read, asked, request, release)
    else:
        stored = await read.bundle(release.id)
    active = asked.context.active
    # What goes out, and whose it is, is said of whatever it may replace.
    under = [active, *await _entries(read, app.name, asked.follows)]
    along = [each for base in under for each in await riding_along(read, base, release)]
    authors = [
        each for base in under if asked.rule.count for each in await authors_of(read, base, release, build)
    ]
    bundle = stored or await rendered(read, cluster, release, build, app, asked.rules)
    restarted(bundle, request)
    return RequestBundle(
        asked=asked,
        release=release,
        build=build,
        bundle=bundle,
        sealed=None if stored else await store.seal_bundle(bundle),
        along=tuple(dict.fromkeys(along)),
        authors=tuple(dict.fromkeys(authors)),
    )


async def _entries(read: StoreReader, app: str, releases: Sequence[str]) -> list[ReleaseEntry]:
    return [await read.release_entry(app, each) for each in releases]


async def _copy_of(
    read: StoreReader, asked: RequestContext, request: PromotionRequest, source: Release
) -> Release:
    """Return what a rollback would run: the release with its own variables, or its build with those that run now."""
    description, environment = f"rollback to {source.id}", source.environment
    if request.variables == "now":
        active = asked.context.active
        assert active is not None, "it is refused"
        description = f"{description}, variables of {active.id}"
        environment = (await read.release(source.app, active.id)).environment
    return replace(
        source,
        id=new_id("release"),
        description=description,
        environment=environment,
        copy_of=source.id,
    )

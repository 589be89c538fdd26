"""What people may look at: each look asks for its right first, and values of an environment for an audit row as well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.actor import Caller
from core.build_run import BuildRun
from core.errors import Conflict, Forbidden, NotFound, Unreachable
from core.lifecycle.access import Access
from core.lifecycle.approvals import open_seats
from core.lifecycle.build_log import kept_lines, line_of_aged_log
from core.lifecycle.bundles import bundle_of, prunable
from core.lifecycle.delivery_stats import DeliveryStats, delivery_stats
from core.lifecycle.guards import current_rule
from core.lifecycle.history import LiveSpan, entries_around, live_at, live_spans, spans_of
from core.lifecycle.holds import fork_point
from core.lifecycle.manifest_notes import notes_on
from core.lifecycle.release_diff import ReleaseDiff, ReleaseSide, release_diff
from core.lifecycle.retention import line_not_kept
from core.lifecycle.startable import check_startable
from core.lifecycle.visibility import UNSEEN
from core.policy.rules import GROUP, Rules
from core.ports.cluster import Cluster
from core.ports.outbox import Card
from core.ports.store import Store
from core.promotion import Promotion
from core.records.app import App
from core.records.build import Build, BuildEntry
from core.records.environment import Environment
from core.records.git_account import GitAccount
from core.records.line import Line
from core.records.registry_account import RegistryAccount
from core.records.release import Release, ReleaseEntry, ReleaseEnvironment, ReleaseStatus
from core.redaction import redactor_for
from core.sentence import EMPTY_SENTENCE, CommandLine, Sentence

# A line may be a block of evidence of some kilobytes, and many may listen: what is read at once is held in memory for each.
LINES_AT_ONCE = 100

# Rollouts that numbers are made of.
MOST_DEPLOYMENTS = 1000

# Releases on hold that are looked for: the newest, since older ones are promoted no more. One more than a list names.
MOST_HELD = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class AppState:
    """An app, and what is rolling out there now."""

    app: App
    in_flight: Promotion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseState:
    """A release, and what has happened to it; values of its environment are masked unless they were asked for.

    Attributes:
        notes: on keys of its manifest of which nothing comes.
        text: what it was described with: of a release that came with its build, all that the build was.
    """

    release: Release
    status: ReleaseStatus
    active: bool
    notes: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseList:
    """Releases of an app, newest first.

    Attributes:
        active: id of the app's active release.
        further_down: the active release, where it is none of these.
        held: releases on hold, newest first, also those that are older.
    """

    releases: Sequence[ReleaseEntry]
    active: str | None
    further_down: ReleaseEntry | None
    held: Sequence[ReleaseEntry]

    @property
    def with_older(self) -> list[ReleaseEntry]:
        """All that is told of, newest first: those that are asked for, the active one, and those on hold."""
        active = [self.further_down] if self.further_down else []
        told = {each.id: each for each in (*self.releases, *active, *self.held)}
        return sorted(told.values(), key=lambda each: -each.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppHistory:
    """What became of the promotions of an app, newest first.

    Attributes:
        spans: what they made live, from when to when; oldest first.
    """

    promotions: Sequence[Promotion]
    spans: Sequence[LiveSpan]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSeats:
    """Who is asked to approve what waits for that.

    Attributes:
        missing: how many must still do so.
        seats: who may fill each of the seats that are left, where they differ.
        people: user ids and `group:<id>` of whom they are, where there are no seats; empty for whoever holds the right.
    """

    missing: int
    seats: Sequence[tuple[str, ...]]
    people: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedReleases:
    """Two releases by id, and how the second differs from the first."""

    before: str
    after: str
    diff: ReleaseDiff


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRelease:
    """What a release would be.

    Attributes:
        objects: a line for each object.
        notes: what of its convox.yml has no effect here.
    """

    release: str
    objects: Sequence[str]
    notes: Sequence[str]


class Viewer:
    """Shows records to whoever may see them. Without `reveal` nobody is handed a value (promise 7)."""

    def __init__(
        self, store: Store, cluster: Cluster, access: Access, why_not_startable: Callable[[], str]
    ) -> None:
        """Take the store, what renders releases, who may do what, and a function that says why no audit row may be written now, or ""."""
        self._store = store
        self._cluster = cluster
        self._access = access
        self._why_not_startable = why_not_startable

    async def closed_card(self, caller: Caller, app: str) -> Card | None:
        """Return the card of the app's last promotion, where its channel was closed to it before the end (engine rule 60)."""
        await self._access.require(caller.actor, "view", app)
        for promotion in await self._store.read.promotions(app, 1):
            card = await self._store.read.card(promotion.id)
            if card and (card.failed in UNSEEN or card.closed_channel):
                return card
        return None

    async def linked_app(self, channel: str | None) -> str | None:
        """Return the app that is meant in a channel; it tells nothing of the app, so it needs no right."""
        app = await self._store.read.app_of_channel(channel) if channel else None
        return app.name if app else None

    async def apps(self, caller: Caller) -> list[AppState]:
        """Return the apps that the caller may view.

        Raises:
            Forbidden: there are apps, and none that they may view.
        """
        seen: list[App] = []
        refused: str | Sentence = EMPTY_SENTENCE
        for app in await self._store.read.apps():
            why = await self._access.why_not(caller.actor, "view", app.name)
            refused = refused or why
            if not why:
                seen.append(app)
        if refused and not seen:
            raise Forbidden(refused)
        flying = {p.app: p for p in await self._store.read.unsettled() if p.in_flight}
        return [AppState(app=app, in_flight=flying.get(app.name)) for app in seen]

    async def app(self, caller: Caller, app: str) -> AppState:
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        return AppState(app=await read.app(app), in_flight=await read.in_flight(app))

    async def rules(self, caller: Caller, app: str) -> Rules:
        """Return what the policy says of an app today."""
        await self._access.require(caller.actor, "admin", app)
        await self._store.read.app(app)
        return self._access.policy.rules(app)

    async def git_accounts(self, caller: Caller, app: str) -> list[GitAccount]:
        """Return the accounts of an app at hosts of git; of a token nobody is shown anything."""
        await self._access.require(caller.actor, "env", app)
        await self._store.read.app(app)
        return [replace(account, secret="") for account in await self._store.read.git_accounts(app)]

    async def registries(self, caller: Caller, app: str) -> list[RegistryAccount]:
        """Return the logins of an app at registries; of a password nobody is shown anything."""
        await self._access.require(caller.actor, "env", app)
        await self._store.read.app(app)
        return [replace(login, secret="") for login in await self._store.read.registry_logins(app)]

    async def deletable(self, caller: Caller, app: str) -> App:
        """Return the app that somebody is asked to name once more; who may not delete it is not asked.

        Raises:
            Conflict: it is locked.
        """
        await self._access.require(caller.actor, "admin", app)
        found = await self._store.read.app(app)
        if found.locked:
            raise Conflict(f"app is locked: {app}", hint=Sentence.of(CommandLine(f"apps unlock {app}")))
        return found

    async def releases(self, caller: Caller, app: str, limit: int) -> ReleaseList:
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        active = (await read.app(app)).active_release
        releases = await read.release_entries(app, limit)
        listed = active is None or any(release.id == active for release in releases)
        return ReleaseList(
            releases=releases,
            active=active,
            further_down=None if listed or active is None else await read.release_entry(app, active),
            held=await read.held_entries(app, MOST_HELD),
        )

    async def release(
        self, caller: Caller, app: str, release_id: str, *, reveal: bool = False
    ) -> ReleaseState:
        """Return one release; to see the values of its environment needs `env` as well."""
        await self._access.require(caller.actor, "view", app)
        if reveal:
            caller = await self._may_reveal(caller, app)
        read = self._store.read
        active = (await read.app(app)).active_release
        release = await read.release(app, release_id)
        if reveal:
            await self._note_reveal(caller, app, release_id)
        build = await read.build(app, release.build) if release.build else None
        return ReleaseState(
            release=release if reveal else _masked(release),
            status=await read.release_status(release_id),
            active=release_id == active,
            notes=await notes_on(self._cluster, build, release.environment),
            text=build.text if build and build.release == release.id else release.description,
        )

    async def check(self, caller: Caller, app: str, release_id: str | None) -> CheckedRelease:
        """Return what a release would be in the cluster; without an id the newest that may be promoted.

        Raises:
            Forbidden: the caller may not view the app.
            NotFound: there is no such release, or nothing was built for it.
            Invalid: its convox.yml does not fit its variables or this rack; each problem is a line.
        """
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        known = await read.app(app)
        if release_id is None:
            newest, _ = await fork_point(read, app)
            if newest is None:
                raise NotFound(f"no release of {app} can be promoted", hint="a build makes one")
            release_id = newest.id
        side = await self._side(known, release_id)
        if side.build is None or side.bundle is None:
            raise NotFound(f"no build for release: {side.release.id}")
        environment = side.release.environment
        redact = await redactor_for({value for _, value in environment.pairs})
        found = self._cluster.object_lines(side.bundle)
        notes = await notes_on(self._cluster, side.build, environment)
        return CheckedRelease(
            release=side.release.id,
            objects=[redact(each) for each in found],
            notes=[redact(n) for n in notes],
        )

    async def history(self, caller: Caller, app: str, limit: int) -> AppHistory:
        """Return the newest promotions, and what was live when."""
        await self._access.require(caller.actor, "view", app)
        await self._store.read.app(app)
        promotions = await self._store.read.promotions(app, limit)
        # What was live before the oldest of them tells whether that changed anything.
        earlier = await self._store.read.live_before(app, promotions[-1].id) if promotions else None
        return AppHistory(
            promotions=promotions, spans=live_spans([*promotions, *([earlier] if earlier else [])])
        )

    async def stats(self, caller: Caller, app: str, since: datetime, until: datetime) -> DeliveryStats:
        """Return how an app was delivered in some time, by its last thousand rollouts at most."""
        await self._access.require(caller.actor, "view", app)
        await self._store.read.app(app)
        ended = await self._store.read.ended_since(app, since, MOST_DEPLOYMENTS)
        made = await self._store.read.releases_made(sorted({each.release for each in ended}))
        return delivery_stats(ended, made, since, until)

    async def live_at(self, caller: Caller, app: str, at: datetime) -> LiveSpan | None:
        """Return what was live at a moment, None where nothing was."""
        await self._access.require(caller.actor, "view", app)
        await self._store.read.app(app)
        return live_at(spans_of(await entries_around(self._store.read, app, at)), at)

    async def diff(self, caller: Caller, app: str, release_id: str, base: str | None) -> ComparedReleases:
        """Compare a release with another, or with the active one; no value of a variable is in it.

        Raises:
            NotFound: there is no such release, or no active one to compare with.
            Invalid: one of them cannot be rendered.
        """
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        found = await read.app(app)
        if (before := base or found.active_release) is None:
            raise NotFound(
                f"{app} has no active release to compare with",
                hint=Sentence.of(CommandLine(f"releases diff R {release_id} -a {app}")),
            )
        old, new = await self._side(found, before), await self._side(found, release_id)
        pruned = await prunable(read, self._cluster, app, new.bundle) if new.bundle else ()
        return ComparedReleases(before=before, after=release_id, diff=release_diff(old, new, pruned))

    async def _side(self, app: App, release_id: str) -> ReleaseSide:
        read = self._store.read
        release = await read.release(app.name, release_id)
        if release.build is None:
            return ReleaseSide(release=release, build=None, bundle=None)
        rules = self._access.policy.rules(app.name)
        return ReleaseSide(
            release=release,
            build=await read.build(app.name, release.build),
            bundle=await bundle_of(read, self._cluster, release, app, rules),
        )

    async def build_of(self, caller: Caller, app: str, release_id: str) -> Build:
        """Return the build of a release, whose manifest is the release's; NotFound where it has none."""
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        await read.app(app)
        release = await read.release(app, release_id)
        if release.build is None:
            raise NotFound(f"no build for release: {release.id}")
        return await read.build(app, release.build)

    async def builds(self, caller: Caller, app: str, limit: int) -> list[BuildEntry]:
        """Return the newest builds first: those that have made a release, and those on their way, failed or cancelled."""
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        await read.app(app)
        found = [*await read.builds(app, limit), *await read.build_entries(app, limit)]
        return sorted(found, key=lambda build: build.started_at, reverse=True)[:limit]

    async def build_run(self, caller: Caller, app: str, build_id: str) -> BuildRun | None:
        """Return a build that the cluster makes; None where it is none, or of another app."""
        await self._access.require(caller.actor, "view", app)
        await self._store.read.app(app)
        try:
            run = await self._store.read.build_run(build_id)
        except NotFound:
            return None
        return run if run.app == app else None

    async def build_run_log(
        self, caller: Caller, app: str, build_id: str
    ) -> tuple[BuildRun, list[str]] | None:
        """Return a build that the cluster makes, and what of its log is kept; None as of `build_run`."""
        run = await self.build_run(caller, app, build_id)
        if run is None:
            return None
        read, rules = self._store.read, self._access.policy.retention
        return run, await kept_lines(read, build_id) or await line_of_aged_log(read, build_id, rules)

    async def build(self, caller: Caller, app: str, build_id: str) -> Build:
        await self._access.require(caller.actor, "view", app)
        await self._store.read.app(app)
        return await self._store.read.build(app, build_id)

    async def build_log(self, caller: Caller, app: str, build_id: str) -> tuple[Build, tuple[str, ...]]:
        """Return a build, and of which keys of its manifest nothing comes here, as far as the file alone tells."""
        build = await self.build(caller, app, build_id)
        return build, await notes_on(self._cluster, build)

    async def environment(
        self, caller: Caller, app: str, *, reveal: bool = False, release: str | None = None
    ) -> ReleaseEnvironment:
        """Return the environment of a release; without one that of the newest, which the next one is made from."""
        caller = await self._may_reveal(caller, app)
        found = await self._environment(app, release)
        if not reveal:
            return ReleaseEnvironment(release=found.release, environment=found.environment.masked())
        await self._note_reveal(caller, app, found.release or app)
        return found

    async def variable(self, caller: Caller, app: str, key: str, *, release: str | None = None) -> str:
        """Return one value of a release's environment, without one of the newest's.

        Raises:
            NotFound: there is no such variable.
        """
        caller = await self._may_reveal(caller, app)
        found = await self._environment(app, release)
        value = found.environment.get(key)
        if value is None:
            raise NotFound(f"env not found: {key}")
        await self._note_reveal(caller, app, f"{found.release}/{key}")
        return value

    async def promotion(self, caller: Caller, promotion_id: str) -> Promotion:
        promotion = await self._store.read.promotion(promotion_id)
        await self._access.require(caller.actor, "view", promotion.app)
        return promotion

    async def open_seats(self, caller: Caller, promotion: Promotion) -> OpenSeats:
        """Return who is asked to approve a promotion that waits for it, by the policy of today."""
        await self._access.require(caller.actor, "view", promotion.app)
        approvals = await self._store.read.approvals(promotion.id)
        rule = await current_rule(self._store.read, self._access.policy, promotion)
        try:
            groups = await self._access.groups()
        except Unreachable:
            groups = {}  # then no seat counts as filled by its people
        missing, seats = open_seats(promotion, rule, approvals, groups)
        ask = self._access.rules(promotion.app).ask or ""
        people = rule.people or ((ask,) if ask.startswith(GROUP) else ())
        return OpenSeats(missing=missing, seats=seats, people=people)

    async def lines(
        self, caller: Caller, promotion_id: str, after: int
    ) -> tuple[Promotion, list[tuple[int, Line]]]:
        """Return the promotion and its next lines after that number; once it has settled no more are to come."""
        # In this order: the lines of a promotion that has settled are complete.
        promotion = await self.promotion(caller, promotion_id)
        read = self._store.read
        lines = await read.lines(promotion_id, after, LINES_AT_ONCE)
        if promotion.settled_at is None or after or any(line.kind != "evidence" for _, line in lines):
            return promotion, lines
        if await read.promotion_aged(promotion_id, "lines"):
            kept = self._access.policy.retention.lines
            lines = [(1, line_not_kept("lines", promotion.settled_at, kept)), *lines]
        return promotion, lines

    async def _environment(self, app: str, release: str | None) -> ReleaseEnvironment:
        read = self._store.read
        await read.app(app)
        if release is None:
            found = next(iter(await read.releases(app, 1)), None)
        else:
            found = await read.release(app, release)
        return ReleaseEnvironment(
            release=found.id if found else "", environment=found.environment if found else Environment()
        )

    async def _may_reveal(self, caller: Caller, app: str) -> Caller:
        return replace(caller, actor=await self._access.require(caller.actor, "env", app))

    async def _note_reveal(self, caller: Caller, app: str, subject: str) -> None:
        """Record that somebody is shown values, before they are shown."""
        check_startable(self._why_not_startable)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.audit(caller.actor, "env.reveal", subject, {"app": app})


def _masked(release: Release) -> Release:
    return replace(release, environment=release.environment.masked())

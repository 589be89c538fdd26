"""Use cases that make records: apps, builds with their release, and environment changes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.actor import Actor, Caller
from core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Rejected,
    Unavailable,
    Unreachable,
    UserError,
)
from core.ids import new_id
from core.lifecycle.access import Access
from core.lifecycle.patience import check_times
from core.manifest.convox_yml import Manifest, images_needed, parse_manifest, required, resolve_images
from core.ports.cluster import Cluster
from core.ports.registry import ImageRegistry
from core.ports.store import Store, StoreReader
from core.records.app import App, check_name, namespace_command
from core.records.build import Build, described, is_pinned
from core.records.environment import Environment, check_size, difference
from core.records.registry_account import RegistryAccount, check_host
from core.records.release import Release, ReleaseEnvironment
from core.sentence import CommandLine, Sentence
from core.usecases.attempts import StaleRequest, until_current
from core.usecases.forks import read_fork
from core.usecases.pinning import pinned


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelease:
    """A new release, with what the answer should say beside it.

    Attributes:
        skipped: why the newest release was not the one that it was forked from, or "".
        notes: of a build: keys of which nothing comes, and variables that are still to be set.
    """

    release: Release
    build: Build | None = None
    skipped: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestBuild:
    """The build that the next one can be made from, and the images of its services that are built."""

    build: str
    images: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedRelease:
    """A new release, and the two releases that its build and its environment are of."""

    release: Release
    build_from: str
    env_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedApp:
    """A new app; `administrator_command` is the command for an administrator where the namespace could not be made."""

    app: App
    administrator_command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkResult:
    """A channel's new app, with what was taken from where: one channel an app, one app a channel.

    Attributes:
        app: as it is now.
        former_channel: the channel that it had before and that has no app now, or None.
        unlinked_app: the app that the channel had before and that has no channel now, or None.
    """

    app: App
    former_channel: str | None = None
    unlinked_app: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedEnvironment:
    """What became of a change of variables.

    Attributes:
        release: the new release; None where nothing changed, and none was made.
        base: id of the release that it was forked from, "" before the first.
        skipped: why the newest release was not that one, or "".
    """

    release: Release | None
    base: str
    skipped: str = ""


class Registrar:
    """Make records: for each the right first, then one transaction with its audit row."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        why_not_startable: Callable[[], str],
        registry: ImageRegistry | None = None,
    ) -> None:
        """Wire the use cases.

        Args:
            store: the records.
            cluster: makes namespaces.
            access: who may do what.
            why_not_startable: says why nothing may be written now, or "".
            registry: is asked what tags name; without one they stay tags.
        """
        self._registry = registry
        self._store = store
        self._cluster = cluster
        self._access = access
        self._why_not_startable = why_not_startable

    async def create_app(self, caller: Caller, name: str) -> CreatedApp:
        """Make an app and, where the bot may, its namespace; link the caller's channel if it has no app yet.

        Raises:
            Conflict: there is an app of that name.
            Unavailable: the app is made, and the cluster could not be asked for its namespace.
        """
        actor = await self._access.require(caller.actor, "admin", name)
        self._check_startable()
        check_name(name)
        channel = caller.channel
        async with self._store.transaction(delivery=caller.delivery) as tx:
            free = channel is not None and await tx.app_of_channel(channel) is None
            app = App(name=name, created_at=tx.now, created_by=actor)
            await tx.add_app(app)
            if free:
                await tx.link(name, channel)
            await tx.audit(actor, "app.create", name, {"channel": channel if free else None})
            app = await tx.app(name)
        try:
            return CreatedApp(app=app, administrator_command=await self._cluster.create_namespace(name) or "")
        except (Rejected, Unreachable) as error:
            raise Unavailable(
                f"{name} is created, but its namespace could not be made: {error}",
                hint=f"an administrator makes it with `{namespace_command(self._cluster.rack, name)}`",
            ) from error

    async def link(self, caller: Caller, name: str) -> LinkResult:
        """Link the caller's channel to the app; the app's former channel and the channel's former app are unlinked.

        Raises:
            Forbidden: it takes the right on both apps, since the channel's former one loses it.
            Conflict: the channel was given to another app meanwhile.
        """
        actor = await self._access.require(caller.actor, "admin", name)
        channel = _channel(caller)
        asked = await self._store.read.app_of_channel(channel)
        if asked is not None and asked.name != name:
            await self._may_unlink(actor, asked.name)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            left, other = (await tx.app(name)).channel, await tx.app_of_channel(channel)
            if other is not None and other.name not in {name, asked and asked.name}:
                raise Conflict(
                    f"this channel was linked to {other.name} just now", hint="look, and ask again"
                )
            await tx.link(name, channel)
            await tx.audit(actor, "app.link", name, {"channel": channel})
            return LinkResult(
                app=await tx.app(name),
                former_channel=left if left != channel else None,
                unlinked_app=other.name if other and other.name != name else None,
            )

    async def _may_unlink(self, actor: Actor, former: str) -> None:
        """Raise Forbidden where somebody may not take the channel from the app that has it."""
        try:
            await self._access.require(actor, "admin", former)
        except Forbidden as error:
            taken = f"this channel is linked to {former}, which would lose it: "
            raise Forbidden(Sentence.of(taken, error.sentence), hint=error.hint) from error

    async def unlink(self, caller: Caller, name: str) -> App:
        """Unlink the app from the caller's channel.

        Raises:
            Conflict: that channel is linked to no app, or to another one.
        """
        actor = await self._access.require(caller.actor, "admin", name)
        channel = _channel(caller)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            app = await tx.app_of_channel(channel)
            if app is None:
                raise Conflict(
                    "this channel is linked to no app", hint=Sentence.of(CommandLine("link APP"), " links it")
                )
            if app.name != name:
                raise Conflict(
                    f"this channel is linked to {app.name}, not to {name}",
                    hint="without -a it is this channel's app that is unlinked",
                )
            await tx.link(name, None)
            await tx.audit(actor, "app.unlink", name, {"channel": channel})
            return app

    async def lock(self, caller: Caller, name: str, *, locked: bool) -> None:
        """Lock an app against its deletion, or unlock it; one that is so already stays so."""
        actor = await self._access.require(caller.actor, "admin", name)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.lock_app(name, locked=locked)
            await tx.audit(actor, "app.lock" if locked else "app.unlock", name, {})

    async def add_registry(self, caller: Caller, app: str, *, host: str, user: str, password: str) -> str:
        """Keep a login at a registry, in place of the one that the app had there; return the host.

        Raises:
            Invalid: that is no host, or there is no user or no password.
        """
        actor = await self._access.require(caller.actor, "env", app)
        self._check_startable()
        host = check_host(host)
        if not (user and password):
            raise Invalid("a login has a user and a password")
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.app(app)
            login = RegistryAccount(
                app=app, host=host, user=user, password=password, created_at=tx.now, created_by=actor
            )
            await tx.save_registry_login(login)
            await tx.audit(actor, "registry.add", app, {"host": host, "user": user})
        return host

    async def remove_registry(self, caller: Caller, app: str, host: str) -> str:
        """Forget a login at a registry; return the host.

        Raises:
            NotFound: there is none.
        """
        actor = await self._access.require(caller.actor, "env", app)
        host = check_host(host)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.app(app)
            if not await tx.remove_registry_login(app, host):
                raise NotFound(f"{app} has no login at {host}", hint=f"`registries -a {app}` lists them")
            await tx.audit(actor, "registry.remove", app, {"host": host})
        return host

    async def register_build(
        self,
        caller: Caller,
        app: str,
        *,
        manifest: str,
        images: Mapping[str, str],
        description: str = "",
        git_sha: str = "",
    ) -> NewRelease:
        """Store a build and the one release it makes, forked from the newest release not on hold (contract 4).

        Raises:
            NotFound: there is no such app.
            Invalid: the manifest cannot be read or its times cannot be met, an image is missing or unknown, or the description
                is too large. A variable that is still missing is noted: it is a promote that needs it, as in Convox.
        """
        actor = await self._access.require(caller.actor, "build", app)
        self._check_startable()
        known: dict[str, str] = {}
        loose: tuple[str, ...] = ()
        line, message = described(description)

        async def attempt() -> NewRelease:
            nonlocal known, loose
            fork = await read_fork(self._store.read, app)
            loaded = await asyncio.to_thread(parse_manifest, manifest, fork.environment, complete=False)
            check_times(loaded.services, self._access.policy.rules(app))
            resolved = resolve_images(loaded, images)
            if not known:  # asked once: an attempt more is no reason to ask all registries again
                known, loose = await pinned(
                    self._registry, resolved, await self._store.read.registry_logins(app)
                )
            resolved = {service: known.get(service, image) for service, image in resolved.items()}
            notes = (*self._cluster.notes(loaded), *_unset(loaded, fork.environment), *loose)
            async with self._store.transaction(delivery=caller.delivery) as tx:
                await fork.check(tx)
                release_id = new_id("release")
                build = Build(
                    id=new_id("build"),
                    app=app,
                    manifest=manifest,
                    images=resolved,
                    reused=await _reused(tx, app, {name: resolved[name] for name in images}),
                    description=line or f"build {tx.now:%Y-%m-%d %H:%M}",
                    message=message,
                    git_sha=git_sha,
                    release=release_id,
                    started_at=tx.now,
                    ended_at=tx.now,
                    created_by=actor,
                )
                release = Release(
                    id=release_id,
                    app=app,
                    sequence=await tx.next_sequence(app),
                    build=build.id,
                    environment=fork.environment,
                    description=build.description,
                    created_at=tx.now,
                    created_by=actor,
                )
                await tx.add_build(build)
                await tx.add_release(release)
                detail = {"app": app, "release": release.id, "git_sha": git_sha}
                await tx.audit(actor, "build.create", build.id, detail)
            notes = (*notes, *_reuse_notes(build))
            return NewRelease(release=release, build=build, skipped=fork.skipped_note, notes=notes)

        return await until_current(attempt)

    async def newest_build(self, caller: Caller, app: str, *, to_promote: bool = False) -> NewestBuild:
        """Return what `rebuild` would build anew, with the images that it had; who may not build is refused.

        Raises:
            NotFound: nothing was built yet.
            Conflict: no service of its manifest is built.
        """
        await self._may_build(caller, app, to_promote=to_promote)
        fork = await read_fork(self._store.read, app)
        if fork.base is None or fork.base.build is None:
            raise NotFound(
                f"{app} has no build yet", hint="`convox-bot build` registers the first, with its convox.yml"
            )
        build = await self._store.read.build(app, fork.base.build)
        loaded = await asyncio.to_thread(parse_manifest, build.manifest, fork.environment, complete=False)
        images = {name: build.images[name] for name in images_needed(loaded) if name in build.images}
        if not images:
            raise Conflict(
                "every service has an image of its own in convox.yml, so there is none to give",
                hint="`convox-bot build` registers another convox.yml",
            )
        return NewestBuild(build=build.id, images=images)

    async def rebuild(
        self,
        caller: Caller,
        app: str,
        *,
        seen: str,
        images: Mapping[str, str],
        description: str = "",
        to_promote: bool = False,
    ) -> NewRelease:
        """Register a build with the manifest of an earlier one; as `register_build`.

        Args:
            caller: who asks.
            app: whose build.
            seen: the build whose manifest it takes.
            images: as of `register_build`.
            description: as of `register_build`.
            to_promote: its release is to be promoted at once, so whoever may not do that makes none.
        """
        await self._may_build(caller, app, to_promote=to_promote)
        earlier = await self._store.read.build(app, seen)
        return await self.register_build(
            caller, app, manifest=earlier.manifest, images=images, description=description
        )

    async def _may_build(self, caller: Caller, app: str, *, to_promote: bool) -> None:
        actor = await self._access.require(caller.actor, "build", app)
        if to_promote:
            await self._access.require(actor, "promote", app)

    async def set_environment(
        self,
        caller: Caller,
        app: str,
        pairs: Sequence[tuple[str, str]],
        *,
        replace: bool = False,
        base: str | None = None,
        to_promote: bool = False,
    ) -> ChangedEnvironment:
        """Make a release with these variables set.

        Args:
            caller: who asks.
            app: whose environment.
            pairs: key and value.
            replace: every other variable is gone, whoever has set it.
            base: the release to change; None takes the newest that is not on hold.
            to_promote: it is to be promoted at once, so whoever may not do that makes no release either.
        """
        caller = await self._may_change(caller, app, to_promote=to_promote)
        if not pairs:
            raise Invalid("at least 1 arg required", hint=Sentence.of(CommandLine("env set KEY=VALUE …")))
        keys = [key for key, _ in pairs]

        def change(env: Environment) -> Environment:
            return env.replaced_by(pairs) if replace else env.with_pairs(pairs)

        return await self._change(caller, app, change, "env.set", keys, base=base)

    async def unset_environment(
        self,
        caller: Caller,
        app: str,
        keys: Sequence[str],
        *,
        base: str | None = None,
        to_promote: bool = False,
    ) -> ChangedEnvironment:
        """Make a release without these variables, as `set_environment`; an unknown one is no error, as in Convox."""
        caller = await self._may_change(caller, app, to_promote=to_promote)
        if not keys:
            raise Invalid("at least 1 arg required", hint=Sentence.of(CommandLine("env unset KEY …")))
        return await self._change(
            caller, app, lambda env: env.without(keys), "env.unset", list(keys), base=base
        )

    async def edit_environment(
        self,
        caller: Caller,
        app: str,
        lines: Sequence[tuple[str, str | None]],
        *,
        seen: str | None = None,
        base: str | None = None,
        to_promote: bool = False,
    ) -> ChangedEnvironment:
        """Make a release with these variables and no others, as `set_environment`.

        Args:
            caller: who asks.
            app: whose environment.
            lines: key and value; None keeps the value that the key has.
            seen: id of the release whose names somebody had before them, "" for none of any; None where nobody saw any.
            base: as of `set_environment`.
            to_promote: as of `set_environment`.

        Raises:
            Conflict: the environment is another one by now than the one that was seen: what somebody else has set would be lost.
            Invalid: a key that has no value is to keep it.
        """
        caller = await self._may_change(caller, app, to_promote=to_promote)

        def change(env: Environment) -> Environment:
            known = dict(env.pairs)
            if unknown := [key for key, value in lines if value is None and key not in known]:
                raise Invalid(f"no value yet: {', '.join(unknown)}", hint="a new variable is KEY=VALUE")
            return env.replaced_by((key, known[key] if value is None else value) for key, value in lines)

        keys = [key for key, _ in lines]
        return await self._change(caller, app, change, "env.edit", keys, base=base, seen=seen)

    async def editable_environment(
        self, caller: Caller, app: str, *, base: str | None = None, to_promote: bool = False
    ) -> ReleaseEnvironment:
        """Return what a change would be made from, without values: who could not make the change is not asked for it."""
        await self._may_change(caller, app, to_promote=to_promote)
        fork = await read_fork(self._store.read, app, base)
        return ReleaseEnvironment(release=fork.base_id, environment=fork.environment.masked())

    async def create_from(
        self,
        caller: Caller,
        app: str,
        *,
        build_from: str | None,
        env_from: str | None,
        to_promote: bool = False,
    ) -> ComposedRelease:
        """Make a release of one release's build and another's environment.

        Args:
            caller: who asks.
            app: whose releases.
            build_from: the release whose build it has; None takes the active one.
            env_from: the release whose environment it has; None takes the active one.
            to_promote: it is to be promoted at once, so whoever may not do that makes no release either.

        Raises:
            NotFound: there is no such release, or no active one.
            Invalid: the release has no build.
        """
        caller = await self._may_change(caller, app, to_promote=to_promote)
        self._check_startable()

        async def attempt() -> ComposedRelease:
            read = self._store.read
            build_id, env_id = await _source(read, app, build_from), await _source(read, app, env_from)
            build = await read.release_entry(app, build_id)
            env = await read.release(app, env_id)
            if build.build is None:
                raise Invalid(f"no build for release: {build.id}", hint="name a release that has one")
            async with self._store.transaction(delivery=caller.delivery) as tx:
                if (await _source(tx, app, build_from), await _source(tx, app, env_from)) != (
                    build_id,
                    env_id,
                ):
                    raise StaleRequest
                release = Release(
                    id=new_id("release"),
                    app=app,
                    sequence=await tx.next_sequence(app),
                    build=build.build,
                    environment=env.environment,
                    description=f"Created from build release: {build.id} and environment release: {env.id}",
                    created_at=tx.now,
                    created_by=caller.actor,
                )
                await tx.add_release(release)
                detail = {"app": app, "build_from": build.id, "env_from": env.id}
                await tx.audit(caller.actor, "release.compose", release.id, detail)
            return ComposedRelease(release=release, build_from=build.id, env_from=env.id)

        return await until_current(attempt)

    async def _may_change(self, caller: Caller, app: str, *, to_promote: bool) -> Caller:
        actor = await self._access.require(caller.actor, "env", app)
        if to_promote:
            await self._access.require(actor, "promote", app)
        return replace(caller, actor=actor)

    async def _change(
        self,
        caller: Caller,
        app: str,
        change: Callable[[Environment], Environment],
        action: str,
        keys: list[str],
        *,
        base: str | None,
        seen: str | None = None,
    ) -> ChangedEnvironment:
        self._check_startable()

        async def attempt() -> ChangedEnvironment:
            fork = await read_fork(self._store.read, app, base)
            if seen not in {None, fork.base_id}:
                raise Conflict(
                    f"the environment has changed meanwhile: the newest release is {fork.base_id}, and you saw that of {seen}",
                    hint="nothing was set: ask for it anew",
                )
            after = change(fork.environment)
            check_size(after, [key for key in keys if key in after])
            changes = difference(fork.environment, after)
            if not changes:
                return ChangedEnvironment(release=None, base=fork.base_id)
            async with self._store.transaction(delivery=caller.delivery) as tx:
                await fork.check(tx)
                release = Release(
                    id=new_id("release"),
                    app=app,
                    sequence=await tx.next_sequence(app),
                    build=fork.base.build if fork.base else None,
                    environment=after,
                    description=f"env {changes}",
                    created_at=tx.now,
                    created_by=caller.actor,
                )
                await tx.add_release(release)
                named = {*keys, *changes.removed} if action != "env.unset" else set(keys)
                await tx.audit(caller.actor, action, release.id, {"app": app, "keys": sorted(named)})
            return ChangedEnvironment(release=release, base=fork.base_id, skipped=fork.skipped_note)

        return await until_current(attempt)

    def _check_startable(self) -> None:
        reason = self._why_not_startable()
        if reason:
            raise Unavailable(reason)


def _channel(caller: Caller) -> str:
    if caller.channel is None:
        raise UserError("a channel can only be linked from Slack", hint="type it in the channel itself")
    return caller.channel


async def _source(read: StoreReader, app: str, release: str | None) -> str:
    """Return the release that is named, else the active one."""
    found = release or (await read.app(app)).active_release
    if found is None:
        raise NotFound(f"{app} has no active release", hint="name a release instead")
    return found


async def _reused(tx: StoreReader, app: str, images: Mapping[str, str]) -> tuple[str, ...]:
    """Return the services whose image came with this build under a tag that an earlier one had too; a digest names its content."""
    by_tag = {name: image for name, image in images.items() if not is_pinned(image)}
    known = await tx.known_images(app, frozenset(by_tag.values()))
    return tuple(sorted(name for name, image in by_tag.items() if image in known))


def _reuse_notes(build: Build) -> tuple[str, ...]:
    if not build.reused:
        return ()
    which = ", ".join(build.reused)
    pinned = "with IMAGE@sha256:… it would be known what runs"
    return (
        f"an earlier build used the tag of {which} too, so each pod pulls it anew as it starts; {pinned}",
    )


def _unset(manifest: Manifest, environment: Environment) -> tuple[str, ...]:
    """Say which variables are still to be set of a build that is fine to be registered."""
    missing = required(manifest.services, environment)
    return (f"required env: {', '.join(missing)}: set before it is promoted",) if missing else ()

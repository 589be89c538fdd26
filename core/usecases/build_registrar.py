"""Use cases that make builds, each with its release."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from core.actor import Actor, Caller
from core.build_run import BuildRun
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.lifecycle.build_ending import end_build
from core.lifecycle.build_telling import active_build
from core.lifecycle.patience import check_times
from core.lifecycle.startable import check_startable
from core.manifest.convox_yml import Manifest, images_needed, parse_manifest, required, resolve_images
from core.ports.store import StoreReader, Transaction
from core.records.build import Build, described, is_pinned, moment_of_commit
from core.records.environment import Environment
from core.records.release import Release
from core.records.repository import compared, repository_url
from core.sentence import Sentence
from core.usecases.attempts import until_current
from core.usecases.forks import read_fork
from core.usecases.pinning import pinned
from core.usecases.record_use_case import RecordUseCase


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
    notes: tuple[str | Sentence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestBuild:
    """The build that the next one can be made from, and the images of its services that are built."""

    build: str
    images: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewBuild:
    """What a build is made of; `run`, where the cluster has built it."""

    app: str
    actor: Actor
    manifest: str
    images: Mapping[str, str]
    description: str
    git_sha: str
    repository: str
    committed_at: str = ""
    run: BuildRun | None = None


class BuildRegistrar(RecordUseCase):
    """Builds, of a new manifest or of the newest one with other images."""

    async def register_build(
        self,
        caller: Caller,
        app: str,
        *,
        manifest: str,
        images: Mapping[str, str],
        description: str = "",
        git_sha: str = "",
        repository: str = "",
        committed_at: str = "",
        to_promote: bool = False,
    ) -> NewRelease:
        """Store a build and the one release it makes, forked from the newest release not on hold (contract 4).

        Where the policy has builds announced and it is not promoted at once, the app's channel is told; who promotes it at once
        needs that right too, so that nothing is made for nothing.

        Raises:
            NotFound: there is no such app.
            Invalid: the manifest cannot be read or its times cannot be met, an image is missing or unknown, or the description
                is too large. A variable that is still missing is noted: it is a promote that needs it, as in Convox.
        """
        actor = await self._may_build(caller, app, to_promote=to_promote)
        check_startable(self._why_not_startable)
        given = _NewBuild(
            app=app,
            actor=actor,
            manifest=manifest,
            images=images,
            description=description,
            git_sha=git_sha,
            repository=repository,
            committed_at=committed_at,
        )
        return await self._make(given, delivery=caller.delivery, to_promote=to_promote)

    async def release_build(self, run: BuildRun, images: Mapping[str, str]) -> NewRelease:
        """Make the build and the release of what the cluster has built, and end the run in the same transaction.

        Whoever asked for it had the right to; nobody asks for this.

        Raises:
            Conflict: it was cancelled meanwhile.
            Invalid: as of `register_build`.
        """
        request = run.request
        given = _NewBuild(
            app=run.app,
            actor=run.created_by,
            manifest=request.manifest,
            images={**request.images, **images},
            description=request.message or request.description,
            git_sha=request.git_sha,
            repository=request.repository,
            committed_at=request.committed_at,
            run=run,
        )
        return await self._make(given, to_promote=request.promote)

    async def _make(
        self, given: _NewBuild, *, delivery: int | None = None, to_promote: bool = False
    ) -> NewRelease:
        app, images, run = given.app, given.images, given.run
        known: dict[str, str] = {}
        loose: tuple[Sentence, ...] = ()
        line, message = described(given.description)

        async def attempt() -> NewRelease:
            nonlocal known, loose
            fork = await read_fork(self._store.read, app)
            loaded = await asyncio.to_thread(parse_manifest, given.manifest, fork.environment, complete=False)
            check_times(loaded.services, self._access.policy.rules(app))
            resolved = resolve_images(loaded, images)
            if not known:  # asked once: an attempt more is no reason to ask all registries again
                known, loose = await pinned(
                    self._registry, app, resolved, await self._store.read.registry_logins(app)
                )
            resolved = {service: known.get(service, image) for service, image in resolved.items()}
            notes: tuple[str | Sentence, ...] = (
                *self._cluster.notes(loaded),
                *_unset(loaded, fork.environment),
                *loose,
            )
            async with self._store.transaction(delivery=delivery) as tx:
                await fork.check(tx)
                release_id = new_id("release")
                build = Build(
                    id=run.id if run else new_id("build"),
                    app=app,
                    manifest=given.manifest,
                    images=resolved,
                    reused=await _reused(tx, app, {name: resolved[name] for name in images}),
                    description=line or f"build {tx.now:%Y-%m-%d %H:%M}",
                    message=message,
                    git_sha=given.git_sha,
                    repository=repository_url(given.repository),
                    committed_at=moment_of_commit(given.committed_at),
                    release=release_id,
                    started_at=(run and run.started_at) or tx.now,
                    ended_at=tx.now,
                    created_by=given.actor,
                )
                release = Release(
                    id=release_id,
                    app=app,
                    sequence=await tx.next_sequence(app),
                    build=build.id,
                    environment=fork.environment,
                    description=build.description,
                    created_at=tx.now,
                    created_by=given.actor,
                )
                await tx.add_build(build)
                await tx.add_release(release)
                detail = {"app": app, "release": release.id, "git_sha": given.git_sha}
                await tx.audit(given.actor, "build.create", build.id, detail)
                if run is not None:
                    await end_build(tx, run.completed(release.id, tx.now), was=run.status)
                    if run.request.promote_after != "never":
                        await tx.add_promotion_job(run.id)
                # Whoever sees its card is told by that.
                if not to_promote and not (run and await tx.card(run.id)):
                    await self._announce(tx, build, release)
            if self._announcer is not None:
                self._announcer.wake()
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
        loaded = await asyncio.to_thread(
            parse_manifest, build.manifest, fork.environment, complete=False, stored=True
        )
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
            caller,
            app,
            manifest=earlier.manifest,
            images=images,
            description=description,
            to_promote=to_promote,
        )

    async def import_image(
        self, caller: Caller, app: str, image: str, *, service: str | None = None, description: str = ""
    ) -> NewRelease:
        """Register a build of the newest manifest with one image, as Convox's `builds import-image`; as `rebuild`.

        Args:
            caller: who asks.
            app: whose build.
            image: it stays where it is.
            service: whose image it is, the others keep theirs; None for each service that is built.
            description: "" names the image.

        Raises:
            NotFound: nothing was built yet, or no service that is built has that name.
        """
        newest = await self.newest_build(caller, app)
        if service is not None and service not in newest.images:
            there = ", ".join(newest.images)
            raise NotFound(
                f"{app} builds no service {service}", hint=f"in its newest convox.yml are built: {there}"
            )
        wanted = newest.images if service is None else (service,)
        return await self.rebuild(
            caller,
            app,
            seen=newest.build,
            images={**newest.images, **dict.fromkeys(wanted, image)},
            description=description or f"import {image}",
        )

    async def _announce(self, tx: Transaction, build: Build, release: Release) -> None:
        """Tell the app's channel of a build, in one message that calls nobody (contract 9.4)."""
        policy = self._access.policy
        rules = policy.rules(build.app)
        channel = (await tx.app(build.app)).channel or rules.channel
        if channel is not None and rules.announce_builds and policy.verbosity(build.app, channel) != "quiet":
            what = f"Build {build.id} of {build.app}: “{build.description}”, registered by "
            commits = compared(await active_build(tx, build.app), build)
            source = Sentence.of(" ", commits, ".") if commits else ""
            said = Sentence.of(what, release.created_by, f". Release {release.id}, not promoted yet.", source)
            await tx.add_notice(channel, said, kind="build", release=release)

    async def _may_build(self, caller: Caller, app: str, *, to_promote: bool) -> Actor:
        actor = await self._access.require(caller.actor, "build", app)
        if to_promote:
            await self._access.require(actor, "promote", app)
        return actor


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

"""Use cases of builds that the cluster makes: to ask for one, to look at it, to stop it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.actor import Actor, Caller
from core.build_run import ENDED, BuildRequest, BuildRun
from core.errors import Conflict, NotFound, Unauthorized
from core.ids import new_id
from core.lifecycle.access import Access
from core.lifecycle.build_ending import end_build
from core.lifecycle.build_log import line_of_aged_log
from core.lifecycle.build_source import check_request, may_fetch
from core.lifecycle.build_telling import builds_ahead, card_channel, going_builds
from core.lifecycle.once import use_once
from core.lifecycle.startable import check_startable
from core.manifest.image_builds import check_argument_names
from core.policy.authorization import Verb
from core.ports.announcer import Announcer
from core.ports.builds import BuildCluster, BuildRunner
from core.ports.sources import Sources
from core.ports.store import Store, Transaction
from core.records.build import BuildEntry, BuildStatus, described, printable_line
from core.records.git_address import (
    COMMIT,
    SECURE,
    check_commit,
    check_git_ref,
    check_git_url,
    check_manifest_path,
)
from core.records.push import PromoteAfter, PushedBuild
from core.records.repository import repository_url
from core.sentence import CommandLine, Sentence
from core.usecases.forks import read_fork

# Builds of one app that wait; each holds an archive on the bot's disk.
MOST_QUEUED = 20
MAX_AUTHOR_CHARS = 100
_KEPT = (
    "what was uploaded is kept for a day where its build has failed, and no longer than its build where not"
)
_AGAIN = "`convox-bot build` in its folder uploads it once more"


def check_buildable(why_not: str) -> None:
    """Raise Conflict where a rack builds nothing, for the reason that is given."""
    if why_not:
        raise Conflict(
            why_not,
            hint="`convox-bot build --image SERVICE=IMAGE` registers what was built elsewhere; "
            "docs/settings.md says what a rack needs",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedBuild:
    """A build that was asked for, and how many of its app come before it.

    Attributes:
        known: the push that it is of has started it before; nothing was started now.
    """

    run: BuildRun
    ahead: int = 0
    known: bool = False


class BuildStarter:
    """Builds of a source in the cluster."""

    def __init__(
        self,
        store: Store,
        access: Access,
        cluster: BuildCluster,
        sources: Sources,
        runner: BuildRunner,
        announcer: Announcer,
        *,
        why_not_startable: Callable[[], str],
        git_schemes: frozenset[str] = SECURE,
        copy_images: bool = True,
    ) -> None:
        """Wire the use cases.

        `git_schemes`: of the addresses that are cloned; `copy_images`: what `image:` names is copied, too; `announcer` is woken after
        a commit that changes a card.
        """
        self._copy_images = copy_images
        self._git_schemes = git_schemes
        self._store = store
        self._access = access
        self._cluster = cluster
        self._sources = sources
        self._runner = runner
        self._announcer = announcer
        self._why_not_startable = why_not_startable

    async def start(
        self,
        caller: Caller,
        app: str,
        *,
        manifest: str,
        source: str,
        manifest_path: str = "convox.yml",
        build_args: Mapping[str, str] | None = None,
        no_cache: bool = False,
        images: Mapping[str, str] | None = None,
        description: str = "",
        git_sha: str = "",
        repository: str = "",
        committed_at: str = "",
        to_promote: bool = False,
        only_newest: bool = False,
    ) -> QueuedBuild:
        """Ask for a build of what was uploaded; it starts when those of its app before it have ended.

        Args:
            caller: who asks.
            app: whose build.
            manifest: the text of convox.yml.
            source: what was uploaded, complete.
            manifest_path: where the manifest lies in it.
            build_args: given to every image.
            no_cache: build every step anew.
            images: service → image, for those that are not to be built.
            description: as of `register_build`.
            git_sha: as of `register_build`.
            repository: as of `register_build`.
            committed_at: as of `register_build`.
            to_promote: as of `register_build`.
            only_newest: builds of the app that still wait are cancelled.

        Raises:
            NotFound: there is no such app, or no such source of it.
            Conflict: this rack builds nothing, the source is not complete or was built from, or too many builds wait.
            Invalid: the manifest cannot be used, there is nothing to build in it, or an image is unknown.
        """
        actor = await self._access.require(caller.actor, "build", app)
        if to_promote:
            await self._access.require(actor, "promote", app)
        check_startable(self._why_not_startable)
        line, message = described(description)
        request = BuildRequest(
            manifest=manifest,
            manifest_path=manifest_path,
            source=source,
            build_args=build_args or {},
            no_cache=no_cache,
            copy_images=self._copy_images,
            images=images or {},
            description=line,
            message=message,
            git_sha=git_sha,
            repository=repository_url(repository),
            committed_at=committed_at,
            promote=to_promote,
        )
        await self._check(app, request)
        return await self._enqueue(caller, actor, app, request, only_newest=only_newest)

    async def start_git(
        self,
        caller: Caller,
        app: str,
        *,
        url: str,
        ref: str = "",
        commit: str = "",
        manifest_path: str = "convox.yml",
        build_args: Mapping[str, str] | None = None,
        no_cache: bool = False,
        images: Mapping[str, str] | None = None,
        description: str = "",
        author: str = "",
        to_promote: bool = False,
        promote_after: PromoteAfter = "never",
        only_newest: bool = False,
        pushed: PushedBuild | None = None,
    ) -> QueuedBuild:
        """Ask for a build of a git repository, which its pod clones: only then is known what convox.yml says.

        Args:
            caller: who asks.
            app: whose build.
            url: what is cloned, without credentials: the app's token for its host is of the database.
            ref: a branch, a tag or a whole commit; "" for the branch that the repository shows first.
            commit: the very commit, of a branch that may have gone on since; "" for its newest.
            manifest_path: where convox.yml lies in it.
            build_args: as of `start`.
            no_cache: as of `start`.
            images: as of `start`.
            description: as of `start`; "" for the commit's own.
            author: who wrote the commit, where that is known already.
            to_promote: as of `start`.
            promote_after: what the bot does with its release in the caller's name, who need not stay for it.
            only_newest: as of `start`.
            pushed: the push that it is of; one that was built before starts nothing, and what it has started is returned.

        Raises:
            NotFound: there is no such app.
            Conflict: this rack builds nothing, or too many builds wait.
            Invalid: the address, the ref, the commit or the path cannot be used.
        """
        actor = await self._access.require(caller.actor, "build", app)
        if to_promote or promote_after != "never":
            await self._access.require(actor, "promote", app)
        check_startable(self._why_not_startable)
        check_buildable(self._cluster.why_not())
        await self._store.read.app(app)
        address, branch, sha = check_git_url(url, self._git_schemes), check_git_ref(ref), check_commit(commit)
        if not sha and COMMIT.fullmatch(branch.lower()):
            sha, branch = branch.lower(), ""
        check_argument_names(build_args or {})
        line, message = described(description)
        request = BuildRequest(
            git_url=address,
            git_ref=branch,
            git_sha=sha,
            author=printable_line(author)[:MAX_AUTHOR_CHARS],
            manifest_path=check_manifest_path(manifest_path),
            build_args=build_args or {},
            no_cache=no_cache,
            copy_images=self._copy_images,
            images=images or {},
            description=line,
            message=message,
            repository=repository_url(address),
            promote=to_promote or promote_after != "never",
            promote_after=promote_after,
        )
        if pushed is not None:
            request = replace(
                request,
                promote=pushed.promote != "never",
                promote_after=pushed.promote,
                pushed_to=pushed.push.ref,
                compare=pushed.push.compare_url,
            )
        return await self._enqueue(caller, actor, app, request, only_newest=only_newest, pushed=pushed)

    async def _enqueue(
        self,
        caller: Caller,
        actor: Actor,
        app: str,
        request: BuildRequest,
        *,
        only_newest: bool,
        pushed: PushedBuild | None = None,
        retried: str = "",
    ) -> QueuedBuild:
        async with self._store.transaction(delivery=caller.delivery) as tx:
            if pushed is not None and (before := await tx.build_of_push(pushed.marks)):
                return QueuedBuild(run=await tx.build_run(before), known=True)
            await use_once(tx, caller, app, promotes=request.promote)
            named = request
            if not request.description and not request.git_url:
                named = replace(request, description=f"build {tx.now:%Y-%m-%d %H:%M}")
            run = BuildRun(id=new_id("build"), app=app, request=named, created_at=tx.now, created_by=actor)
            if only_newest:
                await self._cancel_queued(tx, app, run, actor)
            going = going_builds(app, await tx.open_builds())
            same = next((each for each in going if retried and each.request == request), None)
            # What was uploaded has an index for it, which knows of more.
            if same and request.git_url:
                raise Conflict(f"{same.id} builds the same already", hint=f"`builds -a {app}` lists it")
            waiting = [each for each in going if each.status is BuildStatus.CREATED]
            if len(waiting) >= MOST_QUEUED:
                hint = f"`builds cancel` takes one out of the queue, and --only-newest all of them: {waiting[0].id} is next"
                raise Conflict(f"{len(waiting)} builds of {app} wait already", hint=hint)
            await tx.add_build_run(run)
            channel = card_channel(caller, await tx.app(app), self._access.policy, to_promote=request.promote)
            if channel is not None:
                await tx.add_card(run.id, channel)
            told = {"app": app, "git_sha": request.git_sha}
            if retried:
                told |= {"retries": retried}
            if request.git_url:
                told |= {"git": request.git_url, "ref": request.git_ref}
            if pushed is not None:
                await tx.remember_push(run.id, pushed.marks)
                told |= {"rule": pushed.rule}
            await tx.audit(actor, "build.start", run.id, told)
        self._runner.look(app)
        self._announcer.wake()
        return QueuedBuild(run=run, ahead=len(going))

    async def _check(self, app: str, request: BuildRequest) -> None:
        """Say now what would else be said when its turn has come."""
        check_buildable(self._cluster.why_not())
        fork = await read_fork(self._store.read, app)
        rules = self._access.policy.rules(app)
        await asyncio.to_thread(check_request, request, fork.environment, rules)
        source = await self._sources.find(request.source)
        if source.app != app:
            raise NotFound(f"no such source: {request.source[:40]}")
        if not source.complete:
            raise Conflict(
                f"the source {source.id} is not here as a whole", hint="upload the rest of it first"
            )
        # From here until the build keeps it nothing else does, and its age may just be over.
        await self._sources.renew(source.id)

    async def _cancel_queued(self, tx: Transaction, app: str, run: BuildRun, actor: Actor) -> None:
        for each in await tx.queued_builds(app):
            reason = Sentence.of(f"{run.id} was to be built alone, asked for by ", actor)
            await end_build(tx, each.cancelled(reason, tx.now), was=each.status)
            await tx.audit(actor, "build.cancel", each.id, {"app": app, "for": run.id})

    async def cancel(self, caller: Caller, build_id: str, *, app: str | None = None) -> BuildRun:
        """Stop a build, or take it out of the queue.

        Args:
            caller: who asks.
            build_id: which.
            app: whose it is said to be, if that is said.

        Raises:
            NotFound: there is none, or none of that app.
            Conflict: it has ended, as each has that was made elsewhere.
        """
        actor, run = await self._named(caller, build_id, app, made_elsewhere="and has ended")
        async with self._store.transaction(delivery=caller.delivery) as tx:
            run = await tx.build_run(run.id)
            ended = run.cancelled(Sentence.of("cancelled by ", actor), tx.now)
            await end_build(tx, ended, was=run.status)
            await tx.audit(actor, "build.cancel", run.id, {"app": run.app})
        self._runner.look(run.app)
        self._announcer.wake()
        return ended

    async def retry(self, caller: Caller, build_id: str, *, app: str | None = None) -> QueuedBuild:
        """Ask once more for what a build was asked for that has ended; nothing of its release is promoted.

        Args:
            caller: who asks.
            build_id: which.
            app: whose it is said to be, if that is said.

        Raises:
            NotFound: there is none, or none of that app.
            Conflict: it has not ended, it was made elsewhere, its source is gone, or this rack builds nothing.
            Invalid: as of `start`: what is asked of an app has changed.
        """
        actor, run = await self._named(caller, build_id, app, made_elsewhere="so it is built again there")
        if not run.ended:
            raise Conflict(
                f"build {run.id} has not ended: it is {run.status}",
                hint=Sentence.of(CommandLine(f"builds cancel {run.id} -a {run.app}"), " stops it"),
            )
        check_startable(self._why_not_startable)
        check_buildable(self._cluster.why_not())
        request = replace(run.request, promote=False, promote_after="never")
        if request.source:
            try:
                await self._sources.find(request.source)
            except NotFound:
                raise Conflict(f"the source of {run.id} is gone: {_KEPT}", hint=_AGAIN) from None
            await self._check(run.app, request)
        return await self._enqueue(caller, actor, run.app, request, only_newest=False, retried=run.id)

    async def look(self, caller: Caller, build_id: str) -> QueuedBuild:
        """Return a build, and how many of its app come before it; raise NotFound where there is none."""
        _, run = await self._seen(caller, build_id, "view")
        return QueuedBuild(run=run, ahead=await builds_ahead(self._store.read, run))

    async def lines(
        self, caller: Caller, build_id: str, after: int
    ) -> tuple[BuildEntry, list[tuple[int, str]]]:
        """Return a build, and lines of its log after a number; whoever asks again gets the next ones.

        It is asked twice a second by each who reads along, so nothing is opened but new lines.
        """
        build = await self._store.read.build_run_entry(build_id)
        await self._access.require(caller.actor, "view", build.app)
        read = self._store.read
        lines = await read.build_lines(build.id, after)
        if not lines and not after and build.status in ENDED:
            aged = await line_of_aged_log(read, build.id, self._access.policy.retention)
            lines = list(enumerate(aged, 1))
        return build, lines

    async def source(self, build_id: str, token: str) -> Path:
        """Return the file with the source of a build for the pod that builds it, which nobody else's token opens.

        Raises:
            Unauthorized: that is not its token, or the build is not running.
            NotFound: the source is gone.
        """
        try:
            run = await self._store.read.build_run(build_id)
        except NotFound:
            raise Unauthorized("this token opens no source") from None
        if not run.request.source or not await may_fetch(self._store.read, run, token):
            raise Unauthorized("this token opens no source")
        return await self._sources.open(run.request.source)

    async def _named(
        self, caller: Caller, build_id: str, app: str | None, *, made_elsewhere: str
    ) -> tuple[Actor, BuildRun]:
        """Return who may build it, and the build that they name."""
        if app is None:
            return await self._seen(caller, build_id, "build")
        actor = await self._access.require(caller.actor, "build", app)
        await self._store.read.app(app)
        try:
            run = await self._store.read.build_run(build_id)
        except NotFound:
            await self._store.read.build(app, build_id)
            raise Conflict(f"build {build_id} was made elsewhere, {made_elsewhere}") from None
        if run.app != app:
            raise NotFound(f"no such build: {build_id}")
        return actor, run

    async def _seen(self, caller: Caller, build_id: str, verb: Verb) -> tuple[Actor, BuildRun]:
        run = await self._store.read.build_run(build_id)
        return await self._access.require(caller.actor, verb, run.app), run

"""Use cases of builds that the cluster makes: to ask for one, to ask for it once more, to stop it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from core.actor import Caller
from core.build_run import BuildRequest, BuildRun
from core.errors import Conflict, NotFound
from core.lifecycle.access import Access
from core.lifecycle.build_ending import end_build
from core.lifecycle.build_request import git_request, pushed_request, uploaded_request
from core.lifecycle.build_source import check_request
from core.lifecycle.startable import check_startable
from core.ports.announcer import Announcer
from core.ports.builds import BuildCluster, BuildRunner
from core.ports.sources import Sources
from core.ports.store import Store
from core.records.git_address import SECURE
from core.records.push import PushedBuild
from core.sentence import CommandLine, Sentence
from core.usecases.build_queue import BuildQueue, QueuedBuild
from core.usecases.forks import read_fork
from core.usecases.named_builds import named_build

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
        self._queue = BuildQueue(store, access, runner, announcer)

    async def start(
        self,
        caller: Caller,
        app: str,
        asked: BuildRequest,
        *,
        only_newest: bool = False,
        pushed: PushedBuild | None = None,
    ) -> QueuedBuild:
        """Ask for a build; it starts when those of its app before it have ended.

        Args:
            caller: who asks.
            app: whose build.
            asked: what is built, as they give it: of what was uploaded, complete, its convox.yml; or a repository, which its pod
                clones with the app's token for its host: only then is known what convox.yml says.
            only_newest: builds of the app that still wait are cancelled.
            pushed: the push that it is of; one that was built before starts nothing, and what it has started is returned.

        Raises:
            NotFound: there is no such app, or no such source of it.
            Conflict: this rack builds nothing, the source is not complete or was built from, or too many builds wait.
            Invalid: the manifest, the address, the ref, the commit or the path cannot be used, there is nothing to build, or an
                image is unknown.
        """
        actor = await self._access.require(caller.actor, "build", app)
        if asked.promote or asked.promote_after != "never":
            await self._access.require(actor, "promote", app)
        check_startable(self._why_not_startable)
        asked = replace(asked, copy_images=self._copy_images)
        if asked.git_url:
            check_buildable(self._cluster.why_not())
            await self._store.read.app(app)
            request = git_request(asked, self._git_schemes)
        else:
            request = uploaded_request(asked)
            await self._check(app, request)
        if pushed is not None:
            request = pushed_request(request, pushed)
        return await self._queue.add(caller, actor, app, request, only_newest=only_newest, pushed=pushed)

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
        actor, run = await named_build(
            self._store, self._access, caller, build_id, app, made_elsewhere="and has ended"
        )
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
        actor, run = await named_build(
            self._store, self._access, caller, build_id, app, made_elsewhere="so it is built again there"
        )
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
        return await self._queue.add(caller, actor, run.app, request, only_newest=False, retried=run.id)

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

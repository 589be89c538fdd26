"""What the pod of a build tells once it has cloned: which commit that is, and what its convox.yml says.

Only then is known what is built. It is checked as what somebody uploads, and what cannot be used ends the build with its sentence.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.build_run import BuildRequest, BuildRun
from core.building.job_spec import build_environment, job_spec
from core.errors import Conflict, Invalid, NotFound, Unauthorized, UserError
from core.failpoints import failpoint
from core.lifecycle.build_ending import fail_build
from core.lifecycle.build_request import MAX_AUTHOR_CHARS
from core.lifecycle.build_source import check_request, may_fetch
from core.policy.rules import Rules
from core.ports.announcer import Announcer
from core.ports.builds import BuildCluster, BuildRunner
from core.ports.store import Store
from core.records.build import described, printable_line
from core.records.git_address import COMMIT
from core.yaml.source import LARGEST_FILE

MAX_TIME_CHARS = 40
# What stands in the place of bytes that are no text.
REPLACED = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClonedSource:
    """What was cloned, as git tells it.

    Attributes:
        committed_at: as git writes it (ISO 8601).
        submodules: how many there are; none of them is cloned.
        pointers: files of which Git LFS keeps the content; none of it is fetched.
        manifest: the text of convox.yml, "" where there is none.
    """

    commit: str
    author: str
    committed_at: str
    subject: str
    submodules: int = 0
    pointers: int = 0
    manifest: str = ""


class CloneReceiver:
    """Takes what pods have cloned, and tells them what to build of it."""

    def __init__(
        self,
        store: Store,
        cluster: BuildCluster,
        runner: BuildRunner,
        announcer: Announcer,
        rules: Callable[[str], Rules],
    ) -> None:
        """Wire it; `rules`: what the policy says of an app."""
        self._store = store
        self._cluster = cluster
        self._runner = runner
        self._announcer = announcer
        self._rules = rules

    async def receive(self, build_id: str, token: str, cloned: ClonedSource) -> str:
        """Store what was cloned, and return what the pod runs next; the same for a pod that asks again.

        Raises:
            Unauthorized: that is not the token of this build, or the build clones nothing, or does not run.
            Invalid: it cannot be built, by which the build has failed.
            Conflict: it was cloned before, and was another commit then, by which the build has failed.
        """
        run = await self.check(build_id, token)
        try:
            run = await self._stored(run, cloned)
            spec = await job_spec(self._store.read, run)
        except (Invalid, Conflict, NotFound) as error:
            await self._fail(run, error)
            raise
        return self._cluster.script(spec, _said(run.request, cloned))

    async def check(self, build_id: str, token: str) -> BuildRun:
        """Return the build that a token opens; raise Unauthorized as `receive` does."""
        try:
            run = await self._store.read.build_run(build_id)
        except NotFound:
            raise Unauthorized("this token opens no build") from None
        if not run.request.git_url or not await may_fetch(self._store.read, run, token):
            raise Unauthorized("this token opens no build")
        return run

    async def _stored(self, run: BuildRun, cloned: ClonedSource) -> BuildRun:
        if not run.request.awaits_clone:
            return _same(run, cloned)
        request = _told(run.request, cloned)
        environment = await build_environment(self._store.read, run)
        await asyncio.to_thread(check_request, request, environment, self._rules(run.app))
        async with self._store.transaction() as tx:
            run = await tx.build_run(run.id)
            if not run.request.awaits_clone:
                return _same(run, cloned)
            run = run.cloned(request)
            await tx.save_build_clone(run)
        failpoint("build.after_clone")
        self._announcer.wake()
        return run

    async def _fail(self, run: BuildRun, error: UserError) -> None:
        try:
            async with self._store.transaction() as tx:
                await fail_build(tx, run, error.sentence)
        except Conflict:
            return  # it was cancelled meanwhile
        self._announcer.wake()
        self._runner.look(run.app)


def _same(run: BuildRun, cloned: ClonedSource) -> BuildRun:
    """Return the build; raise Conflict where it was told another commit before, since one of them is what was checked."""
    if cloned.commit != run.request.git_sha:
        raise Conflict("it was cloned twice, and its branch went on in between", hint="build it again")
    return run


def _told(asked: BuildRequest, cloned: ClonedSource) -> BuildRequest:
    """Return what is built, now that its commit is known.

    Raises:
        Invalid: it is no commit, or not the one that was asked for, or it has no convox.yml.
    """
    if not COMMIT.fullmatch(cloned.commit):
        raise Invalid(f"the clone tells no commit: {cloned.commit[:80]!r}")
    short = cloned.commit[:10]
    if asked.git_sha and asked.git_sha != cloned.commit:
        raise Invalid(f"commit {asked.git_sha[:10]} was asked for, and {short} was cloned")
    if not cloned.manifest.strip():
        where = f"commit {short} of {asked.git_url} has no {asked.manifest_path}, or nothing is in it"
        raise Invalid(f"{where}: -m names another path")
    if REPLACED in cloned.manifest and len(cloned.manifest) <= LARGEST_FILE:
        raise Invalid(f"{asked.manifest_path} of commit {short} is not UTF-8 text")
    line, message = asked.description, asked.message
    if not line:
        line, message = described(f"build {short} {cloned.subject}")
    return replace(
        asked,
        manifest=cloned.manifest,
        git_sha=cloned.commit,
        author=printable_line(cloned.author)[:MAX_AUTHOR_CHARS] or asked.author,
        committed_at=printable_line(cloned.committed_at)[:MAX_TIME_CHARS],
        description=line,
        message=message,
    )


def _said(request: BuildRequest, cloned: ClonedSource) -> list[str]:
    """Return the first lines of the log."""
    what = " ".join(each for each in (request.git_url, request.git_ref) if each)
    lines = [f"Cloned {what} at {request.git_sha[:10]} {printable_line(cloned.subject)}".rstrip()]
    if cloned.submodules:
        one = cloned.submodules == 1
        left = "1 submodule is" if one else f"{cloned.submodules} submodules are"
        lines.append(f"{left} not cloned, so {'its folder is' if one else 'their folders are'} empty")
    if cloned.pointers:
        those = "1 file is" if cloned.pointers == 1 else f"{cloned.pointers} files are"
        lines.append(f"{those} kept by Git LFS, of which nothing is fetched: a pointer stands in each place")
    return lines

"""The queue of builds of an app: what was asked for and waits for its turn."""

from dataclasses import dataclass, replace

from core.actor import Actor, Caller
from core.build_run import BuildRequest, BuildRun
from core.errors import Conflict
from core.ids import new_id
from core.lifecycle.access import Access
from core.lifecycle.build_ending import end_build
from core.lifecycle.build_telling import card_channel, going_builds
from core.lifecycle.once import use_once
from core.ports.announcer import Announcer
from core.ports.builds import BuildRunner
from core.ports.store import Store, Transaction
from core.records.build import BuildStatus
from core.records.push import PushedBuild
from core.sentence import Sentence

# Builds of one app that wait; each holds an archive on the bot's disk.
MOST_QUEUED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedBuild:
    """A build that was asked for, and how many of its app come before it.

    Attributes:
        known: the push that it is of has started it before; nothing was started now.
    """

    run: BuildRun
    ahead: int = 0
    known: bool = False


class BuildQueue:
    """Takes in what was asked for, and wakes who builds it."""

    def __init__(self, store: Store, access: Access, runner: BuildRunner, announcer: Announcer) -> None:
        self._store = store
        self._access = access
        self._runner = runner
        self._announcer = announcer

    async def add(
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
        """Store a build; it starts when those of its app before it have ended.

        Args:
            caller: who asks.
            actor: the same, as they may build.
            app: whose build.
            request: as it is stored.
            only_newest: builds of the app that still wait are cancelled.
            pushed: the push that it is of; one that was built before starts nothing, and what it has started is returned.
            retried: the build that is asked for once more, "" for none.

        Raises:
            Conflict: too many builds wait, or the same is built already.
        """
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

    async def _cancel_queued(self, tx: Transaction, app: str, run: BuildRun, actor: Actor) -> None:
        for each in await tx.queued_builds(app):
            reason = Sentence.of(f"{run.id} was to be built alone, asked for by ", actor)
            await end_build(tx, each.cancelled(reason, tx.now), was=each.status)
            await tx.audit(actor, "build.cancel", each.id, {"app": app, "for": run.id})

"""Requests that decide what happens to a promotion or a build on its way."""

from bot.command import commands as ask
from bot.handlers.reply import Reply
from bot.views import confirmations
from bot.views.answers import Answer
from core.actor import Caller
from core.build_run import BuildRequest
from core.sentence import Sentence
from core.usecases.build_queue import QueuedBuild
from core.usecases.build_starter import BuildStarter
from core.usecases.decider import Decider
from core.usecases.reminders import Reminders


class DecisionCommands:
    """What is decided of what was asked for."""

    def __init__(self, decider: Decider, builds: BuildStarter, reminders: Reminders) -> None:
        self._decider = decider
        self._builds = builds
        self._reminders = reminders

    async def decide(self, command: ask.Command, caller: Caller) -> Reply:
        match command:
            case ask.Approve():
                approved = await self._decider.approve(caller, command.promotion, app=command.app)
                text = confirmations.approving(approved.promotion, approved.missing)
            case ask.Decline():
                declined = await self._decider.decline(
                    caller, command.promotion, command.reason, app=command.app
                )
                text = confirmations.declining(declined)
            case ask.Cancel():
                cancelled = await self._decider.cancel(caller, command.promotion, app=command.app)
                text = confirmations.cancelling(cancelled.app)
            case ask.Stop():
                stopped = await self._decider.stop(caller, command.promotion, app=command.app)
                text = confirmations.stopping(stopped)
            case ask.Snooze():
                seconds = command.seconds
                put_off = await self._decider.snooze(caller, command.promotion, seconds, app=command.app)
                text = confirmations.snoozing(put_off, seconds)
            case ask.CancelApp():
                cancelled = await self._decider.cancel_app(caller, command.app)
                text = confirmations.cancelling(cancelled.app)
            case ask.CancelBuild() | ask.RetryBuild() | ask.BuildGit():
                return Reply(answer=Answer(text=await self._on_build(command, caller)))
            case ask.Remind():
                reminded = await self._reminders.remind(
                    caller, command.promotion, after=command.after, app=command.app
                )
                return Reply(answer=Answer(text=confirmations.reminding(reminded)))
            case _:
                raise AssertionError(command)
        return Reply(answer=Answer(text=text))

    async def _on_build(
        self, command: ask.CancelBuild | ask.RetryBuild | ask.BuildGit, caller: Caller
    ) -> str | Sentence:
        match command:
            case ask.CancelBuild():
                ended = await self._builds.cancel(caller, command.build, app=command.app)
                return confirmations.cancelling_build(ended.id)
            case ask.RetryBuild():
                queued = await self._builds.retry(caller, command.build, app=command.app)
                return confirmations.retrying_build(command.build, queued.run.id, queued.ahead)
            case ask.BuildGit():
                return confirmations.starting_build(await self._start(command, caller))

    async def _start(self, command: ask.BuildGit, caller: Caller) -> QueuedBuild:
        asked = BuildRequest(
            git_url=command.url,
            git_ref=command.ref,
            manifest_path=command.manifest,
            build_args=dict(command.build_args),
            no_cache=command.no_cache,
            description=command.description,
            promote_after="automatic" if command.promote else "never",
        )
        return await self._builds.start(caller, command.app, asked, only_newest=command.only_newest)

"""One request in, one answer out: the same for Slack, for a terminal and for CI."""

import logging
from dataclasses import replace

from bot.command import commands as ask
from bot.command.account_forms import AddGitAccount, AddRegistry
from bot.command.build_forms import BuildForm
from bot.command.forms import DeleteApp, EnvEdit, Form, FormCommand
from bot.handlers.apps import AppCommands
from bot.handlers.budgets import Budgets
from bot.handlers.costs import cost_of
from bot.handlers.decisions import DecisionCommands
from bot.handlers.forms import FormCommands
from bot.handlers.queries import Queries
from bot.handlers.releases import ReleaseCommands
from bot.handlers.reply import Reply, refused
from bot.views import confirmations
from bot.views.answers import Answer
from core.actor import Caller
from core.clock import Clock
from core.errors import Unexpected, UserError
from core.lifecycle.visibility import refused_by
from core.sentence import Sentence
from core.usecases.build_chooser import BuildChooser
from core.usecases.build_starter import BuildStarter
from core.usecases.chooser import Chooser
from core.usecases.decider import Decider
from core.usecases.explainer import Explainer
from core.usecases.freezer import Freezer
from core.usecases.process_viewer import ProcessViewer
from core.usecases.promoter import Promoter
from core.usecases.registrar import Registrar
from core.usecases.reminders import Reminders
from core.usecases.scaler import Scaler
from core.usecases.viewer import Viewer

log = logging.getLogger(__name__)


class Handlers:
    """Carries out requests: the use case, which asks for the right itself, then the words."""

    def __init__(
        self,
        *,
        registrar: Registrar,
        builds: BuildStarter,
        build_chooser: BuildChooser,
        promoter: Promoter,
        decider: Decider,
        viewer: Viewer,
        processes: ProcessViewer,
        scaler: Scaler,
        reminders: Reminders,
        freezer: Freezer,
        explainer: Explainer,
        chooser: Chooser,
        clock: Clock,
        budgets: Budgets,
    ) -> None:
        self._budgets = budgets
        self._viewer = viewer
        self._releases = ReleaseCommands(registrar, promoter, scaler)
        self._decisions = DecisionCommands(decider, builds, reminders)
        self._apps = AppCommands(registrar, decider, freezer)
        self._forms = FormCommands(registrar, build_chooser, viewer, freezer, chooser, clock)
        self._showing = Queries(viewer, processes, explainer, clock)

    async def handle(self, command: ask.Command, caller: Caller) -> Reply:
        """Return the answer; a refusal is one too, and nothing is raised."""
        try:
            self._budgets.take(caller.actor.key, cost_of(command))
            reply = await self._carry_out(command, caller)
        except UserError as error:
            reply = refused(error)
        except Exception:
            surprise = Unexpected()
            log.exception("%s: %s failed unexpectedly", surprise.reference, type(command).__name__)
            reply = refused(surprise)
        warnings = (
            *command.warnings,
            *reply.answer.warnings,
            *await self._closed_channel(command, caller, reply),
        )
        return replace(reply, answer=replace(reply.answer, warnings=warnings))

    async def _closed_channel(self, command: ask.Command, caller: Caller, reply: Reply) -> list[Sentence]:
        """Say in another channel of the app that the thread of its last promotion has ended early (engine rule 60)."""
        app = getattr(command, "app", None)
        if reply.answer.refusal or caller.source != "slack" or not app:
            return []
        try:
            card = await self._viewer.closed_card(caller, app)
        except UserError:
            # Who may not look is not told where others looked; and what was asked for is done.
            return []
        refused = refused_by(card) if card else None
        if card is None or refused is None or caller.channel in {card.channel, card.closed_channel}:
            return []
        return [confirmations.thread_ended(card.subject, *refused)]

    async def linked_app(self, channel: str | None) -> str | None:
        """Return the app that `-a` may be left out for."""
        return await self._viewer.linked_app(channel)

    async def _carry_out(self, command: ask.Command, caller: Caller) -> Reply:
        match command:
            case (
                ask.Promote() | ask.Rollback() | ask.CreateReleaseFrom() | BuildForm(images=tuple()) | ask.ImportImage()
                | ask.Restart() | ask.SetCount()
            ):  # fmt: skip
                return await self._releases.change(command, caller)
            case ask.EnvSet() | ask.EnvUnset() | EnvEdit(lines=tuple()):
                return await self._releases.change_environment(command, caller)
            case (
                ask.Approve() | ask.Decline() | ask.Cancel() | ask.CancelApp() | ask.Remind() | ask.Stop() | ask.Snooze()
                | ask.CancelBuild() | ask.BuildGit() | ask.RetryBuild()
            ):  # fmt: skip
                return await self._decisions.decide(command, caller)
            case (
                ask.CreateApp() | ask.Link() | ask.Unlink() | ask.LockApp() | ask.RemoveRegistry()
                | ask.FreezeApp() | ask.UnfreezeApp() | DeleteApp(yes=str()) | AddRegistry(password=str())
                | ask.RemoveGitAccount() | AddGitAccount(token=str())
            ):  # fmt: skip
                return Reply(answer=await self._apps.administer(command, caller))
            case FormCommand():
                return await self._ask(command, caller)
            case _:
                return Reply(answer=await self._showing.show(command, caller))

    async def _ask(self, command: FormCommand, caller: Caller) -> Reply:
        form = await self.form(command, caller)
        return Reply(answer=Answer(text=confirmations.to_be_entered(command.typed)), form=form)

    async def form(self, command: FormCommand, caller: Caller) -> Form:
        """Return what is to be entered; whoever may not do what it is for is refused before that.

        Raises:
            UserError: why nothing is asked for.
        """
        return await self._forms.form(command, caller)

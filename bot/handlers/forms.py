"""What is asked for before a request can be carried out: only of those who may do what it is for."""

from bot.command.account_forms import AddGitAccount, AddRegistry
from bot.command.build_forms import BuildForm
from bot.command.forms import DeleteApp, EnvEdit, EnvSetForm, Form, FormCommand
from bot.command.freeze_forms import FreezeForm
from bot.command.release_forms import DeclineForm, PromoteForm, RollbackForm
from bot.handlers.environments import EnvironmentCommands
from bot.views.choices import promote_notes, release_choice, rollback_notes
from core.actor import Caller
from core.clock import Clock
from core.usecases.build_chooser import BuildChooser
from core.usecases.chooser import Chooser
from core.usecases.freezer import Freezer
from core.usecases.registrar import Registrar
from core.usecases.viewer import Viewer


class FormCommands:
    """The forms, each with what is known already."""

    def __init__(
        self,
        registrar: Registrar,
        builds: BuildChooser,
        viewer: Viewer,
        freezer: Freezer,
        chooser: Chooser,
        clock: Clock,
    ) -> None:
        self._builds = builds
        self._viewer = viewer
        self._freezer = freezer
        self._chooser = chooser
        self._clock = clock
        self._environments = EnvironmentCommands(registrar)

    async def form(self, command: FormCommand, caller: Caller) -> Form:
        """Return what is to be entered; whoever may not do what it is for is refused before that.

        Raises:
            UserError: why nothing is asked for.
        """
        match command:
            case PromoteForm() | RollbackForm():
                return await self._choosing(command, caller)
            case DeclineForm():
                return command.form(await self._chooser.declinable(caller, command.promotion, command.app))
            case EnvSetForm() | EnvEdit():
                return await self._environments.form(command, caller)
            case BuildForm():
                return await self._building(command, caller)
            case AddRegistry() | AddGitAccount() | DeleteApp() | FreezeForm():
                return await self._administering(command, caller)
            case _:
                raise AssertionError(command)

    async def _building(self, command: BuildForm, caller: Caller) -> Form:
        """Return what is asked for of a build: of a terminal images alone, which takes one thing from standard input."""
        alone = command.images_alone or caller.source != "slack"
        choices = await self._builds.choices(
            caller, command.app, to_promote=command.promote, images_alone=alone
        )
        if alone or choices.why_not:
            assert choices.newest is not None, "else it was refused"
            why_not = "" if alone else choices.why_not
            return command.form(choices.newest.images, choices.newest.build, why_not=why_not)
        return command.form_of(choices)

    async def _administering(
        self, command: AddRegistry | AddGitAccount | DeleteApp | FreezeForm, caller: Caller
    ) -> Form:
        """Return what is asked for of an app as such."""
        match command:
            case AddRegistry():
                await self._viewer.registries(caller, command.app)
                return command.form()
            case AddGitAccount():
                await self._viewer.git_accounts(caller, command.app)
                return command.form()
            case DeleteApp():
                await self._viewer.deletable(caller, command.app)
                return command.form()
            case FreezeForm():
                return command.form(await self._freezer.zone(caller, command.app))

    async def _choosing(self, command: PromoteForm | RollbackForm, caller: Caller) -> Form:
        """Return what is asked for of a release, with what the one that is chosen would change."""
        force = isinstance(command, PromoteForm) and command.force
        change = await self._chooser.change(caller, command.app, command.kind, command.release, force=force)
        chosen = release_choice(change.choice, self._clock.now()) if change else None
        if isinstance(command, PromoteForm):
            on_hold = change is not None and change.choice.release.on_hold
            return command.form(chosen, promote_notes(change) if change else (), on_hold=on_hold)
        return command.form(chosen, rollback_notes(change) if change else ())

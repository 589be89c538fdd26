"""Requests about an app as such: what an administrator does."""

from bot.command import commands as ask
from bot.command.account_forms import AddGitAccount, AddRegistry
from bot.command.forms import DeleteApp
from bot.views import confirmations
from bot.views.answers import Answer
from core.actor import Caller
from core.sentence import Channel, Sentence
from core.usecases.decider import Decider
from core.usecases.freezer import Freezer
from core.usecases.registrar import Registrar

AccountChange = AddRegistry | ask.RemoveRegistry | AddGitAccount | ask.RemoveGitAccount


class AppCommands:
    """What is done to an app as such."""

    def __init__(self, registrar: Registrar, decider: Decider, freezer: Freezer) -> None:
        self._registrar = registrar
        self._decider = decider
        self._freezer = freezer

    async def _link(self, name: str, caller: Caller) -> Answer:
        """Link the channel, and say what was taken from where: one channel an app, one app a channel."""
        linked = await self._registrar.link(caller, name)
        notes = []
        if linked.former_channel:
            notes.append(
                Sentence.of(
                    f"{name} was linked to ", Channel(linked.former_channel), ", which has no app now"
                )
            )
        if linked.unlinked_app:
            notes.append(
                Sentence.of(f"this channel was linked to {linked.unlinked_app}, which has no channel now")
            )
        return Answer(text=confirmations.linking(name), warnings=tuple(notes))

    async def _change_account(self, command: AccountChange, caller: Caller) -> Answer:
        """Keep or forget whom an app says it is, at a registry or a host of git."""
        match command:
            case ask.RemoveRegistry():
                host = await self._registrar.remove_registry(caller, command.app, command.host)
                text = confirmations.logging_out(host)
            case AddRegistry():
                host = await self._registrar.add_registry(
                    caller,
                    command.app,
                    host=command.host,
                    user=command.user,
                    password=command.password or "",
                )
                text = confirmations.logging_in(host)
            case ask.RemoveGitAccount():
                host = await self._registrar.remove_git_account(caller, command.app, command.host)
                text = confirmations.forgetting_token(host)
            case _:
                host = await self._registrar.add_git_account(
                    caller, command.app, host=command.host, user=command.user, token=command.token or ""
                )
                text = confirmations.keeping_token(host)
        return Answer(text=text)

    async def _keep_from(
        self, command: ask.LockApp | ask.FreezeApp | ask.UnfreezeApp, caller: Caller
    ) -> Answer:
        """Keep an app from being deleted, or from what is new; or take that back."""
        match command:
            case ask.LockApp():
                await self._registrar.lock(caller, command.app, locked=command.locked)
                return Answer(text=confirmations.locking(command.app, locked=command.locked))
            case ask.FreezeApp():
                made = await self._freezer.freeze(
                    caller,
                    command.app,
                    reason=command.reason,
                    until=command.until,
                    begins=command.begins,
                )
                return Answer(text=confirmations.freezing(made))
            case ask.UnfreezeApp():
                left = await self._freezer.unfreeze(caller, command.app)
                hint = left.sentence if left else ""
                return Answer(text=confirmations.unfreezing(command.app), hint=hint)

    async def administer(self, command: ask.Command, caller: Caller) -> Answer:
        match command:
            case ask.CreateApp():
                created = await self._registrar.create_app(caller, command.name)
                return Answer(
                    text=confirmations.creating(created.app.name, created.administrator_command or None)
                )
            case ask.Link():
                return await self._link(command.app, caller)
            case ask.LockApp() | ask.FreezeApp() | ask.UnfreezeApp():
                return await self._keep_from(command, caller)
            case AddRegistry() | ask.RemoveRegistry() | AddGitAccount() | ask.RemoveGitAccount():
                return await self._change_account(command, caller)
            case DeleteApp():
                await self._decider.delete_app(caller, command.app)
                return Answer(text=confirmations.deleting(command.app), hint=confirmations.LEFT_OF_AN_APP)
            case ask.Unlink():
                app = await self._registrar.unlink(caller, command.app)
                return Answer(text=confirmations.unlinking(app.name))
            case _:
                raise AssertionError(command)

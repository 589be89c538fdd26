"""Changes of an environment: the use case, then the words; and what is asked for where they are not typed in a line."""

from dataclasses import dataclass
from typing import TypeAlias

from bot.command.commands import EnvSet, EnvUnset
from bot.command.forms import EnvEdit, EnvSetForm, Form
from bot.views import confirmations
from bot.views.answers import Answer
from core.actor import Caller
from core.records.release import Release
from core.usecases.environment_registrar import ChangedEnvironment
from core.usecases.registrar import Registrar

EnvironmentCommand: TypeAlias = EnvSet | EnvUnset | EnvEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentReply:
    """What is said of a change, and the release that it made; None where nothing changed."""

    answer: Answer
    release: Release | None


class EnvironmentCommands:
    """Carries out `env set`, `env unset` and `env edit`."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    async def form(self, command: EnvSetForm | EnvEdit, caller: Caller) -> Form:
        """Return what is to be entered; who could not make the change is refused here."""
        found = await self._registrar.editable_environment(
            caller, command.app, base=command.release, to_promote=command.promote
        )
        if isinstance(command, EnvSetForm):
            return command.form()
        return command.form(tuple(found.environment), found.release)

    async def change(self, command: EnvironmentCommand, caller: Caller) -> EnvironmentReply:
        """Make the release, and say so."""
        changed = await self._changed(command, caller)
        made = changed.release
        wanted = (made.id if made else changed.base) if command.with_id else ""
        if made is None:
            hint = confirmations.nothing_to_promote(command.app) if command.promote else ""
            return EnvironmentReply(
                answer=Answer(text=confirmations.NO_CHANGES, hint=hint, id=wanted), release=None
            )
        notes = (changed.skipped,) if changed.skipped else ()
        return EnvironmentReply(
            answer=Answer(text=_said(command, made.id), warnings=notes, release=made.id, id=wanted),
            release=made,
        )

    async def _changed(self, command: EnvironmentCommand, caller: Caller) -> ChangedEnvironment:
        app, base, promote = command.app, command.release, command.promote
        match command:
            case EnvSet():
                return await self._registrar.set_environment(
                    caller, app, command.pairs, replace=command.replace, base=base, to_promote=promote
                )
            case EnvUnset():
                return await self._registrar.unset_environment(
                    caller, app, command.keys, base=base, to_promote=promote
                )
            case EnvEdit():
                return await self._registrar.edit_environment(
                    caller, app, command.lines or (), seen=command.seen, base=base, to_promote=promote
                )


def _said(command: EnvironmentCommand, release: str) -> str:
    match command:
        case EnvSet():
            return confirmations.setting([key for key, _ in command.pairs], release)
        case EnvUnset():
            return confirmations.unsetting(command.keys, release)
        case EnvEdit():
            given = [line.key for line in command.lines or () if line.value is not None]
            return confirmations.editing(given, release)

"""Requests that change releases, what runs, and what is asked for to make them so."""

from dataclasses import replace

from bot.command import commands as ask
from bot.command.build_forms import BuildForm
from bot.handlers.environments import EnvironmentCommand, EnvironmentCommands
from bot.handlers.reply import Reply
from bot.views import confirmations
from bot.views.answers import Answer
from core.actor import Caller
from core.errors import Busy, Invalid, UserError
from core.lifecycle.visibility import refused_by
from core.promotion import Phase
from core.records.release import Release
from core.sentence import CommandLine, Sentence
from core.usecases.asking import PromotionRequest
from core.usecases.build_registrar import NewRelease
from core.usecases.promoter import Promoter, PromotionResult
from core.usecases.registrar import Registrar
from core.usecases.scaler import Scaler


class ReleaseCommands:
    """What changes releases and asks for promotions."""

    def __init__(self, registrar: Registrar, promoter: Promoter, scaler: Scaler) -> None:
        self._registrar = registrar
        self._promoter = promoter
        self._scaler = scaler
        self._environments = EnvironmentCommands(registrar)

    async def change(self, command: ask.Command, caller: Caller) -> Reply:
        match command:
            case ask.Promote():
                return await self._promote(command, caller)
            case BuildForm() | ask.ImportImage():
                return await self._build(command, caller)
            case ask.Restart() | ask.SetCount():
                return await self._act_on_processes(command, caller)
            case ask.Rollback():
                asked = PromotionRequest(
                    app=command.app,
                    kind="rollback",
                    release=command.release,
                    variables=command.variables,
                )
                requested = await self._promoter.request(caller, asked)
                text = confirmations.rolling_back(requested.rolled_back_to, requested.promotion.release)
                return await self._requested(requested, text, caller)
            case ask.CreateReleaseFrom():
                composed = await self._registrar.create_from(
                    caller,
                    command.app,
                    build_from=command.build_from,
                    env_from=command.env_from,
                    to_promote=command.promote,
                )
                text = confirmations.composing(composed)
                if not command.promote:
                    return Reply(answer=Answer(text=f"{text}\nOK", release=composed.release.id))
                return await self._made(composed.release, text, caller, overwrite=command.overwrite)
            case _:
                raise AssertionError(command)

    async def _promote(self, command: ask.Promote, caller: Caller) -> Reply:
        asked = PromotionRequest(
            app=command.app,
            release=command.release,
            force=command.force,
            overwrite=command.overwrite,
            anyway=command.anyway,
            break_glass=command.break_glass,
            at=command.at,
            queue=command.queue,
        )
        requested = await self._promoter.request(caller, asked)
        release = requested.promotion.release
        text = confirmations.scheduled(requested.promotion) or confirmations.promoting(release)
        return await self._requested(requested, text, caller)

    async def _act_on_processes(self, command: ask.Restart | ask.SetCount, caller: Caller) -> Reply:
        if isinstance(command, ask.SetCount):
            made = await self._scaler.scale(caller, command.app, command.service, command.count)
            return Reply(answer=Answer(text=confirmations.scaling(made), hint=confirmations.scaled(made)))
        services = () if command.service is None else (command.service,)
        requested = await self._promoter.request(caller, PromotionRequest(app=command.app, restart=services))
        return await self._requested(requested, confirmations.restarting(requested.promotion), caller)

    async def change_environment(self, command: EnvironmentCommand, caller: Caller) -> Reply:
        changed = await self._environments.change(command, caller)
        if changed.release is None or not command.promote:
            return Reply(answer=changed.answer)
        reply = await self._made(changed.release, changed.answer.text, caller, overwrite=command.overwrite)
        notes = (*changed.answer.warnings, *reply.answer.warnings)
        return replace(reply, answer=replace(reply.answer, warnings=notes, id=changed.answer.id))

    async def _build(self, command: BuildForm | ask.ImportImage, caller: Caller) -> Reply:
        if isinstance(command, ask.ImportImage):
            made = await self._registrar.import_image(
                caller,
                command.app,
                command.image,
                service=command.service,
                description=command.description,
            )
            return _registered(made)
        if command.seen is None:
            raise Invalid("which manifest? ask for the form first, and send its `seen` along")
        made = await self._registrar.rebuild(
            caller,
            command.app,
            seen=command.seen,
            images=dict(command.images or ()),
            description=command.description,
            to_promote=command.promote,
        )
        registered = _registered(made)
        if not command.promote:
            return registered
        told = registered.answer
        reply = await self._made(
            made.release, told.text, caller, force=command.force, overwrite=command.overwrite
        )
        return replace(reply, answer=replace(reply.answer, warnings=(*told.warnings, *reply.answer.warnings)))

    async def _made(
        self,
        release: Release,
        text: str | Sentence,
        caller: Caller,
        *,
        overwrite: bool,
        force: bool = False,
    ) -> Reply:
        """Promote a release that was just made; `text` says that it was."""
        try:
            asked = PromotionRequest(app=release.app, release=release.id, force=force, overwrite=overwrite)
            requested = await self._promoter.request(caller, asked)
        except UserError as error:
            # The release exists: the answer says so before it says why it was not promoted.
            hint = _take_over(release) if isinstance(error, Busy) else error.hint
            return Reply(answer=Answer(text=text, refusal=error, hint=hint, release=release.id))
        text = Sentence.of(text, f"\n{confirmations.promoting(release.id)}")
        return await self._requested(requested, text, caller)

    async def _requested(self, requested: PromotionResult, text: str | Sentence, caller: Caller) -> Reply:
        promotion = requested.promotion
        notes: list[str | Sentence] = [requested.skipped] if requested.skipped else []
        notes += promotion.along
        if promotion.channel is None and caller.source == "http":
            notes.append(confirmations.no_card(promotion.app))
        elif (
            (card := requested.undelivered_card) and (refused := refused_by(card)) and caller.source == "http"
        ):
            # Whoever sees no Slack does not see that nothing comes there.
            notes.append(confirmations.card_undelivered(promotion.app, *refused))
        if requested.came_too_late:
            notes.append(confirmations.CAME_TOO_LATE)
        hint: str | Sentence = ""
        if promotion.phase is Phase.AWAITING_APPROVAL:
            hint = confirmations.waiting(promotion)
        if requested.already_waiting:
            text = confirmations.already_waiting(promotion)
        answer = Answer(text=text, warnings=tuple(notes), hint=hint, release=promotion.release)
        return Reply(answer=answer, promotion=promotion.id)


def _registered(made: NewRelease) -> Reply:
    """Say that a build was made, and what is to be known beside it."""
    assert made.build is not None
    notes = (*([made.skipped] if made.skipped else []), *made.notes)
    text = confirmations.building(made.build.id, made.release.id)
    return Reply(answer=Answer(text=text, warnings=notes, release=made.release.id))


def _take_over(release: Release) -> Sentence:
    """Say how the release that was just made can go out all the same: `env set` itself takes nothing over."""
    force = CommandLine(f"releases promote {release.id} --force -a {release.app}")
    return Sentence.of("wait and promote it then, or take over: ", force)

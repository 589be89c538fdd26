"""One request in, one answer out: the same for Slack, for a terminal and for CI."""

import logging
from dataclasses import dataclass, replace

from bot.command import commands as ask
from bot.command.forms import AddRegistry, BuildForm, DeleteApp, EnvEdit, EnvSetForm, Form, FormCommand
from bot.command.freeze_forms import FreezeForm
from bot.command.release_forms import DeclineForm, PromoteForm, RollbackForm
from bot.environments import EnvironmentCommand, EnvironmentCommands
from bot.queries import Queries
from bot.views import confirmations
from bot.views.answers import Answer
from bot.views.choices import promote_notes, release_choice, rollback_notes
from bot.views.refusals import refusal
from core.actor import Caller
from core.clock import Clock
from core.errors import Busy, Invalid, Unexpected, UserError
from core.promotion import Phase
from core.records.release import Release
from core.sentence import Channel, CommandLine, Sentence
from core.usecases.asking import PromotionRequest
from core.usecases.build_starter import BuildStarter
from core.usecases.chooser import Chooser
from core.usecases.decider import Decider
from core.usecases.explainer import Explainer
from core.usecases.freezer import Freezer
from core.usecases.process_viewer import ProcessViewer
from core.usecases.promoter import Promoter, PromotionResult
from core.usecases.registrar import Registrar
from core.usecases.reminders import Reminders
from core.usecases.scaler import Scaler
from core.usecases.viewer import Viewer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the caller gets.

    Attributes:
        promotion: id of the promotion that this request has asked for or joined; None for anything else.
        form: what is still to be entered: nothing was done so far.
    """

    answer: Answer
    promotion: str | None = None
    form: Form | None = None


class Handlers:
    """Carries out requests: the use case, which asks for the right itself, then the words."""

    def __init__(
        self,
        *,
        registrar: Registrar,
        builds: BuildStarter,
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
    ) -> None:
        self._registrar = registrar
        self._builds = builds
        self._promoter = promoter
        self._decider = decider
        self._viewer = viewer
        self._scaler = scaler
        self._reminders = reminders
        self._freezer = freezer
        self._chooser = chooser
        self._clock = clock
        self._environments = EnvironmentCommands(registrar)
        self._showing = Queries(viewer, processes, explainer, clock)

    async def handle(self, command: ask.Command, caller: Caller) -> Reply:
        """Return the answer; a refusal is one too, and nothing is raised."""
        try:
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
        if card is None or caller.channel in {card.channel, card.closed_channel}:
            return []
        where, why = card.closed_channel or card.channel, card.closed_by or card.failed
        return [confirmations.thread_ended(card.promotion, where, why)]

    async def linked_app(self, channel: str | None) -> str | None:
        """Return the app that `-a` may be left out for."""
        return await self._viewer.linked_app(channel)

    async def _carry_out(self, command: ask.Command, caller: Caller) -> Reply:
        match command:
            case (
                ask.Promote() | ask.Rollback() | ask.CreateReleaseFrom() | BuildForm(images=tuple())
                | ask.Restart() | ask.SetCount()
            ):  # fmt: skip
                return await self._change(command, caller)
            case ask.EnvSet() | ask.EnvUnset() | EnvEdit(lines=tuple()):
                return await self._change_environment(command, caller)
            case (
                ask.Approve() | ask.Decline() | ask.Cancel() | ask.CancelApp() | ask.Remind() | ask.Stop() | ask.Snooze()
                | ask.CancelBuild()
            ):  # fmt: skip
                return await self._decide(command, caller)
            case (
                ask.CreateApp() | ask.Link() | ask.Unlink() | ask.LockApp() | ask.RemoveRegistry()
                | ask.FreezeApp() | ask.UnfreezeApp() | DeleteApp(yes=str()) | AddRegistry(password=str())
            ):  # fmt: skip
                return Reply(answer=await self._administer(command, caller))
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
        match command:
            case PromoteForm() | RollbackForm():
                return await self._choosing(command, caller)
            case DeclineForm():
                return command.form(await self._chooser.declinable(caller, command.promotion, command.app))
            case EnvSetForm() | EnvEdit():
                return await self._environments.form(command, caller)
            case BuildForm():
                newest = await self._registrar.newest_build(caller, command.app, to_promote=command.promote)
                return command.form(newest.images, newest.build)
            case AddRegistry() | DeleteApp() | FreezeForm():
                return await self._administering(command, caller)
            case _:
                raise AssertionError(command)

    async def _administering(self, command: AddRegistry | DeleteApp | FreezeForm, caller: Caller) -> Form:
        """Return what is asked for of an app as such."""
        match command:
            case AddRegistry():
                await self._viewer.registries(caller, command.app)
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

    # What changes releases and promotions

    async def _change(self, command: ask.Command, caller: Caller) -> Reply:
        match command:
            case ask.Promote():
                return await self._promote(command, caller)
            case BuildForm():
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

    async def _change_environment(self, command: EnvironmentCommand, caller: Caller) -> Reply:
        changed = await self._environments.change(command, caller)
        if changed.release is None or not command.promote:
            return Reply(answer=changed.answer)
        reply = await self._made(changed.release, changed.answer.text, caller, overwrite=command.overwrite)
        notes = (*changed.answer.warnings, *reply.answer.warnings)
        return replace(reply, answer=replace(reply.answer, warnings=notes, id=changed.answer.id))

    async def _build(self, command: BuildForm, caller: Caller) -> Reply:
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
        assert made.build is not None
        notes = (*([made.skipped] if made.skipped else []), *made.notes)
        text = confirmations.building(made.build.id, made.release.id)
        if not command.promote:
            return Reply(answer=Answer(text=text, warnings=notes, release=made.release.id))
        reply = await self._made(made.release, text, caller, force=command.force, overwrite=command.overwrite)
        return replace(reply, answer=replace(reply.answer, warnings=(*notes, *reply.answer.warnings)))

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
        elif requested.undelivered_card and caller.source == "http":
            # Whoever sees no Slack does not see that nothing comes there.
            card = requested.undelivered_card
            notes.append(confirmations.card_undelivered(promotion.app, card.channel, card.failed))
        if requested.came_too_late:
            notes.append(confirmations.CAME_TOO_LATE)
        hint: str | Sentence = ""
        if promotion.phase is Phase.AWAITING_APPROVAL:
            hint = confirmations.waiting(promotion)
        if requested.already_waiting:
            text = confirmations.already_waiting(promotion)
        answer = Answer(text=text, warnings=tuple(notes), hint=hint, release=promotion.release)
        return Reply(answer=answer, promotion=promotion.id)

    async def _decide(self, command: ask.Command, caller: Caller) -> Reply:
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
            case ask.CancelBuild():
                ended = await self._builds.cancel(caller, command.build, app=command.app)
                text = confirmations.cancelling_build(ended.id)
            case ask.Remind():
                reminded = await self._reminders.remind(
                    caller, command.promotion, after=command.after, app=command.app
                )
                return Reply(answer=Answer(text=confirmations.reminding(reminded)))
            case _:
                raise AssertionError(command)
        return Reply(answer=Answer(text=text))

    # What an administrator does

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

    async def _log_in_or_out(self, command: AddRegistry | ask.RemoveRegistry, caller: Caller) -> Answer:
        if isinstance(command, ask.RemoveRegistry):
            host = await self._registrar.remove_registry(caller, command.app, command.host)
            return Answer(text=confirmations.logging_out(host))
        host = await self._registrar.add_registry(
            caller, command.app, host=command.host, user=command.user, password=command.password or ""
        )
        return Answer(text=confirmations.logging_in(host))

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

    async def _administer(self, command: ask.Command, caller: Caller) -> Answer:
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
            case AddRegistry() | ask.RemoveRegistry():
                return await self._log_in_or_out(command, caller)
            case DeleteApp():
                await self._decider.delete_app(caller, command.app)
                return Answer(text=confirmations.deleting(command.app), hint=confirmations.LEFT_OF_AN_APP)
            case ask.Unlink():
                app = await self._registrar.unlink(caller, command.app)
                return Answer(text=confirmations.unlinking(app.name))
            case _:
                raise AssertionError(command)


def _take_over(release: Release) -> Sentence:
    """Say how the release that was just made can go out all the same: `env set` itself takes nothing over."""
    force = CommandLine(f"releases promote {release.id} --force -a {release.app}")
    return Sentence.of("wait and promote it then, or take over: ", force)


def refused(error: UserError) -> Reply:
    """Return the reply to a request that was refused, or that broke something here."""
    return Reply(answer=refusal(error))

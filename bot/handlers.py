"""One request in, one answer out: the same for Slack, for a terminal and for CI."""

import logging
from dataclasses import dataclass, replace

from bot.command import commands as ask
from bot.queries import Queries
from bot.views import confirmations
from bot.views.answers import Answer
from bot.views.refusals import refusal
from core.actor import Caller
from core.clock import Clock
from core.errors import Busy, Unexpected, UserError
from core.promotion import Phase
from core.records.release import Release
from core.sentence import Channel, Sentence
from core.usecases.asking import PromotionRequest
from core.usecases.decider import Decider
from core.usecases.promoter import Promoter, PromotionResult
from core.usecases.registrar import NewRelease, Registrar
from core.usecases.viewer import Viewer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the caller gets.

    Attributes:
        promotion: id of the promotion that this request has asked for or joined; None for anything else.
    """

    answer: Answer
    promotion: str | None = None


class Handlers:
    """Carries out requests: the use case, which asks for the right itself, then the words."""

    def __init__(
        self, *, registrar: Registrar, promoter: Promoter, decider: Decider, viewer: Viewer, clock: Clock
    ) -> None:
        self._registrar = registrar
        self._promoter = promoter
        self._decider = decider
        self._viewer = viewer
        self._showing = Queries(viewer, clock)

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
            case ask.Promote() | ask.Rollback() | ask.EnvSet() | ask.EnvUnset() | ask.CreateReleaseFrom():
                return await self._change(command, caller)
            case ask.Approve() | ask.Decline() | ask.Cancel() | ask.CancelApp():
                return await self._decide(command, caller)
            case ask.CreateApp() | ask.Link() | ask.Unlink():
                return Reply(answer=await self._administer(command, caller))
            case _:
                return Reply(answer=await self._showing.show(command, caller))

    # What changes releases and promotions

    async def _change(self, command: ask.Command, caller: Caller) -> Reply:
        match command:
            case ask.Promote():
                return await self._promote(command, caller)
            case ask.Rollback():
                asked = PromotionRequest(app=command.app, kind="rollback", release=command.release)
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
                    return Reply(answer=Answer(text=f"{text}\nOK"))
                return await self._made(NewRelease(release=composed.release), text, caller, promote=True)
            case ask.EnvSet():
                made = await self._registrar.set_environment(
                    caller, command.app, command.pairs, to_promote=command.promote
                )
                text = confirmations.setting([k for k, _ in command.pairs], made.release.id)
                return await self._made(made, text, caller, promote=command.promote)
            case ask.EnvUnset():
                made = await self._registrar.unset_environment(
                    caller, command.app, command.keys, to_promote=command.promote
                )
                text = confirmations.unsetting(command.keys, made.release.id)
                return await self._made(made, text, caller, promote=command.promote)
            case _:
                raise AssertionError(command)

    async def _promote(self, command: ask.Promote, caller: Caller) -> Reply:
        asked = PromotionRequest(
            app=command.app,
            release=command.release,
            force=command.force,
            overwrite=command.overwrite,
            anyway=command.anyway,
        )
        requested = await self._promoter.request(caller, asked)
        return await self._requested(requested, confirmations.promoting(requested.promotion.release), caller)

    async def _made(self, made: NewRelease, text: str, caller: Caller, *, promote: bool) -> Reply:
        warnings = (made.skipped,) if made.skipped else ()
        if not promote:
            return Reply(answer=Answer(text=text, warnings=warnings))
        try:
            asked = PromotionRequest(app=made.release.app, release=made.release.id)
            requested = await self._promoter.request(caller, asked)
        except UserError as error:
            # The release exists: the answer says so before it says why it was not promoted.
            hint = _take_over(made.release) if isinstance(error, Busy) else error.hint
            return Reply(answer=Answer(text=text, refusal=error, warnings=warnings, hint=hint))
        text = f"{text}\n{confirmations.promoting(made.release.id)}"
        reply = await self._requested(requested, text, caller)
        return replace(reply, answer=replace(reply.answer, warnings=(*warnings, *reply.answer.warnings)))

    async def _requested(self, requested: PromotionResult, text: str | Sentence, caller: Caller) -> Reply:
        promotion = requested.promotion
        notes: list[str | Sentence] = [requested.skipped] if requested.skipped else []
        if promotion.channel is None and caller.source == "http":
            notes.append(confirmations.no_card(promotion.app))
        elif requested.undelivered_card and caller.source == "http":
            # Whoever sees no Slack does not see that nothing comes there.
            card = requested.undelivered_card
            notes.append(confirmations.card_undelivered(promotion.app, card.channel, card.failed))
        if requested.came_too_late:
            notes.append(confirmations.CAME_TOO_LATE)
        hint = ""
        if promotion.phase is Phase.AWAITING_APPROVAL:
            hint = confirmations.waiting(promotion)
        if requested.already_waiting:
            text = confirmations.already_waiting(promotion)
        answer = Answer(text=text, warnings=tuple(notes), hint=hint)
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
            case ask.CancelApp():
                cancelled = await self._decider.cancel_app(caller, command.app)
                text = confirmations.cancelling(cancelled.app)
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

    async def _administer(self, command: ask.Command, caller: Caller) -> Answer:
        match command:
            case ask.CreateApp():
                created = await self._registrar.create_app(caller, command.name)
                return Answer(
                    text=confirmations.creating(created.app.name, created.administrator_command or None)
                )
            case ask.Link():
                return await self._link(command.app, caller)
            case ask.Unlink():
                app = await self._registrar.unlink(caller, command.app)
                return Answer(text=confirmations.unlinking(app.name))
            case _:
                raise AssertionError(command)


def _take_over(release: Release) -> str:
    """Say how the release that was just made can go out all the same: `env set` itself takes nothing over."""
    return f"wait and promote it then, or take over: `releases promote {release.id} --force -a {release.app}`"


def refused(error: UserError) -> Reply:
    """Return the reply to a request that was refused, or that broke something here."""
    return Reply(answer=refusal(error))

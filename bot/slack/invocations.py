"""What a delivery of each kind comes to: who asks for something, and in which words of the grammar."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.command.button_value import revision_of, text_of
from bot.command.commands import Promote
from bot.command.lexer import encode
from bot.command.mentions import ThreadTopic, expanded, topic_of, words_of
from bot.views.build_buttons import build_of
from bot.views.buttons import ButtonContext, gone, promotion_of
from bot.views.modals import entered
from bot.views.notices import notice_of
from core.actor import Actor, Caller
from core.errors import Conflict, UserError
from core.ports.inbox import DeliveryKind
from core.ports.notices import Announcement
from core.ports.store import Store
from core.sentence import CommandLine, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What a delivery comes to, of whatever kind it is: somebody asks for something in the words of the grammar.

    Attributes:
        entered: what they entered into a form, by field; None where there was none.
        seen: what the form was made from.
        app: whose app is meant where none is named; None leaves it to the channel.
    """

    caller: Caller
    text: str
    entered: Mapping[str, str] | None = field(default=None, repr=False)
    seen: str | None = None
    app: str | None = None


class InvocationReader:
    """Reads deliveries; what a card or an announcement is about is looked up in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # What each kind of delivery says. A further kind is an entry here, and a listener that keeps it.
        self._kinds: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Invocation]]] = {
            "command": self._typed,
            "action": self._clicked,
            "view": self._submitted,
            "shortcut": self._chosen,
            "mention": self._mentioned,
        }

    async def read(self, kind: DeliveryKind, body: Mapping[str, Any]) -> Invocation:
        """Return what it comes to.

        Raises:
            UserError: it was pressed or chosen where nothing of ours stands, or what it stands on offers it no longer.
        """
        return await self._kinds[kind](body)

    async def _typed(self, body: Mapping[str, Any]) -> Invocation:
        actor = Actor("slack", body["user_id"], body.get("user_name", ""))
        caller = Caller(actor=actor, source="slack", channel=body["channel_id"])
        return Invocation(caller=caller, text=body.get("text", ""))

    async def _clicked(self, body: Mapping[str, Any]) -> Invocation:
        """Return what the button says, if it stands on a message of ours: what stands elsewhere was not put there by us."""
        action, channel = body["actions"][0], channel_of(body)
        value = str(action.get("value", ""))
        text, caller = text_of(value), replace(_caller(body), seen=revision_of(value))
        if text is not None and (body.get("view") or {}).get("type") == "home":
            # Nobody but its owner sees a Home tab, and nobody but us puts buttons there.
            return Invocation(caller=caller, text=text)
        place = await self._place(str(action.get("block_id", "")))
        # What was posted just before a crash has no ts here yet; that somebody clicks it shows that it is there.
        stamps = {None, body.get("container", {}).get("message_ts")}
        if text is None or place is None or place[0] != channel or place[1] not in stamps:
            raise UserError(
                "this button belongs to no card of mine", hint="use the newest card, or the command"
            )
        if promotion := promotion_of(str(action.get("block_id", ""))):
            await self._still_there(str(action.get("action_id", "")), promotion)
        return Invocation(caller=caller, text=text)

    async def _place(self, block_id: str) -> tuple[str, str | None] | None:
        """Return the channel and the ts of the message of ours that has these buttons."""
        if (number := notice_of(block_id)) is not None:
            return await self._store.read.notice_place(number)
        subject = promotion_of(block_id) or build_of(block_id)
        card = await self._store.read.card(subject) if subject else None
        return (card.channel, card.ts) if card else None

    async def _chosen(self, body: Mapping[str, Any]) -> Invocation:
        """Return what the message shortcut means: promote the build that this message announces."""
        announced = await self._announced(channel_of(body) or "", body.get("message") or {})
        if announced is None:
            raise UserError(
                "this message announces no build of mine",
                hint=Sentence.of(CommandLine("releases promote RELEASE -a APP"), " promotes any release"),
            )
        command = Promote(app=announced.app, release=announced.release)
        return Invocation(caller=_caller(body), text=encode(command.typed))

    async def _announced(self, channel: str, message: Mapping[str, Any]) -> Announcement | None:
        read, ts = self._store.read, str(message.get("ts", ""))
        if found := await read.announced(channel, ts):
            return found
        if (build := await read.build_of_card(channel, ts)) and (run := await read.build_run(build)).release:
            return Announcement(app=run.app, release=run.release, channel=channel, ts=ts)
        # One that was posted just before a crash is known by its buttons alone.
        blocks = [each for each in message.get("blocks") or () if isinstance(each, dict)]
        numbers = [
            number for each in blocks if (number := notice_of(str(each.get("block_id", "")))) is not None
        ]
        unsure = await read.announcement(numbers[0]) if numbers else None
        return unsure if unsure and unsure.ts is None and unsure.channel == channel else None

    async def _mentioned(self, body: Mapping[str, Any]) -> Invocation:
        """Return what somebody means who wrote to us; under a card they speak of its promotion."""
        event = body["event"]
        channel, thread = str(event["channel"]), event.get("thread_ts")
        topic = await self._topic(channel, str(thread)) if thread else ThreadTopic()
        caller = Caller(actor=Actor("slack", str(event["user"])), source="slack", channel=channel)
        return Invocation(
            caller=caller, text=expanded(words_of(str(event.get("text", ""))), topic), app=topic.app
        )

    async def _topic(self, channel: str, thread: str) -> ThreadTopic:
        read = self._store.read
        if promotion := await read.promotion_of_card(channel, thread):
            return topic_of(await read.promotion(promotion))
        if announced := await read.announced(channel, thread):
            return ThreadTopic(app=announced.app, release=announced.release)
        if build := await read.build_of_card(channel, thread):
            run = await read.build_run(build)
            return ThreadTopic(app=run.app, release=run.release or None)
        return ThreadTopic()

    async def _still_there(self, action_id: str, promotion_id: str) -> None:
        """Refuse what an old card offers of an app that has moved on since, as far as a card that is edited late can tell."""
        promotion = await self._store.read.promotion(promotion_id)
        app = await self._store.read.any_app(promotion.app)
        live = app.active_release == promotion.release
        if gone(action_id, ButtonContext(promotion=promotion, live=live, active=app.active_release)):
            now = f"{app.name} runs {app.active_release} by now" if app.active_release else "it was undone"
            raise Conflict(
                f"this card offers that no longer: {now}, so nothing was done",
                hint="use the newest card, or the command",
            )

    async def _submitted(self, body: Mapping[str, Any]) -> Invocation:
        return Invocation(
            caller=_caller(body),
            text=encode(body["text"]),
            entered=entered(body["view"]),
            seen=body["seen"],
        )


def _caller(body: Mapping[str, Any]) -> Caller:
    """Return who clicks, chooses or submits."""
    user = body["user"]
    actor = Actor("slack", user["id"], user.get("username") or user.get("name", ""))
    return Caller(actor=actor, source="slack", channel=channel_of(body))


def channel_of(body: Mapping[str, Any]) -> str | None:
    """Return the channel that a delivery comes from; None where it comes from none, as from a Home tab."""
    channel = (body.get("event") or body).get("channel")
    if isinstance(channel, str):
        return channel
    found = body.get("channel_id") or (channel.get("id") if isinstance(channel, dict) else None)
    return str(found) if found else None

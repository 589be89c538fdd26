"""What people do in the workspace: commands, clicks, words, and coming and going."""

from typing import Any

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.delivery import DeliveryResult, EnvelopeSender
from bot.playground.slack.envelopes import (
    Envelope,
    action_payload,
    command_payload,
    escape,
    event_payload,
    find_action,
    shortcut_payload,
)
from bot.playground.slack.state import Conversation, Message, User

Json = dict[str, Any]


class SimulatedUsers:
    """Acts for a person, with the payloads that Slack would send."""

    def __init__(
        self, context: WorkspaceContext, sender: EnvelopeSender, of_apps: "dict[str, SimulatedUsers]"
    ) -> None:
        """Act towards one application; `of_apps`, by their ids, are the same people towards all that are installed here."""
        self._context = context
        self._sender = sender
        self.of_apps = of_apps
        of_apps[context.credentials.app_id] = self

    def user(self, name: str) -> User:
        """Return a member by id or by name."""
        found = self._context.store.users.get(name) or next(
            (user for user in self._context.store.users.values() if user.name == name.removeprefix("@")), None
        )
        if found is None:
            raise KeyError(f"there is nobody called {name} in the workspace")
        return found

    def channel(self, name: str) -> Conversation:
        """Return a conversation by id or by name."""
        channels = self._context.store.channels
        plain = name.removeprefix("#")
        found = channels.get(name) or next(
            (c for c in channels.values() if c.name == plain and not c.is_im), None
        )
        if found is None:
            raise KeyError(f"there is no channel called {name} in the workspace")
        return found

    def command_envelope(self, user: str, channel: str, text: str, command: str) -> Envelope:
        """Return what Slack would send for a slash command."""
        person, room = self.user(user), self.channel(channel)
        store = self._context.store
        payload = command_payload(
            user=person,
            channel=room,
            command=command,
            text=escape(text.strip(), store.users.values(), store.channels.values()),
            response_url=self._response_url(person, room),
            trigger=self._context.tickets.trigger(person.id),
        )
        return Envelope(type="slash_commands", payload=payload)

    def click_envelope(
        self, user: str, channel: str, ts: str, action_id: str, block_id: str = ""
    ) -> Envelope:
        """Return what Slack would send for a button; a button that is not there cannot be pressed.

        With the id of its block it is found on what the message was before, too: whoever had its confirm dialog open when
        the message changed presses what they saw, and Slack delivers it with the message as it is now.
        """
        person, room = self.user(user), self.channel(channel)
        store = self._context.store
        message = self._shown(user, channel, ts)
        action = self._pressed(message, action_id, block_id) if message else None
        if message is None or action is None:
            raise LookupError(f"message {ts} in {room.name} has no button {action_id}")
        payload = action_payload(
            user=person,
            channel=room,
            message=message,
            action=action,
            store=store,
            response_url=self._response_url(person, room, message),
            trigger=self._context.tickets.trigger(person.id),
        )
        return Envelope(type="interactive", payload=payload)

    def shortcut_envelope(self, user: str, channel: str, ts: str, callback_id: str) -> Envelope:
        """Return what Slack would send for a message shortcut, which every message offers."""
        person, room = self.user(user), self.channel(channel)
        message = self._context.store.find(room.id, ts)
        if message is None:
            raise LookupError(f"there is no message {ts} in {room.name}")
        payload = shortcut_payload(
            user=person,
            channel=room,
            message=message,
            callback_id=callback_id,
            store=self._context.store,
            response_url=self._response_url(person, room, message),
            trigger=self._context.tickets.trigger(person.id),
        )
        return Envelope(type="interactive", payload=payload)

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> DeliveryResult:
        return await self._sender.deliver(self.shortcut_envelope(user, channel, ts, callback_id))

    async def command(self, user: str, channel: str, text: str, command: str) -> DeliveryResult:
        return await self._sender.deliver(self.command_envelope(user, channel, text, command))

    def _pressed(self, message: Message, action_id: str, block_id: str) -> Json | None:
        seen = self._context.store.versions(message) if block_id else iter([message.blocks])
        found = (find_action(blocks, action_id, block_id) for blocks in seen)
        return next((action for action in found if action), None)

    async def click(
        self, user: str, channel: str, ts: str, action_id: str, block_id: str = ""
    ) -> DeliveryResult:
        """Press a button: whose message it is hears of it, and no other application."""
        message = self._shown(user, channel, ts)
        owner = self.of_apps.get(message.app_id or "", self) if message else self
        if owner is not self:
            return await owner.click(user, channel, ts, action_id, block_id)
        return await self._sender.deliver(self.click_envelope(user, channel, ts, action_id, block_id))

    def _shown(self, user: str, channel: str, ts: str) -> Message | None:
        person, room, store = self.user(user), self.channel(channel), self._context.store
        return store.find_ephemeral(person.id, room.id, ts) or store.find(room.id, ts)

    def _response_url(self, user: User, channel: Conversation, message: Message | None = None) -> str:
        thread = message.thread_ts if message and message.is_reply else None
        secret = self._context.tickets.response(
            user.id, channel.id, message_ts=message.ts if message else None, thread_ts=thread
        )
        return f"{self._context.url}/response/{secret}"

    async def say(
        self, user: str, channel: str, text: str, thread_ts: str | None
    ) -> tuple[Message, DeliveryResult | None]:
        """Post a person's own words; a mention of the bot where it is a member reaches it as an event."""
        person, room, store = self.user(user), self.channel(channel), self._context.store
        bot = self._context.credentials.bot_user
        encoded = escape(text, store.users.values(), store.channels.values())
        ts = store.next_ts()
        message = store.post(
            Message(ts=ts, channel=room.id, user=person.id, text=encoded, thread_ts=thread_ts)
        )
        if f"<@{bot}" not in encoded or bot not in room.members:
            return message, None
        return message, await self._sender.deliver(self.mention_envelope(message))

    def mention_envelope(self, message: Message) -> Envelope:
        """Return what Slack would send for a message that mentions the bot."""
        event = {
            "type": "app_mention",
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "channel": message.channel,
            "event_ts": message.ts,
        }
        event |= {"thread_ts": message.thread_ts} if message.thread_ts else {}
        return Envelope(type="events_api", payload=event_payload(event))

    def invite(self, channel: str, user: str) -> None:
        room, person = self.channel(channel), self.user(user)
        if person.id not in room.members:
            room.members.append(person.id)
            self._context.store.changed()

    def remove(self, channel: str, user: str) -> None:
        room, person = self.channel(channel), self.user(user)
        if person.id in room.members:
            room.members.remove(person.id)
            self._context.store.changed()

    def archive(self, channel: str, user: str) -> None:
        """Archive a channel: Slack says so in it, and puts bots out."""
        room = self.channel(channel)
        room.is_archived = True
        room.members = [member for member in room.members if not self._context.store.users[member].is_bot]
        self._say_of(room, user, "archive")

    def unarchive(self, channel: str, user: str) -> None:
        """Take a channel back; whoever was put out stays out."""
        room = self.channel(channel)
        room.is_archived = False
        self._say_of(room, user, "unarchive")

    def _say_of(self, room: Conversation, user: str, done: str) -> None:
        store, person = self._context.store, self.user(user)
        kind = "group" if room.is_private else "channel"
        message = Message(ts=store.next_ts(), channel=room.id, user=person.id, subtype=f"{kind}_{done}")
        message.text = f"<@{person.id}> {done}d the channel"
        store.post(message)

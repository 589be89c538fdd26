"""What the workspace remembers: people, channels and messages, and the clock that numbers messages."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from bot.playground.slack import people
from bot.playground.slack.feed import Feed
from bot.playground.slack.state import Conversation, Message, User, Usergroup, document, record
from core.clock import Clock

Snapshot = dict[str, Any]
# Earlier states of a message whose buttons still work: somebody may have a confirm dialog open.
VERSIONS = 5


class WorkspaceStore:
    """All state in memory; every change is published on the feed."""

    def __init__(self, clock: Clock, feed: Feed) -> None:
        self._clock = clock
        self._feed = feed
        self._last_micros = 0
        self.users: dict[str, User] = {user.id: user for user in people.people()}
        self.channels: dict[str, Conversation] = {channel.id: channel for channel in people.channels()}
        self.usergroups: dict[str, Usergroup] = {group.id: group for group in people.usergroups()}
        self.messages: list[Message] = []
        self.ephemerals: list[Message] = []
        self.views: dict[str, dict[str, Any]] = {}
        self.view_holders: dict[str, str] = {}
        # Person → the modals that they have open, one on top of the other.
        self.opened: dict[str, list[str]] = {}
        self._by_ts: dict[tuple[str, str], Message] = {}
        self._threads: dict[tuple[str, str], list[Message]] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self._earlier: dict[tuple[str, str], deque[list[dict[str, Any]]]] = {}

    @property
    def feed(self) -> Feed:
        """Where every change is published."""
        return self._feed

    # ------------------------------------------------------------------ time
    def next_ts(self) -> str:
        """Return a message number: the time, but never one that was used before."""
        micros = max(int(self._clock.now().timestamp() * 1_000_000), self._last_micros + 1)
        self._last_micros = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    # -------------------------------------------------------------- messages
    def post(self, message: Message) -> Message:
        """Keep a new message, ephemeral or not."""
        if message.visible_to:
            self.ephemerals.append(message)
        else:
            self.messages.append(message)
            self._index(message)
        self.publish(message)
        return message

    def _index(self, message: Message) -> None:
        self._by_ts[message.channel, message.ts] = message
        if message.is_reply and message.thread_ts:
            self._threads.setdefault((message.channel, message.thread_ts), []).append(message)

    def publish(self, message: Message) -> None:
        """Say that this message is new or has changed; its parent's reply count changes with it."""
        self._feed.publish({"type": "message", "message": message})
        if message.is_reply and not message.visible_to and (parent := self.parent_of(message)):
            self._feed.publish({"type": "message", "message": parent})

    def change(self, message: Message, blocks: list[dict[str, Any]]) -> None:
        """Give a message other blocks; those that it had are kept for whoever still looks at them."""
        key = (message.channel, message.ts)
        self._earlier.setdefault(key, deque(maxlen=VERSIONS)).appendleft(message.blocks)
        message.blocks = blocks

    def versions(self, message: Message) -> Iterator[list[dict[str, Any]]]:
        """Yield the blocks of a message as they are, and as they were, newest first."""
        yield message.blocks
        yield from self._earlier.get((message.channel, message.ts), ())

    def remove(self, message: Message) -> None:
        if message.visible_to:
            self.ephemerals.remove(message)
        else:
            self.messages.remove(message)
            del self._by_ts[message.channel, message.ts]
            if message.is_reply and message.thread_ts:
                self._threads[message.channel, message.thread_ts].remove(message)
        self._feed.publish({"type": "message_deleted", "message": message})
        if parent := self.parent_of(message):
            self._feed.publish({"type": "message", "message": parent})

    def find(self, channel: str, ts: str) -> Message | None:
        return self._by_ts.get((channel, ts))

    def find_ephemeral(self, user: str, channel: str, ts: str) -> Message | None:
        return next(
            (m for m in self.ephemerals if (m.visible_to, m.channel, m.ts) == (user, channel, ts)), None
        )

    def parent_of(self, message: Message) -> Message | None:
        return (
            self.find(message.channel, message.thread_ts) if message.thread_ts and message.is_reply else None
        )

    def top_level(self, channel: str) -> list[Message]:
        """Return what stands in a channel's main view, oldest first."""
        return [m for m in self.messages if m.channel == channel and (not m.is_reply or m.broadcast)]

    def replies(self, channel: str, ts: str) -> list[Message]:
        return list(self._threads.get((channel, ts), ()))

    # --------------------------------------------------------------- channels
    def direct(self, one: str, other: str) -> Conversation:
        """Return the direct conversation of two people, opening it when there is none."""
        pair = sorted((one, other))
        for channel in self.channels.values():
            if channel.is_im and sorted(channel.members) == pair:
                return channel
        opened = Conversation(
            id=f"D{len(self.channels) + 1:03d}{other[-5:]}", name=other, is_im=True, members=pair
        )
        self.channels[opened.id] = opened
        self.changed()
        return opened

    def changed(self) -> None:
        """Say that people or channels have changed."""
        self._feed.publish({"type": "workspace"})

    def keep_view(self, view: dict[str, Any], user: str) -> None:
        """Keep a modal or Home tab for the person who sees it."""
        self.views[view["id"]] = view
        self.view_holders[view["id"]] = user
        self._feed.publish({"type": "view", "view": view, "user": user})

    def close_view(self, user: str, *, all_of_them: bool = False) -> None:
        """Take the topmost modal of a person away, and show the one below it."""
        stack = self.opened.get(user, [])
        self.opened[user] = left = [] if all_of_them else stack[:-1]
        if left:
            self._feed.publish({"type": "view", "view": self.views[left[-1]], "user": user})

    # --------------------------------------------------------------- keeping
    def snapshot(self) -> Snapshot:
        """Return everything that outlives a restart, as JSON; ephemeral messages do not, as in Slack."""
        return {
            "users": [document(user) for user in self.users.values()],
            "channels": [document(channel) for channel in self.channels.values()],
            "usergroups": [document(group) for group in self.usergroups.values()],
            "messages": [document(message) for message in self.messages],
            "last_micros": self._last_micros,
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Put the state of an earlier run in place of this one's."""
        self.users = _by_id(record(User, each) for each in snapshot["users"])
        self.channels = _by_id(record(Conversation, each) for each in snapshot["channels"])
        self.usergroups = _by_id(record(Usergroup, each) for each in snapshot["usergroups"])
        self.messages = [record(Message, each) for each in snapshot["messages"]]
        self.ephemerals = []
        self._by_ts, self._threads = {}, {}
        for message in self.messages:
            self._index(message)
        self._last_micros = max(self._last_micros, int(snapshot["last_micros"]))
        self._feed.publish({"type": "reload"})


def _by_id(things: Iterable[Any]) -> dict[str, Any]:
    return {thing.id: thing for thing in things}

"""The emulated Slack workspace: the one thing that tests and the playground hold in their hands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.playground.slack.buttons import PageButton
from bot.playground.slack.context import AppCredentials, new_context
from bot.playground.slack.delivery import ACK_SECONDS, DeliveryResult, EnvelopeSender
from bot.playground.slack.envelopes import Envelope
from bot.playground.slack.fault_injection import FaultInjector
from bot.playground.slack.inspector import Inspector
from bot.playground.slack.page_api import PageApi
from bot.playground.slack.people import BOT_USER
from bot.playground.slack.server import WorkspaceServer
from bot.playground.slack.shortcuts import MessageShortcut
from bot.playground.slack.signed_http import SignedHttp
from bot.playground.slack.socket_mode import SocketMode
from bot.playground.slack.state import Conversation, Message, User
from bot.playground.slack.store import Snapshot
from bot.playground.slack.tickets import TRIGGER_SECONDS
from bot.playground.slack.users import SimulatedUsers
from bot.playground.slack.view_users import ViewUsers
from core.clock import Clock


@dataclass(frozen=True, slots=True)
class SlackApps:
    """By the ids of all applications of a workspace: what people do towards each."""

    users: dict[str, SimulatedUsers] = field(default_factory=dict)
    views: dict[str, ViewUsers] = field(default_factory=dict)


class SlackWorkspace(Inspector, FaultInjector):
    """A Slack with one team and one installed application, behind a real HTTP port.

    Point an unmodified slack_sdk or slack_bolt at `api_url` with the tokens of `credentials`. Without a request URL
    it delivers through Socket Mode.

    Args:
        clock: Tells the time everywhere: message numbers, rate limits, ack windows, expiry.
        credentials: Tokens, signing secret and scopes; made up where not given.
        request_url: Where to post commands and clicks, for HTTP mode.
        command_name: The application's slash command.
        hints: `(usage, description)` pairs for the composer.
        first_steps: `(title, command text, explanation)` for the panel of a newcomer, and a channel id where the
            command belongs into a certain one.
        message_shortcuts: What the application offers in the menu of a message.
        buttons: What the page offers beside Slack itself, a reset for instance.
        samples: Messages, each with a `title`, that the page /samples shows side by side: light, dark, and as on a phone.
        ack_seconds: How long an acknowledgement may take.
        trigger_seconds: How long a trigger id opens a modal.
        rate_limits: Whether Slack's limits are enforced.
        beside: Another application of the same workspace: people, channels and messages are the same. What is typed goes to the one whose command it is, and
            what is clicked to the one whose message or view it is on; its `credentials` have ids of their own.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        credentials: AppCredentials | None = None,
        request_url: str = "",
        command_name: str = "/convox",
        hints: Sequence[Sequence[str]] = (),
        first_steps: Sequence[Sequence[str]] = (),
        message_shortcuts: Sequence[MessageShortcut] = (),
        buttons: Sequence[PageButton] = (),
        samples: Sequence[dict[str, Any]] = (),
        ack_seconds: float = ACK_SECONDS,
        trigger_seconds: float = TRIGGER_SECONDS,
        rate_limits: bool = True,
        beside: "SlackWorkspace | None" = None,
    ) -> None:
        self.credentials = credentials or AppCredentials()
        self.command_name = command_name
        self._context = new_context(
            clock,
            self.credentials,
            rate_limits=rate_limits,
            trigger_seconds=trigger_seconds,
            store=None if beside is None else beside.store,
        )
        # By their commands, of all applications of this workspace: the one that was installed last takes a command.
        self.apps: dict[str, SlackWorkspace] = {} if beside is None else beside.apps
        self.apps[command_name] = self
        self._sockets = SocketMode(self._context)
        self._http = SignedHttp(self._context)
        self._sender = EnvelopeSender(self._context, self._sockets, self._http, ack_seconds=ack_seconds)
        self._sender.request_url = request_url
        self.peers: SlackApps = SlackApps() if beside is None else beside.peers
        self._users = SimulatedUsers(self._context, self._sender, self.peers.users)
        self.views = ViewUsers(self._context, self._sender, self._users, self.peers.views)
        if beside is not None:
            self._join(self.credentials)
        self._page = PageApi(
            self._context,
            self._users,
            self.views,
            command=command_name,
            hints=hints,
            steps=first_steps,
            shortcuts=message_shortcuts,
            buttons=buttons,
            samples=samples,
        )
        self._server = WorkspaceServer(self._context, self._sockets, self._page)

    # ------------------------------------------------------------------ life
    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Open the port; 0 picks a free one."""
        await self._server.start(host, port)

    async def stop(self) -> None:
        """Close every connection and the port."""
        await self._server.stop()
        await self._http.close()

    @property
    def url(self) -> str:
        """The address of the page."""
        return self._context.url

    @property
    def api_url(self) -> str:
        """The base of the Web API, for `SLACK_API_URL`."""
        return f"{self._context.url}/api/"

    @property
    def request_url(self) -> str:
        return self._sender.request_url

    @request_url.setter
    def request_url(self, url: str) -> None:
        self._sender.request_url = url

    @property
    def options_url(self) -> str:
        """Where what a menu offers is asked for in HTTP mode: the application's options load URL, which it has or its menus are empty."""
        return self._sender.options_url

    @options_url.setter
    def options_url(self, url: str) -> None:
        self._sender.options_url = url

    @property
    def connected(self) -> int:
        """How many Socket Mode connections are open."""
        return self._sockets.connected

    def snapshot(self) -> Snapshot:
        """Return what outlives a restart, as JSON."""
        return self._context.store.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to an earlier snapshot."""
        self._context.store.restore(snapshot)

    def offer(self, first_steps: Sequence[Sequence[str]]) -> None:
        """Put other first steps on the page."""
        self._page.offer(first_steps)

    # ---------------------------------------------------------------- people
    def _join(self, app: AppCredentials) -> None:
        """Let another application's bot into the workspace, and into the channels where the first one is."""
        if app.bot_user in self.store.users:
            raise ValueError(f"{app.bot_user} is the bot of another application: each has its own")
        name = self.command_name.removeprefix("/")
        self.add_user(
            User(id=app.bot_user, name=name, real_name=name, color="1a365d", is_bot=True, bot_id=app.bot_id)
        )
        for channel in self.store.channels.values():
            if BOT_USER in channel.members and not channel.is_im:
                channel.members.append(app.bot_user)

    def user(self, name: str) -> User:
        return self._users.user(name)

    def channel(self, name: str) -> Conversation:
        return self._users.channel(name)

    def add_user(self, user: User) -> User:
        self.store.users[user.id] = user
        self.store.changed()
        return user

    def add_channel(self, channel: Conversation) -> Conversation:
        self.store.channels[channel.id] = channel
        self.store.changed()
        return channel

    def invite(self, channel: str, user: str) -> None:
        """Make somebody a member of a channel."""
        self._users.invite(channel, user)

    def remove(self, channel: str, user: str) -> None:
        """Take somebody out of a channel."""
        self._users.remove(channel, user)

    def archive(self, channel: str, user: str) -> None:
        """Have somebody archive a channel, as Slack does: bots are put out."""
        self._users.archive(channel, user)

    def unarchive(self, channel: str, user: str) -> None:
        """Have somebody take an archived channel back; bots stay out."""
        self._users.unarchive(channel, user)

    async def command(self, user: str, channel: str, text: str, command: str = "") -> DeliveryResult:
        """Type a slash command and wait for its acknowledgement."""
        typed = command or self.command_name
        if (owner := self.apps.get(typed, self)) is not self:
            return await owner.command(user, channel, text, typed)
        return await self._users.command(user, channel, text, typed)

    async def click(
        self, user: str, channel: str, ts: str, action_id: str, block_id: str = ""
    ) -> DeliveryResult:
        """Press a button, its confirm dialog accepted, and wait for the acknowledgement.

        With a `block_id` it may be one that the message has had, as somebody presses whose dialog was open when it changed.

        Raises:
            LookupError: If this message has no such button for this person.
        """
        return await self._users.click(user, channel, ts, action_id, block_id)

    async def submit(self, user: str, view_id: str, values: dict[str, Any]) -> DeliveryResult:
        """Submit an open modal; the ack says what became of it."""
        return await self.views.submit(user, view_id, values)

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> DeliveryResult:
        """Choose a message shortcut and wait for the acknowledgement.

        Raises:
            LookupError: If there is no such message.
        """
        return await self._users.shortcut(user, channel, ts, callback_id)

    async def say(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> Message:
        """Post a message as a person; a mention of the bot is delivered as `app_mention`."""
        message, _ = await self._users.say(user, channel, text, thread_ts)
        return message

    def command_envelope(self, user: str, channel: str, text: str, command: str = "") -> Envelope:
        """Return what would be delivered for a command, to deliver it as often as wanted."""
        return self._users.command_envelope(user, channel, text, command or self.command_name)

    def click_envelope(self, user: str, channel: str, ts: str, action_id: str) -> Envelope:
        """Return what would be delivered for a click."""
        return self._users.click_envelope(user, channel, ts, action_id)

    def shortcut_envelope(self, user: str, channel: str, ts: str, callback_id: str) -> Envelope:
        """Return what would be delivered for a message shortcut."""
        return self._users.shortcut_envelope(user, channel, ts, callback_id)

    def mention_envelope(self, message: Message) -> Envelope:
        """Return what would be delivered for a message that mentions the bot."""
        return self._users.mention_envelope(message)

    async def deliver(
        self, envelope: Envelope, *, times: int = 1, first_attempt: int = 0
    ) -> list[DeliveryResult]:
        """Deliver an envelope, again and again as Slack's retries do."""
        attempts = range(first_attempt, first_attempt + times)
        return [await self._sender.deliver(envelope, attempt=attempt) for attempt in attempts]

"""Everything around the bot that outlives it: Slack, the cluster, the database, and people who are patient."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import yaml

from bot.main import wired
from bot.playground.slack import AppCredentials, Message, SlackWorkspace
from bot.playground.slack.envelopes import Envelope
from bot.playground.slack.people import BOT_USER
from bot.settings import Settings, read_settings
from core.actor import Actor, Caller
from core.clock import Clock
from storage.keys import Keyring
from storage.store import SqliteStore, open_store
from tests.crashes.lives import life
from tests.crashes.orders import DIED_AS_TOLD, Death, Order
from tests.crashes.places import Place

T = TypeVar("T")

CI = Actor("token", "ci", "ci")
ALICE, BOB = "U01ALICE", "U02BOB"
CHANNEL = "C01DEPLOYS"
LOOK_SECONDS = 0.05
ENDING = re.compile(r"(OK|ERROR:)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What CI registers: a manifest and service → image."""

    manifest: str
    images: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A world as it was left, to begin again from as often as wanted."""

    now: datetime
    database: bytes
    key: str
    credentials: AppCredentials
    slack: dict[str, Any]
    cluster: dict[str, Any] | None


@dataclass(slots=True, kw_only=True)
class World:
    """One workspace and one cluster with one app.

    Attributes:
        patience: seconds of the wall after which a story is stuck.
        nursery: socket of whoever makes bots.
        folder: database, policy, log and trace.
        known: messages that were there from the beginning.
        asked: who has asked for something how often, commands and clicks together.
        left: what was still to be done at the last look.
        router: the rack's, as `CONVOX_ROUTER`; "" for none.
        settings: further ones of the bot.
    """

    patience: float
    nursery: Path
    folder: Path
    clock: Clock
    shared_clock: tuple[float, str, float] | None
    slack: SlackWorkspace
    place: Place
    key: str
    known: frozenset[str] = frozenset()
    asked: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    left: str = ""
    router: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    # What the bot is told

    @property
    def database(self) -> Path:
        return self.folder / "convox.db"

    @property
    def trace(self) -> Path:
        return self.folder / "trace"

    def set_policy(self, text: str) -> None:
        (self.folder / "policy.yml").write_text(text)

    @property
    def environ(self) -> dict[str, str]:
        routed = {"CONVOX_ROUTER": self.router, "CONVOX_DOMAIN": "apps.example.com"} if self.router else {}
        return {
            **routed,
            "SLACK_BOT_TOKEN": self.slack.credentials.bot_token,
            "SLACK_APP_TOKEN": self.slack.credentials.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "CONVOX_DATABASE": str(self.database),
            "CONVOX_KEYS": self.key,
            "CONVOX_OPEN": "1",
            "CONVOX_POLICY": str(self.folder / "policy.yml"),
            "KUBECONFIG": str(self.place.kubeconfig),
            "API_HOST": "127.0.0.1",
            "API_PORT": "0",
            **self.settings,
        }

    def order(self) -> Order:
        return Order(environ=self.environ, log=self.folder / "log", trace=self.trace, clock=self.shared_clock)

    # What happens before there is a bot

    async def register(self, builds: Sequence[Build]) -> None:
        """Make the app, linked to the channel, with a release for each build."""
        settings = read_settings(Settings, self.environ, dotenv=None)
        document = yaml.safe_load(self.place.kubeconfig.read_text())
        async with wired(settings, clock=self.clock, kubeconfig=document) as bot:
            builder = Caller(actor=CI, source="http", channel=CHANNEL)
            await bot.registrar.create_app(builder, self.place.app)
            for build in builds:
                await bot.registrar.register_build(
                    builder, self.place.app, manifest=build.manifest, images=build.images
                )

    def begin(self) -> None:
        """Take everything so far for granted: what is looked at later is what happens from now on."""
        self.known = frozenset(m.ts for m in [*self.slack.store.messages, *self.slack.store.ephemerals])
        self.asked.clear()
        self.trace.write_text("")

    @asynccontextmanager
    async def records(self) -> AsyncIterator[SqliteStore]:
        """Open the database beside the bot, for a look."""
        async with open_store(self.database, Keyring([self.key]), self.clock, exclusive=False) as store:
            yield store

    async def releases(self) -> list[str]:
        """Return the ids of all releases, oldest first."""
        async with self.records() as store:
            return [r.id for r in reversed(await store.read.releases(self.place.app, 100))]

    # The bot, which dies and is started again, as systemd or Kubernetes would

    async def keep_alive(self, death: Death | None) -> None:
        """Start a bot whenever there is none; only the first one dies, and only as told."""
        while True:
            async with life(self.nursery, self.order().dying(death)) as bot:
                status = await bot.ended()
            assert death is not None, self.complaint(f"the bot ended with status {status}")
            assert status == DIED_AS_TOLD, self.complaint(f"the bot ended with status {status}, not as told")
            self.deaths, death = self.deaths + 1, None

    async def keep_killing(self, moments: Sequence[float], enough: asyncio.Event) -> None:
        """Start a bot whenever there is none, and kill it so many seconds after it has begun; the last one lives."""
        for seconds in moments:
            async with life(self.nursery, self.order()):
                await self.until(lambda: self.slack.connected)
                await self.clock.sleep(seconds)
            self.deaths += 1
        enough.set()
        await self.keep_alive(None)

    def complaint(self, what: str) -> str:
        log = (self.folder / "log").read_text(errors="replace").splitlines()[-40:]
        seen = self.slack.transcript()
        return "\n".join([what, f"left to do: {self.left}", "the log of the bot:", *log, "Slack:", seen])

    # What people do and see

    async def until(self, look: Callable[[], T]) -> T:
        """Wait for something to be true in Slack; the run's own limit ends it."""
        return await self.slack.wait_for(look, timeout=self.patience)

    async def type(self, user: str, text: str) -> None:
        """Type a command; what Slack gets no acknowledgement for is delivered again."""
        await self._deliver(user, self.slack.command_envelope(user, CHANNEL, text))

    async def click(self, user: str, number: int, action: str) -> None:
        """Press a button of the n-th card as soon as the card is there."""
        card = (await self.until(lambda: self.cards()[number - 1 : number]))[0]
        await self._deliver(user, self.slack.click_envelope(user, CHANNEL, card.ts, action))

    async def _deliver(self, user: str, envelope: Envelope) -> None:
        self.asked[user] += 1
        for attempt in count():
            await self.until(lambda: self.slack.connected)
            (delivery,) = await self.slack.deliver(envelope, first_attempt=attempt)
            if delivery.ok:
                return

    async def told(self, number: int, text: str) -> None:
        """Wait until the thread of the n-th card says something."""
        await self.until(
            lambda: any(text in m.text for c in self.cards()[number - 1 : number] for m in self.thread(c))
        )

    def cards(self) -> list[Message]:
        """Return the cards that the bot has posted in the channel, oldest first."""
        return [message for message in self._posted() if message.blocks]

    def notices(self) -> list[str]:
        """Return what else it has posted there."""
        return [message.text for message in self._posted() if not message.blocks]

    def _posted(self) -> list[Message]:
        return [
            m
            for m in self.slack.messages(CHANNEL)
            if m.user == BOT_USER and not m.is_reply and m.ts not in self.known
        ]

    def thread(self, card: Message) -> list[Message]:
        return self.slack.thread(CHANNEL, card.ts)

    def answers(self, user: str) -> list[str]:
        """Return what the bot has told this person alone."""
        messages = self.slack.ephemerals(user)
        return [m.text for m in messages if m.user == BOT_USER and m.ts not in self.known]

    async def complete(self) -> None:
        """Wait until everything has ended, all of it is said, and nothing is left to do."""
        await self.until(lambda: self.cards() and all(map(self.over, self.cards())))
        while True:
            # A look at the database of a dead bot would do the repairs that the next one is tested for.
            await self.until(lambda: self.slack.connected)
            self.left = await self.left_to_do() or await self.place.unrest()
            if not self.left:
                return
            await asyncio.sleep(LOOK_SECONDS)

    def over(self, card: Message) -> bool:
        """Tell whether a thread has its terminal message."""
        return any(ENDING.match(message.text) for message in self.thread(card))

    async def left_to_do(self) -> str:
        """Say what the bot has still to do, or ""; looks in the order in which work is handed on."""
        async with self.records() as store:
            left = {
                "to be carried out": [d.id for d in await store.inbox.pending()],
                "to be driven": [f"{p.id} in {p.phase}" for p in await store.read.unsettled()],
                "to be scaled": [job.id for job in await store.read.scale_jobs()],
                "to be pruned": await store.read.apps_to_prune(),
            }
            backlog = await store.outbox.backlog()
        left["to be said"] = [str(n) for n in (backlog.cards, backlog.lines, backlog.posts) if n]
        return ", ".join(f"{what}: {which}" for what, which in left.items() if which)

    async def freeze(self) -> Ground:
        """Keep everything; no bot may live."""
        async with self.records():
            pass  # whoever closes a database last leaves all of it in the one file
        return Ground(
            now=self.clock.now(),
            database=self.database.read_bytes(),
            key=self.key,
            credentials=self.slack.credentials,
            slack=self.slack.snapshot(),
            cluster=self.place.snapshot(),
        )

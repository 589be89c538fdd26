"""One life of the bot: the real one, wired as `serve` wires it, without sockets and threads, and mortal at every instant."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

import aiosqlite

from bot.background import expire, start_due
from bot.playground.slack import SlackWorkspace
from bot.policy_file import PolicyFile
from bot.settings import Settings
from bot.slack import listeners
from bot.slack.files import FileSender
from bot.slack.homes import HomeSender
from bot.slack.inbox import InboxWorker
from bot.slack.workspace import WorkspaceFilter, WorkspaceId
from bot.wiring import slack_side
from bot.wiring.use_cases import new_use_cases
from core import failpoints
from core.ports.inbox import DeliveryKind
from storage import database
from storage.keys import Keyring
from storage.store import SqliteStore, open_store
from tests.core.building.nursery import PlayedJobs
from tests.histories.cluster import HistoryCluster
from tests.histories.slack import DirectClient, DirectSession
from tests.histories.virtual import LoopClock


class Dead(BaseException):
    """The process is gone: whatever it still tries to do does not happen."""


class Life:
    """A process of the bot, as far as the outside sees it.

    Attributes:
        alive: whether what it does still has an effect.
        die_at: failpoints that it passes before it dies; None lets it live.
        over: is set once it is dead.
    """

    store: SqliteStore

    def __init__(self, luck: random.Random) -> None:
        self.luck = luck
        self.alive = True
        self.die_at: int | None = None
        self.over = asyncio.Event()
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._inbox: InboxWorker
        self._state: Any
        self._task: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise Dead where nothing must happen any more."""
        if not self.alive:
            raise Dead

    async def pause(self) -> None:
        """Let others run, or not, as chance has it: a thread or a network takes its time."""
        for _ in range(self.luck.choice((0, 0, 1, 3))):
            await asyncio.sleep(0)
        self.check()

    def kill(self) -> None:
        """Take every effect away from it, from this instant on."""
        self.alive = False
        self.over.set()

    def passes(self, _: str) -> None:
        """Be the hook of the failpoints."""
        self.check()
        if self.die_at is not None:
            self.die_at -= 1
            if self.die_at <= 0:
                self.kill()
                raise Dead

    # From the outside

    async def begin(self, settings: Settings, slack: SlackWorkspace, cluster: HistoryCluster) -> None:
        """Start it, and wait until it can be reached or has died."""
        failpoints.arm(self.passes)
        self._task = asyncio.create_task(self._live(settings, slack, cluster), name="a life of the bot")
        waits = {asyncio.create_task(each.wait()) for each in (self._ready, self.over)}
        await asyncio.wait({self._task, *waits}, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
        if self._task.done() and self.alive:
            self._task.result()

    async def end(self) -> None:
        """Stop it as SIGTERM does, or clear away what is left of a dead one."""
        assert self._task is not None
        if self.alive:
            self._stop.set()
            await asyncio.wait({self._task})
            if self.alive:
                self._task.result()
        self.kill()
        mine = {asyncio.current_task()}
        while left := asyncio.all_tasks() - mine:
            for task in left:
                task.cancel()
            await asyncio.wait(left)
        failpoints.arm(None)

    async def deliver(self, kind: DeliveryKind, body: dict[str, Any]) -> bool:
        """Hand a delivery over as Bolt does; return whether it was acknowledged."""
        key = listeners.command_key if kind == "command" else listeners.action_key
        taking = asyncio.create_task(listeners._take(self._inbox, self._state, kind, body, key))
        dying = asyncio.create_task(self.over.wait())
        await asyncio.wait({taking, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        return self.alive and taking.done() and taking.result() == ""

    # From the inside

    async def _live(self, settings: Settings, slack: SlackWorkspace, cluster: HistoryCluster) -> None:
        clock = LoopClock()
        # As much of an aiohttp session as is used.
        session: Any = DirectSession(slack, self)
        policy = PolicyFile(settings.convox_policy, everything=settings.convox_open)
        keyring = Keyring([key.get_secret_value() for key in settings.convox_keys])
        async with _inline(self), open_store(settings.convox_database, keyring, clock) as store:
            self.store = store
            with mock.patch.object(slack_side, "new_client", return_value=DirectClient(slack, self)):
                side = slack_side.new_slack_side(
                    settings, store, policy, session, cluster.seen_by(self), clock
                )
            # No history builds anything.
            builders: Any = PlayedJobs()
            domain = new_use_cases(settings, store, cluster.seen_by(self), builders, side, clock)
            self._state = side.state
            # What `auth.test` would have said.
            self._state.workspace = WorkspaceId("T0CONVOX01")
            self._state.user, self._state.connected, self._state.problem = "U0CONVOX", True, ""
            self._state.identified.set()
            workspaces = WorkspaceFilter(lambda: self._state.workspace)
            homes = HomeSender(store.homes, domain.overviews, side.calls, side.state, clock)
            self._inbox = InboxWorker(
                store.inbox,
                domain.handlers,
                store,
                session,
                clock,
                identified=self._state.identified,
                announcer=side.sender,
                dialogs=side.dialogs,
                workspaces=workspaces,
                files=FileSender(side.calls, session, side.sender.pacing),
                support=side.support,
                link=lambda channel, ts: f"https://slack/{channel}/{ts}",
                homes=homes,
            )
            self.registrar = domain.registrar
            await domain.supervisor.resume()
            jobs = [
                side.sender.run(),
                self._inbox.run(),
                expire(domain.decider, clock),
                start_due(domain.scheduler, clock),
            ]
            tasks = [asyncio.create_task(job) for job in jobs]
            try:
                self._ready.set()
                await asyncio.wait(
                    {asyncio.create_task(self._stop.wait()), *tasks}, return_when=asyncio.FIRST_COMPLETED
                )
                for task in tasks:
                    if task.done():
                        task.result()
            finally:
                await domain.supervisor.stop()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


class InlineConnection(aiosqlite.Connection):
    """The connection of a life: SQLite itself, on its file, called where the worker thread would call it."""

    def __init__(self, life: Life, connector: Any) -> None:
        super().__init__(connector, 64)
        self._life = life

    def __await__(self) -> Any:
        return self._open().__await__()

    async def _open(self) -> "InlineConnection":
        self._connection = self._connector()
        return self

    async def _execute(self, fn: Any, *args: Any, **named: Any) -> Any:
        try:
            await self._life.pause()
        except asyncio.CancelledError:
            # Whoever waits is gone; the thread would carry it out all the same.
            if self._life.alive:
                fn(*args, **named)
            raise
        if self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **named)

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def stop(self) -> None:
        pass


@asynccontextmanager
async def _inline(life: Life) -> AsyncIterator[None]:
    """Let the storage connect inline while the block begins; lives do not overlap."""
    real = database.connect

    def connect(path: Any) -> InlineConnection:
        return InlineConnection(life, real(path)._connector)

    with mock.patch.object(database, "connect", connect):
        yield

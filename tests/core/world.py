"""One app on a real SQLite store with a scripted cluster: the ground on which use cases are tested."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosqlite import Connection

from core.actor import Actor, Caller
from core.lifecycle.access import Access
from core.lifecycle.gate import Gate
from core.policy.authorization import Policy, parse_policy
from core.ports.tracer import NullTracer, Tracer
from core.promotion import Phase, Promotion
from core.rollout.effects import RolloutPorts
from core.rollout.supervisor import Supervisor
from core.usecases.asking import PromotionRequest
from core.usecases.build_registrar import NewRelease
from core.usecases.chooser import Chooser
from core.usecases.decider import Decider
from core.usecases.explainer import Explainer
from core.usecases.freezer import Freezer
from core.usecases.overview import OverviewReader
from core.usecases.process_viewer import ProcessViewer
from core.usecases.promoter import Promoter, PromotionResult
from core.usecases.registrar import Registrar
from core.usecases.reminders import Reminders
from core.usecases.scaler import Scaler
from core.usecases.viewer import Viewer
from storage.keys import Keyring
from storage.store import SqliteStore, open_store
from tests.fakes import FakeAnnouncer, FakeCluster, FakeDirectory, JumpingClock

# Their names are those that FakeDirectory gives.
ALICE = Actor("slack", "U01ALICE", "u01alice")
BOB = Actor("slack", "U02BOB", "u02bob")
CAROL = Actor("slack", "U03CAROL", "u03carol")
KEY = Keyring.generate()
MANIFEST = """\
services:
  web:
    image: registry.example/web@sha256:{digest}
    port: 3000
    scale: {count}
"""
OPEN = "apps: []\n"
ONE_APPROVAL = """\
apps:
  - match: ["*"]
    approvals:
      promote: {count: 1}
"""


def manifest(count: int = 2, digit: str = "0") -> str:
    return MANIFEST.format(digest=digit * 64, count=count)


def by(actor: Actor, channel: str | None = None) -> Caller:
    """Return somebody who asks in Slack; a channel matters only where it is linked, or promoted from."""
    return Caller(actor=actor, source="slack", channel=channel)


async def until(w: "World", promotion_id: str, phase: Phase) -> None:
    """Let others run until the promotion is in this phase; no time passes."""
    while (promotion := await w.store.read.promotion(promotion_id)).phase is not phase:
        assert not promotion.settled, f"{promotion_id} has ended {promotion.phase}"
        await w.clock.sleep(0)


@dataclass
class World:
    store: SqliteStore
    cluster: FakeCluster
    clock: JumpingClock
    directory: FakeDirectory
    announcer: FakeAnnouncer
    registrar: Registrar
    promoter: Promoter
    decider: Decider
    viewer: Viewer
    processes: ProcessViewer
    scaler: Scaler
    reminders: Reminders
    chooser: Chooser
    overviews: OverviewReader
    supervisor: Supervisor
    freezer: Freezer
    explainer: Explainer
    policy: Policy

    async def build(self, app: str = "myapp", text: str | None = None, **images: str) -> NewRelease:
        return await self.registrar.register_build(by(ALICE), app, manifest=text or manifest(), images=images)

    async def ask(
        self, release: str | None = None, *, actor: Actor = ALICE, app: str = "myapp", **more: Any
    ) -> PromotionResult:
        asked = PromotionRequest(app=app, release=release, **more)
        return await self.promoter.request(by(actor, "C1"), asked)

    async def promote(self, release: str | None = None, **more: Any) -> Promotion:
        """Ask and drive to the end."""
        return await self.end((await self.ask(release, **more)).promotion.id)

    async def idle(self) -> None:
        """Wait until nothing is driven any more."""
        while tasks := list(self.supervisor._tasks.values()):
            await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self, promotion_id: str) -> Promotion:
        await self.idle()
        return await self.store.read.promotion(promotion_id)

    async def good(self, app: str = "myapp", *, text: str | None = None) -> str:
        """Return a release that was promoted and verified."""
        made = await self.build(app, text)
        promotion = await self.promote(made.release.id, app=app)
        assert promotion.phase == "Running", promotion
        return made.release.id

    async def lines(self, promotion_id: str) -> list[str]:
        return [str(line) for _, line in await self.store.read.lines(promotion_id)]


def counted(w: World) -> list[float]:
    """Return the list to which each transaction of the store from now on adds its time."""
    made: list[float] = []
    real = w.store._database.transaction

    def transaction(*work: Any, urgent: bool = False) -> AbstractAsyncContextManager[Connection]:
        made.append(w.clock.monotonic())
        return real(*work, urgent=urgent)

    w.store._database.transaction = transaction  # type: ignore[assignment]
    return made


@asynccontextmanager
async def world(
    path: Path,
    *,
    policy: str = OPEN,
    app: str = "myapp",
    why_not_startable: str = "",
    at: FakeCluster | None = None,
    tracer: Tracer | None = None,
) -> AsyncGenerator[World]:
    """Open a world; `at` is a cluster in which another one has been, with its clock."""
    cluster = at or FakeCluster(JumpingClock())
    clock, directory, announcer = cluster.clock, FakeDirectory(), FakeAnnouncer()
    async with open_store(path / "convox.db", Keyring([KEY]), clock, exclusive=False) as store:
        current = parse_policy(policy, open_to_all=True)
        access = Access(lambda: made.policy, directory)
        tools = RolloutPorts(
            store=store,
            cluster=cluster,
            clock=clock,
            announcer=announcer,
            gate=Gate(store, cluster, access),
            tracer=tracer or NullTracer(),
        )
        supervisor = Supervisor(tools)
        registrar = Registrar(store, cluster, access, lambda: why_not_startable)
        decider = Decider(
            store, cluster, access, announcer, supervisor, why_not_startable=lambda: why_not_startable
        )
        viewer = Viewer(store, cluster, access, lambda: why_not_startable)
        promoter = Promoter(
            store, cluster, access, decider, clock, why_not_startable=lambda: why_not_startable
        )
        made = World(
            store,
            cluster,
            clock,
            directory,
            announcer,
            registrar,
            promoter,
            decider,
            viewer,
            ProcessViewer(store, cluster, access),
            Scaler(store, cluster, access, announcer, why_not_startable=lambda: why_not_startable),
            Reminders(store, access, announcer),
            Chooser(store, access, clock),
            OverviewReader(store, access, clock, lambda: why_not_startable),
            supervisor,
            Freezer(store, access, announcer, why_not_startable=lambda: why_not_startable),
            Explainer(store, access, clock, why_not_startable=lambda: why_not_startable),
            current,
        )
        if not [a for a in await store.read.apps() if a.name == app]:
            await registrar.create_app(by(ALICE, "C1"), app)
        try:
            yield made
        finally:
            await supervisor.stop()

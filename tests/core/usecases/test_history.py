"""What is asked for costs the same however much has happened before: counted, not timed."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.promotion import Phase
from core.records.environment import Environment
from core.records.release import ReleaseStatus
from core.sentence import Sentence
from storage.session import Session
from tests.core.world import ALICE, BOB, ONE_APPROVAL, OPEN, World, by, world
from tests.fakes import START
from tests.storage.making import make_bundle, make_promotion

FEW, MANY = 30, 300


async def past(w: World, count: int) -> None:
    """Give the app a past: releases of one build, each with its bundle, its promotion and what became of it; the last is active."""
    first = (await w.build()).release
    async with w.store.transaction() as tx:
        for number in range(count):
            release = replace(
                first,
                id=f"R{number:010}",
                sequence=first.sequence + 1 + number,
                environment=Environment((("KEY", str(number)),)),
            )
            promotion = make_promotion(
                release.id,
                f"P{number:010}",
                phase=Phase.RUNNING,
                started_at=START,
                touched_at=START,
                settled_at=START + timedelta(seconds=number),
                channel="C1",
            )
            await tx.add_release(release)
            await tx.save_bundle(make_bundle(release.id))
            await tx.add_promotion(promotion)
            await tx.add_card(promotion.id, "C1")
            await tx.add_terminal(promotion.id)
            # More of them are on hold than a list names, whatever the count.
            good = (number >= 25 and number % 5) or number == count - 1
            await tx.save_release_status(
                ReleaseStatus(
                    release=release.id,
                    verified_at=START if good else None,
                    held=None if good else Sentence.of("it crashed"),
                )
            )
        await tx.save_app(replace(await tx.app("myapp"), active_release=release.id))
    # All of it has been told.
    async with w.store._database.transaction() as connection:
        await connection.execute("UPDATE cards SET ts = promotion, shown = wanted, ended = 1")
        await connection.execute("UPDATE outbox SET state = 'sent', ts = nonce")


STORED: dict[int, bytes] = {}


@asynccontextmanager
async def aged(path: Path, count: int, **more: Any) -> AsyncGenerator[World]:
    """Open a world with a past, which is made once for all tests."""
    file = path / "convox.db"
    if count not in STORED:
        async with world(path) as w:
            await past(w, count)
        # Whoever closes a database last leaves all of it in the one file.
        STORED[count] = await asyncio.to_thread(file.read_bytes)
    await asyncio.to_thread(file.write_bytes, STORED[count])
    async with world(path, **more) as w:
        yield w


@asynccontextmanager
async def counted(w: World, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Counter[str]]:
    """Count statements, rows that are read, what is unsealed and the steps of SQLite's machine."""
    cost: Counter[str] = Counter()
    vault, database = w.store._vault, w.store._database

    def counting(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            cost[name] += 1
            return method(*args)

        return call

    async def rows(self: Session, statement: str, /, **parameters: Any) -> Any:
        found = await all_rows(self, statement, **parameters)
        cost["statements"] += 1
        cost["rows"] += len(found)
        return found

    def step() -> int:
        cost["steps"] += 10
        return 0

    all_rows = Session.all
    with monkeypatch.context() as patch:
        patch.setattr(Session, "all", rows)
        for name in ("unseal", "unseal_bytes"):
            patch.setattr(vault, name, counting("unsealed", getattr(vault, name)))
        for connection in (database.reader, database._writer):
            await connection.set_progress_handler(step, 10)
        yield cost
        for connection in (database.reader, database._writer):
            await connection.set_progress_handler(None, 10)


async def approve(w: World) -> None:
    """Ask and approve: the last approval looks at everything again."""
    asked = await w.ask()
    await w.decider.approve(by(BOB), asked.promotion.id)


async def promote_again(w: World) -> None:
    """Ask for the active release, whose bundle is stored."""
    await w.ask((await w.store.read.app("myapp")).active_release)


async def resume(w: World) -> None:
    """Take up what is left, with what a start looks after beside everything else."""
    await w.supervisor.resume()
    await w.idle()


async def inform(w: World) -> None:
    await w.viewer.release(by(ALICE), "myapp", "R0000000027")


ASKED: dict[str, Callable[[World], Awaitable[Any]]] = {
    "promote": lambda w: w.ask(),
    "promote again": promote_again,
    "rollback": lambda w: w.ask("R0000000027", kind="rollback"),
    "approve": approve,
    "cancel": lambda w: w.decider.cancel_app(by(ALICE), "myapp"),
    "env set": lambda w: w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")]),
    "build": lambda w: w.build(),
    "releases": lambda w: w.viewer.releases(by(ALICE), "myapp", 10),
    "releases info": inform,
    "builds": lambda w: w.viewer.builds(by(ALICE), "myapp", 10),
    "releases history": lambda w: w.viewer.history(by(ALICE), "myapp", 10),
    "releases history --at": lambda w: w.viewer.live_at(by(ALICE), "myapp", START + timedelta(seconds=5)),
    "env": lambda w: w.viewer.environment(by(ALICE), "myapp"),
    "apps": lambda w: w.viewer.apps(by(ALICE)),
    "apps info": lambda w: w.viewer.app(by(ALICE), "myapp"),
    "expiry": lambda w: w.decider.expire(w.clock.now()),
    "metrics": lambda w: w.store.read.phases(),
    "create-from": lambda w: w.registrar.create_from(
        by(ALICE), "myapp", build_from=None, env_from="R0000000027"
    ),
    "backlog": lambda w: w.store.outbox.backlog(),
    "look of the sender": lambda w: w.store.outbox.threads_due(),
    "resume": resume,
}


async def cost_of(name: str, path: Path, past_releases: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    async with aged(path, past_releases, policy=ONE_APPROVAL if name == "approve" else OPEN) as w:
        w.supervisor.drive = lambda promotion: None
        # Something newer that is free, and something that can be cancelled.
        await w.registrar.set_environment(by(ALICE), "myapp", [("B", "1")])
        if name == "cancel":
            await w.ask()
        async with counted(w, monkeypatch) as cost:
            await ASKED[name](w)
    return cost


@pytest.mark.parametrize("name", ASKED)
async def test_what_is_asked_for_costs_the_same_after_ten_times_as_many_releases(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, name: str
):
    few = await cost_of(name, tmp_path_factory.mktemp("few"), FEW, monkeypatch)
    many = await cost_of(name, tmp_path_factory.mktemp("many"), MANY, monkeypatch)
    assert few["statements"] > 0
    assert [many[what] for what in ("statements", "rows", "unsealed")] == [
        few[what] for what in ("statements", "rows", "unsealed")
    ]
    # A plan that walks through a table or an index takes at least three steps a row.
    assert many["steps"] - few["steps"] < MANY - FEW


async def test_a_whole_rollout_costs_the_same_after_ten_times_as_many_releases(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
):
    costs = []
    for count in (FEW, MANY):
        async with aged(tmp_path_factory.mktemp("past"), count) as w:
            release = (await w.build()).release.id
            async with counted(w, monkeypatch) as cost:
                assert (await w.promote(release)).phase is Phase.RUNNING
            costs.append(cost)
    few, many = costs
    assert [many[what] for what in ("statements", "rows", "unsealed")] == [
        few[what] for what in ("statements", "rows", "unsealed")
    ]


@pytest.mark.parametrize(
    "name", ["promote", "promote again", "rollback", "env set", "build", "create-from", "approve"]
)
async def test_no_transaction_of_a_request_unseals_an_environment_or_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    """Everybody else's write waits as long as a transaction takes."""
    inside: list[str] = []
    async with aged(tmp_path, FEW, policy=ONE_APPROVAL if name == "approve" else OPEN) as w:
        w.supervisor.drive = lambda promotion: None
        await w.registrar.set_environment(by(ALICE), "myapp", [("B", "1")])
        writer, run = w.store._database._writer, Session.all

        async def noted(self: Session, statement: str, /, **parameters: Any) -> Any:
            if self.connection is writer and statement in {"release", "releases", "build", "bundle"}:
                inside.append(statement)
            return await run(self, statement, **parameters)

        monkeypatch.setattr(Session, "all", noted)
        await ASKED[name](w)
    assert inside == []

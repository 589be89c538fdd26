"""The bot dies at every named place of builds, good, failing and cancelled ones, and each ends as if it never had.

One bot after the other takes up one queue, and each dies somewhere else in it: the last places first, so that no two
deaths meet the same build where it can be helped.
"""

import asyncio
import re
import socket
from pathlib import Path
from typing import cast

from bot.slack.inbox import DONE_BEFORE
from core.build_run import BuildRequest, BuildRun
from core.failpoints import BUILD_NAMES
from core.ids import new_id
from core.records.build import BuildStatus
from core.records.git_account import GitAccount
from storage.sources import SourceFolder
from storage.store import SqliteStore
from tests.chain import first_broken
from tests.crashes.lives import life
from tests.crashes.opening import simulated_world
from tests.crashes.orders import DIED_AS_TOLD, Death
from tests.crashes.places import Simulated
from tests.crashes.runs import SPEED
from tests.crashes.scenarios import POLICY
from tests.crashes.world import ALICE, CI, LOOK_SECONDS, World
from tests.storage.test_sources import DATA, DIGEST

SLOW = "services:\n  web: {build: slow}\n"
GOOD, BROKEN = "services:\n  web: {build: ., port: 3000}\n", "services:\n  web: {build: broken}\n"
# Where bots die, in the order of their lives: first in builds that are good, then in those that fail.
IN_GOOD = ("after_removal", "after_release", "after_log", "after_job", "after_start")
IN_BROKEN = ("after_failure", "after_removal", "after_log", "after_job", "after_start")
QUEUE = [GOOD] * len(IN_GOOD) + [BROKEN] * (len(IN_BROKEN) - 1) + [SLOW]
SETTINGS = {"CONVOX_REGISTRY": "registry.example", "CONVOX_BUILD_ADDRESS": "http://bot.example:3001"}
WHY = 'process "/bin/sh -c make" did not complete successfully: exit code: 2'
# The same of repositories, which their pods clone and tell: that of `private` opens to a token, and hides from who has none.
IN_GIT = (
    "after_removal",
    "after_release",
    "after_log",
    "after_clone",
    "before_secret",
    "after_job",
    "after_start",
)
REPOSITORIES = ["private" if point == "before_secret" else "web" for point in IN_GIT]
# The Job of that one is made by the bot after it: the next that is made is the next one's.
PASSAGES = {"after_job": 2}
HIDDEN = "the clone was refused: git.example asks who clones"
RANDOM = re.compile(r"sha256:[0-9a-f]{64}|B[A-Z]{10}")


async def enqueue(world: World, manifest: str) -> None:
    folder = SourceFolder(world.database, world.clock, least_free=0.0)
    source = await folder.create(world.place.app, DIGEST, len(DATA))
    await folder.append(source.id, 0, DATA)
    await folder.finish(source.id)
    await asked_for(world, BuildRequest(manifest=manifest, source=source.id))


async def asked_for(world: World, request: BuildRequest) -> None:
    async with world.records() as store, store.transaction() as tx:
        run = BuildRun(
            id=new_id("build"), app=world.place.app, request=request, created_at=tx.now, created_by=CI
        )
        await tx.add_build_run(run)


async def cancelled_while_it_runs(world: World) -> None:
    """Let somebody cancel the last build of the queue as soon as it has its Job, and the bot die as it clears that up."""
    # The first that is cleared up is the build before it.
    death = Death(point="build.after_removal", passage=2)
    async with life(world.nursery, world.order().dying(death)) as bot:
        while True:
            await world.until(lambda: world.slack.connected)
            async with world.records() as store:
                (*_, last) = await store.read.open_builds()
            if last.job:
                break
            await asyncio.sleep(LOOK_SECONDS)
        await world.type(ALICE, f"builds cancel {last.id} -a {world.place.app}")
        assert await bot.ended() == DIED_AS_TOLD, world.complaint("it did not die as it cleared up")


async def at_hand(world: World) -> BuildRequest:
    """Return what was asked for of the build in which the bot has died."""
    async with world.records() as store:
        begun = [run for run in await store.read.open_builds() if run.status is not BuildStatus.CREATED]
    return begun[0].request


async def all_over(world: World, place: Simulated) -> None:
    while True:
        # A look at the database of a dead bot would do the repairs that the next one is tested for.
        await world.until(lambda: world.slack.connected)
        async with world.records() as store:
            left = [run.id for run in await store.read.open_builds()] or place.building()
            left = left or [str(delivery.id) for delivery in await store.inbox.pending()]
        if not left:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def test_wherever_the_bot_dies_in_a_build_it_ends_the_same_once_and_leaves_nothing(
    bots: Path, tmp_path: Path
):
    async with simulated_world(bots, tmp_path, speed=SPEED) as world, asyncio.timeout(120):
        place = cast("Simulated", world.place)
        world.set_policy(POLICY)
        world.settings = SETTINGS
        await world.register([])
        for manifest in QUEUE:
            await enqueue(world, manifest)
        died = []
        for point in (*IN_GOOD, *IN_BROKEN):
            async with life(world.nursery, world.order().dying(Death(point=f"build.{point}"))) as bot:
                assert await bot.ended() == DIED_AS_TOLD, world.complaint(f"it did not die {point}")
            died.append((point, (await at_hand(world)).manifest))
        assert died == [(point, GOOD) for point in IN_GOOD] + [(point, BROKEN) for point in IN_BROKEN]
        assert {f"build.{point}" for point in (*IN_GOOD, *IN_BROKEN, *IN_GIT)} == set(BUILD_NAMES)
        await cancelled_while_it_runs(world)
        assert (await at_hand(world)).manifest == SLOW
        async with life(world.nursery, world.order()):
            await all_over(world, place)
        async with world.records() as store:
            await check(store, world)
            entries = await store.read.build_entries(world.place.app, 100)
            runs = [await store.read.build_run(each.id) for each in entries]
        kept = {each.name for each in world.database.with_name("convox.db.sources").iterdir()}
        # Of what has failed, for a day, so that it can be retried.
        assert kept == {run.request.source for run in runs if run.status is BuildStatus.FAILED}


async def test_wherever_the_bot_dies_while_a_repository_is_cloned_it_ends_the_same_once_and_leaves_nothing(
    bots: Path, tmp_path: Path
):
    """Its pod goes on meanwhile: it tells the next bot what it has cloned, or what it has told the last one once more."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with simulated_world(bots, tmp_path, speed=SPEED) as world, asyncio.timeout(120):
        place = cast("Simulated", world.place)
        world.set_policy(POLICY)
        address = f"http://127.0.0.1:{port}"
        world.settings = SETTINGS | {"API_PORT": str(port), "CONVOX_BUILD_ADDRESS": address}
        await world.register([])
        await give_token(world)
        for name in REPOSITORIES:
            await asked_for(
                world,
                BuildRequest(git_url=f"https://git.example/shop/{name}", git_ref="main", copy_images=True),
            )
        died: list[str] = []
        for point in IN_GIT:
            death = Death(point=f"build.{point}", passage=PASSAGES.get(point, 1))
            async with life(world.nursery, world.order().dying(death)) as bot:
                assert await bot.ended() == DIED_AS_TOLD, world.complaint(f"it did not die {point}")
            died.append((await at_hand(world)).git_url.rpartition("/")[2])
            if point == "before_secret":
                # What its Job counts on is gone before there is a Secret with it.
                async with world.records() as store, store.transaction() as tx:
                    await tx.remove_git_account(world.place.app, "git.example")
        assert died == REPOSITORIES
        async with life(world.nursery, world.order()):
            await all_over(world, place)
        async with world.records() as store:
            await check_git(store, world)


async def give_token(world: World) -> None:
    async with world.records() as store, store.transaction() as tx:
        await tx.save_git_account(
            GitAccount(
                app=world.place.app,
                host="git.example",
                user="x",
                secret="t0ken",
                created_at=tx.now,
                created_by=CI,
            )
        )


async def check_git(store: SqliteStore, world: World) -> None:
    """See that what could be cloned made one release each, with one log, and what could not says why."""
    app = world.place.app
    releases, entries = await store.read.releases(app, 100), await store.read.build_entries(app, 100)
    made = [await store.read.build_run(release.build) for release in reversed(releases)]
    (hidden,) = [await store.read.build_run(entry.id) for entry in entries]
    assert [(run.status, run.request.title) for run in made] == [
        ("complete", f"build {run.request.git_sha[:10]} Mend the cart") for run in made
    ]
    assert len(made) == len(REPOSITORIES) - 1
    assert (hidden.status, str(hidden.reason)[: len(HIDDEN)]) == ("failed", HIDDEN)
    logs = [[RANDOM.sub("?", text) for _, text in await store.read.build_lines(run.id)] for run in made]
    assert all(each == logs[0] for each in logs), logs
    assert logs[0][0].startswith("Cloned https://git.example/shop/web main at ")
    assert logs[0].count("#9 DONE 1.4s") == 1
    assert await first_broken(store) is None
    log = (world.folder / "log").read_text(errors="replace").splitlines()
    assert [row for row in log if " ERROR " in row or row.startswith("Traceback")] == []


async def check(store: SqliteStore, world: World) -> None:
    """See that each build has ended as its Dockerfile lets it, with one log and one release, and that nobody saw an error."""
    app = world.place.app
    releases, entries = await store.read.releases(app, 100), await store.read.build_entries(app, 100)
    made = [await store.read.build_run(release.build) for release in reversed(releases)]
    *failed, cancelled = [await store.read.build_run(entry.id) for entry in reversed(entries)]
    assert [run.release for run in made] == [release.id for release in reversed(releases)]
    assert [(run.status, run.request.manifest) for run in made] == [("complete", GOOD)] * len(IN_GOOD)
    assert [(run.status, run.request.manifest, str(run.reason)) for run in failed] == [
        ("failed", BROKEN, WHY) for manifest in QUEUE if manifest == BROKEN
    ]
    assert (cancelled.status, str(cancelled.reason)) == ("cancelled", "cancelled by @alice")
    # Between an answer and the note that it was given a bot can die; then it says that it had done so.
    answers = [text for text in world.answers(ALICE) if text != DONE_BEFORE]
    assert len(answers) <= 1 <= len(world.answers(ALICE))
    for runs, last in ((made, "#9 DONE 1.4s"), (failed, f"ERROR: {WHY}")):
        logs = [[RANDOM.sub("?", text) for _, text in await store.read.build_lines(run.id)] for run in runs]
        assert all(each == logs[0] for each in logs), logs
        assert (logs[0][0], logs[0][-1]) == ("Building web (1/1)", last)
        assert logs[0].count(last) == 1
    assert await first_broken(store) is None
    log = (world.folder / "log").read_text(errors="replace").splitlines()
    assert [row for row in log if " ERROR " in row or row.startswith("Traceback")] == []
    assert world.slack.violations == []

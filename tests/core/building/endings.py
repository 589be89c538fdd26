"""Every ending of a build, as a table: what is built and where, and what stands in its record, log and cluster afterwards.

It is held against the simulated cluster and against a real control plane, each with pods that a simulated kubelet plays.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

from core.build_run import BuildRun
from core.clock import Clock
from core.cluster.api.client import KubeClient
from core.cluster.builds.adapter import KubernetesBuilds
from core.cluster.builds.settings import BuildSettings
from core.records.build import BuildStatus
from tests.core.building.nursery import Builds, KeptSources, builds_of, start_git
from tests.core.world import ALICE, World, by, world
from tests.fakes import FakeCluster, JumpingClock

T = TypeVar("T")
SETTINGS = BuildSettings(registry="registry.example", address="http://bot.example:3001")
LOOK_SECONDS = 0.5
# A rack whose namespace for builds has a quota of no pods.
FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one build ends.

    Attributes:
        path: what is built: words in it choose what becomes of that (`bot.playground.kubelet.image_builds`).
        git: a repository that is built in place of a folder; words in it do the same (`…kubelet.git_clones`).
        settings: of the rack.
        rack: where, if not in the usual one.
        hurried: its time is over soon.
        cancel: by a person, while it is `queued` or `running`.
        reason: what its record says in the end, among other things.
        waits: what its log says before it starts, among other things.
        briefly: it waits for so short a time that no look need see it.
    """

    path: str = "."
    git: str = ""
    settings: BuildSettings = SETTINGS
    rack: str = "convox"
    hurried: bool = False
    cancel: str = ""
    status: BuildStatus = BuildStatus.FAILED
    reason: str = ""
    waits: str = ""
    briefly: bool = False


ENDINGS = {
    "it is good": Ending(status=BuildStatus.COMPLETE),
    "a step of its Dockerfile fails": Ending(
        path="broken", reason='process "/bin/sh -c make" did not complete successfully: exit code: 2'
    ),
    "its source cannot be fetched": Ending(
        settings=replace(SETTINGS, address="http://refused.example"),
        reason="the source could not be fetched from http://refused.example/builds/",
    ),
    "its clone is refused": Ending(
        git="https://git.example/shop/private",
        reason="it is private and the app has no token there (`git add git.example`)",
    ),
    "the registry takes nothing from it": Ending(path="refused", reason="401 Unauthorized"),
    "the registry is down": Ending(
        path="unreachable", reason="dial tcp 192.0.2.1:443: connect: connection refused"
    ),
    "it takes more memory than it may": Ending(
        path="oom", reason="it ran out of memory: CONVOX_BUILD_MEMORY gives it more"
    ),
    "it takes too long": Ending(path="slow", hurried=True, reason="(CONVOX_BUILD_TIMEOUT)"),
    "the image of its builder cannot be pulled": Ending(
        settings=replace(SETTINGS, image="registry.example/buildkit:notfound"),
        reason='ImagePullBackOff: Back-off pulling image "registry.example/buildkit:notfound"',
        waits="ErrImagePull: rpc error: code = NotFound",
        briefly=True,
    ),
    "the quota lets no pod in": Ending(
        rack=FULL,
        hurried=True,
        reason="(CONVOX_BUILD_TIMEOUT); its pod is not let in: exceeded quota: builds, requested: ",
        waits="its pod is not let in: exceeded quota: builds, requested: ",
    ),
    "somebody cancels it while it waits for its turn": Ending(
        cancel="queued", path="slow", status=BuildStatus.CANCELLED, reason="cancelled by @u01alice"
    ),
    "somebody cancels it while it runs": Ending(
        cancel="running", path="slow", status=BuildStatus.CANCELLED, reason="cancelled by @u01alice"
    ),
}
# Of a cluster none of whose nodes takes a pod.
NO_NODE = Ending(
    hurried=True,
    reason="(CONVOX_BUILD_TIMEOUT); no node takes it: ",
    waits="no node takes it: ",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A cluster on which builds end.

    Attributes:
        client: asks with the bot's rights.
        racks: the rack that is meant by each of the table.
        left: names what there is of builds in their namespaces.
        hurry: seconds of builds whose time is over soon.
        patience: seconds of the clock within which everything is over.
    """

    client: KubeClient
    clock: Clock
    racks: Mapping[str, str]
    left: Callable[[], Awaitable[list[str]]]
    hurry: float
    patience: float


async def all_end(stage: Stage, path: Path, endings: Mapping[str, Ending]) -> None:
    """Let each build of a table end, all of them at a time, each in an app of its own, and look at what is left."""
    async with world(path, at=FakeCluster(cast("JumpingClock", stage.clock))) as w:
        async with asyncio.TaskGroup() as going:
            for number, (name, ending) in enumerate(endings.items()):
                going.create_task(_ends(stage, w, f"app-{number}", ending), name=name)
        await _until(stage, stage.left, lambda left: not left)


async def _ends(stage: Stage, w: World, app: str, ending: Ending) -> None:
    await w.registrar.create_app(by(ALICE), app)
    cluster = KubernetesBuilds(stage.client, ending.settings, rack=stage.racks[ending.rack])
    b = builds_of(w, cluster, KeptSources(), seconds=stage.hurry if ending.hurried else stage.patience)
    try:
        if ending.cancel == "queued":
            await _ask(b, app, ending)
        build = await _ask(b, app, ending)
        if ending.cancel:
            await _cancel(stage, b, app, build, ending)
        await b.supervisor.idle()
    finally:
        await b.supervisor.stop()
    await _check(b, await w.store.read.build_run(build), ending)


async def _ask(b: Builds, app: str, ending: Ending) -> str:
    if ending.git:
        return (await start_git(b.starter, by(ALICE), app, url=ending.git)).run.id
    manifest = f"services:\n  web: {{build: {ending.path}, port: 3000}}\n"
    return (await b.ask(app=app, manifest=manifest)).run.id


async def _cancel(stage: Stage, b: Builds, app: str, build: str, ending: Ending) -> None:
    """Cancel a build where it is, and whatever it waits for as well."""
    (running, *_) = [run.id for run in await b.w.store.read.open_builds() if run.app == app]
    await _until(stage, lambda: b.jobs.look(running), lambda status: status.phase == "running")
    assert (running == build) is (ending.cancel == "running")
    for each in dict.fromkeys((build, running)):
        await b.starter.cancel(by(ALICE), each)


async def _check(b: Builds, run: BuildRun, ending: Ending) -> None:
    log, releases = await b.log(run.id), await b.w.store.read.releases(run.app, 9)
    assert (run.status, run.cleared, run.waits) == (ending.status, True, ""), run
    assert ending.reason in str(run.reason), run.reason
    waited = [each for each in log if each.startswith("waiting: ")]
    assert all(ending.waits and ending.waits in each for each in waited), waited
    assert waited or ending.briefly or not ending.waits, log
    if ending.status is BuildStatus.COMPLETE:
        assert [(each.id, each.build) for each in releases] == [(run.release, run.id)]
    else:
        assert (releases, run.release) == ([], "")
    if ending.status is BuildStatus.FAILED:
        assert log[-1] == f"ERROR: {run.reason}"
    # What has failed may be retried for a day.
    assert ending.git or (run.request.source in b.sources.kept) is (ending.status is BuildStatus.FAILED)


async def _until(stage: Stage, ask: Callable[[], Awaitable[T]], fits: Callable[[T], object]) -> None:
    deadline = stage.clock.monotonic() + stage.patience
    while not fits(found := await ask()):
        assert stage.clock.monotonic() < deadline, found
        await stage.clock.sleep(LOOK_SECONDS)

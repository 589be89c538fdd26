"""A repository that the simulated cluster "clones": its pod tells the bot over HTTP, and builds what the bot answers."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.api.clones import ClonesEndpoint
from bot.clock import ScaledClock
from bot.http.limits import HttpLimits
from bot.http.site import new_application
from bot.playground.cluster.simulated import SimulatedCluster
from core.build_run import BuildRun
from core.building.clones import ClonedSource
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_document
from core.cluster.builds.adapter import KubernetesBuilds
from core.cluster.builds.job import SERVICE_ACCOUNT
from core.cluster.builds.settings import BuildSettings
from core.errors import Unavailable
from tests.core.building.nursery import Builds, builds, start_git
from tests.core.world import ALICE, by
from tests.disk import read_only
from tests.fakes import FakeCluster, JumpingClock

PLACE = "convox-builds"
SETTINGS = BuildSettings(registry="registry.example", seconds=600)


@pytest.fixture
async def b(tmp_path: Path) -> AsyncGenerator[Builds]:
    clock, found = ScaledClock(40.0), list[Builds]()

    async def create(request: web.Request) -> web.Response:
        return await ClonesEndpoint(found[0].clones).create(request)

    site = new_application(HttpLimits(), [])
    site.router.add_post("/builds/{id}/clone", create)
    async with (
        TestServer(site) as server,
        SimulatedCluster(clock, accounts={PLACE: SERVICE_ACCOUNT}) as cluster,
        KubeClient(from_document(cluster.kubeconfig()), clock=clock) as client,
        builds(
            tmp_path,
            KubernetesBuilds(
                client, replace(SETTINGS, address=f"http://127.0.0.1:{server.port}"), rack="convox"
            ),
            at=FakeCluster(cast("JumpingClock", clock)),
        ) as made,
    ):
        found.append(made)
        yield made


async def built(b: Builds, words: str, ref: str = "main") -> BuildRun:
    asked = await start_git(b.starter, by(ALICE), "myapp", url=f"https://git.example/shop/{words}", ref=ref)
    return await b.end(asked.run.id)


async def test_a_good_one_makes_a_release_of_its_commit(b: Builds):
    await b.w.registrar.set_environment(by(ALICE), "myapp", [("KEY", "a-secret")])
    run = await built(b, "web")
    assert (run.status, run.cleared, str(run.reason)) == ("complete", True, "")
    made = await b.w.store.read.build("myapp", run.id)
    assert made.description == f"build {made.git_sha[:10]} Mend the cart"
    log = await b.log(run.id)
    assert log[0] == f"Cloned https://git.example/shop/web main at {made.git_sha[:10]} Mend the cart"
    assert "Building web (1/1)" in log


@pytest.mark.parametrize(
    ("words", "ref", "reason"),
    [
        ("refused", "main", "git.example does not take the app's token"),
        ("private", "main", "it is private and the app has no token there (`git add git.example`)"),
        ("nowhere", "main", "there is no such repository at git.example"),
        ("web", "gone", "the repository has no branch, tag or commit gone"),
        ("nomanifest", "main", "has no convox.yml, or nothing is in it"),
        ("broken", "main", "did not complete successfully: exit code: 2"),
    ],
)
async def test_each_other_ends_with_its_sentence(b: Builds, words: str, ref: str, reason: str):
    run = await built(b, words, ref)
    assert (run.status, run.cleared) == ("failed", True)
    assert reason in str(run.reason)


async def test_a_private_one_opens_to_a_token(b: Builds):
    await b.w.registrar.add_git_account(by(ALICE), "myapp", host="git.example", token="secret")
    assert (await built(b, "private")).status == "complete"


async def test_what_cannot_be_stored_because_of_the_disk_is_told_again_until_it_can(
    b: Builds, monkeypatch: pytest.MonkeyPatch
):
    """The pod is told so by 503, and goes on asking; nothing has failed by it."""
    told, receive = list[str](), b.clones.receive

    async def refused_at_first(build: str, token: str, cloned: ClonedSource) -> str:
        if told:
            return await receive(build, token, cloned)
        async with read_only(b.w.store):
            try:
                return await receive(build, token, cloned)
            except Unavailable as error:
                told.append(str(error.sentence))
                raise

    monkeypatch.setattr(b.clones, "receive", refused_at_first)
    run = await built(b, "web")
    assert told == ["the database cannot be used: it is read-only"]
    assert (run.status, run.cleared) == ("complete", True)

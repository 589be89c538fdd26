"""The most dangerous places to die, on a real control plane, in the stories in which they lie.

A bad image, because it goes forward and back. The places, and what a bot that comes after could get wrong there:

* `start.after_intent`: the point of no return is stored and nothing was sent. It could take the look again, and what
  it is about to make for what was there before.
* `step.after_effect` at the first Deployment: real controllers make pods already and no row says so. It could count
  its own change as somebody else's, or leave a Deployment without its count.
* `broken.after_commit`: the verdict is stored and nothing has gone back. It could look again, see pods that are just
  being replaced, and think better of it.
* `back.after_apply` at the first Deployment: one service is back and the other is not. It could take the half for the
  whole, or lose the count that was recorded.
* `settle.before_commit`: everything is as it was and only the end is missing. It could end it twice, or judge by a
  settle window that is long over.

And a rollback of all that a release can bring (a database with its disk, an agent, a route, an autoscaler, a timer), for what is taken
away around a verdict: `step.after_effect` at the first object, `settle.before_commit` when nothing is pruned yet, and both places of
pruning, where a bot that comes after could leave something behind, or take a disk with its data.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from bot.playground.kubelet.api import connect
from tests.core.cluster.rendering.samples import bundle
from tests.crashes.opening import real_world
from tests.crashes.orders import Death
from tests.crashes.places import real
from tests.crashes.runs import Ran, faults, prepare, tell
from tests.crashes.scenarios import POLICY, SCENARIOS, Scenario
from tests.crashes.world import Build
from tests.scenarios.clusters import make_disks, take_disks

STORY = SCENARIOS["a bad image and the way back"]
ALL_OF_IT = SCENARIOS["a rollback by a person of all that a release can bring"]


def until_deployment(build: Build, *, before: int = 0) -> int:
    """Return the how-manieth object of a bundle its first Deployment is, after so many effects before the bundle."""
    kinds = [ref.kind for ref in bundle(build.manifest, images=build.images).refs]
    return before + kinds.index("Deployment") + 1


# Forward the anchor is claimed before.
GOOD, BAD = STORY.builds
MOST_DANGEROUS = (
    Death(point="start.after_intent"),
    Death(point="step.after_effect", passage=until_deployment(BAD, before=1)),
    Death(point="broken.after_commit"),
    Death(point="back.after_apply", passage=until_deployment(GOOD)),
    Death(point="settle.before_commit"),
)


# Objects that the release has brought are pruned one by one.
TAKING_AWAY = (
    Death(point="step.after_effect"),
    Death(point="settle.before_commit"),
    Death(point="prune.after_suspend"),
    Death(point="prune.after_remove"),
    Death(point="prune.after_remove", passage=4),
)


@pytest_asyncio.fixture
async def disks(control_plane) -> AsyncIterator[None]:
    """One for each story, which all of them take."""
    many, name = len(TAKING_AWAY) + 1, f"crashes-{secrets.token_hex(3)}"
    async with connect(control_plane.kubeconfig("admin")) as admin:
        await make_disks(admin, name, many)
        yield
        await take_disks(admin, name, many)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("story", "where"), [(STORY, MOST_DANGEROUS), (ALL_OF_IT, TAKING_AWAY)])
async def test_where_it_is_most_dangerous_the_end_is_the_same_and_said_once(
    story: Scenario,
    where: Sequence[Death],
    bots: Path,
    control_plane,
    app_namespace,
    kubelet,
    disks: None,
    tmp_path: Path,
):
    async def one(death: Death | None) -> Ran:
        folder = tmp_path / str(death)
        folder.mkdir()
        async with (
            real(control_plane, await app_namespace()) as place,
            real_world(bots, folder, place) as world,
        ):
            world.set_policy(POLICY)
            world.router = story.router
            await world.register(story.builds)
            await prepare(world, story)
            return await tell(world, story, death)

    async with asyncio.TaskGroup() as runs:
        without = runs.create_task(one(None))
        deaths = {death: runs.create_task(one(death)) for death in where}
    measure = without.result()
    (told,) = measure.picture["slack"]
    assert told["endings"][0].startswith(story.endings[0])
    assert not measure.broken
    wrong = [what for death, ran in deaths.items() for what in faults(death, ran.result(), measure)]
    assert not wrong, "\n\n".join(wrong)

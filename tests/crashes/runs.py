"""One run of a story, with or without a death in it."""

import asyncio
import difflib
import fcntl
import json
import pickle
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from core.waiting import first_of
from tests.crashes.opening import simulated_world
from tests.crashes.orders import Death
from tests.crashes.picture import Picture, broken_promises, picture
from tests.crashes.scenarios import POLICY, SCENARIOS, Scenario
from tests.crashes.world import ALICE, Ground, World

# A minute of Slack's and the cluster's time in two to three seconds. Faster, and Python itself is what takes the time: what waits for five
# minutes for a cluster must be able to do its work in them beside other tests.
SPEED = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a run.

    Attributes:
        passed: the failpoints passed, in order.
        deaths: how often the bot died.
        broken: promises that were not kept.
        answers: what each person was told alone, but for the words of a bot that found everything done.
        account: what people saw and the bot wrote down, to find out why.
    """

    passed: tuple[str, ...]
    deaths: int
    picture: Picture
    broken: tuple[str, ...]
    answers: dict[str, list[str]]
    account: str


async def ground(nursery: Path, folder: Path, scenario: Scenario) -> Ground:
    """Prepare what a story begins with: the app, its releases, and the first of them verified."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        async with simulated_world(nursery, Path(place), speed=SPEED) as world:
            world.set_policy(POLICY)
            world.router = scenario.router
            await world.register(scenario.builds)
            await prepare(world, scenario)
            return await world.freeze()


async def prepare(world: World, scenario: Scenario) -> None:
    """Promote what is verified before the story begins."""
    releases = await world.releases()

    async def promotions() -> None:
        for release in releases[: scenario.before]:
            await world.type(ALICE, f"releases promote {release} -a {world.place.app}")
            await world.complete()

    await while_living(world, world.keep_alive(None), promotions())


async def run(nursery: Path, folder: Path, scenario: Scenario, begin: Ground, death: Death | None) -> Ran:
    """Let a story happen on prepared ground, with a death in it if one is named."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        async with simulated_world(nursery, Path(place), speed=SPEED, ground=begin) as world:
            return await tell(world, scenario, death)


async def tell(world: World, scenario: Scenario, death: Death | None) -> Ran:
    """Let a story happen in a world that is ready for it."""
    world.set_policy(scenario.policy)
    world.router = scenario.router
    world.begin()
    releases = await world.releases()

    async def story() -> None:
        await scenario.act(world, releases)
        await world.complete()

    await while_living(world, world.keep_alive(death), story())
    return await outcome(world)


async def outcome(world: World) -> Ran:
    """Look at what a story has left behind."""
    seen = await picture(world)
    return Ran(
        passed=tuple(world.trace.read_text().split()),
        deaths=world.deaths,
        answers=seen.pop("answers"),
        picture=seen,
        broken=tuple(await broken_promises(world)),
        account=world.complaint(""),
    )


async def while_living(
    world: World, lives: Coroutine[None, None, None], story: Coroutine[None, None, None]
) -> None:
    """Let a story happen while there are bots; the first error of either ends both."""
    happening = asyncio.create_task(story, name="story")
    living = asyncio.create_task(lives, name="lives of the bot")
    try:
        await first_of(happening, living, asyncio.sleep(world.patience))
        if living.done():
            living.result()
        assert happening.done(), world.complaint(f"not over after {world.patience:g} s")
        happening.result()
    finally:
        happening.cancel()
        living.cancel()
        await asyncio.gather(happening, living, return_exceptions=True)


class Rehearsals:
    """Every story without a death, told when it is first asked for: what the others are measured by.

    They lie in a folder, for every process that runs tests: who asks while another one rehearses waits for it.
    """

    def __init__(self, nursery: Path, folder: Path) -> None:
        self._nursery = nursery
        self._folder = folder

    async def of(self, name: str) -> tuple[Ground, Ran]:
        """Return the prepared ground of a story, and its run."""
        kept = self._folder / f"{name}.pickle"
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                begin = await ground(self._nursery, self._folder, SCENARIOS[name])
                ran = await run(self._nursery, self._folder, SCENARIOS[name], begin, None)
                kept.write_bytes(pickle.dumps((begin, ran)))
        found: tuple[Ground, Ran] = pickle.loads(kept.read_bytes())
        return found


def faults(death: Death | str, ran: Ran, measure: Ran) -> list[str]:
    """Say how a run with a death in it differs from the one without."""
    found = list(ran.broken)
    if not ran.deaths:
        found.append("it was never passed in this state")
    for user, answers in ran.answers.items():
        strange = [answer for answer in answers if answer not in measure.answers[user]]
        found += [f"{user} was answered {strange}"] if strange else []
    was, now = (json.dumps(p, indent=1, sort_keys=True).splitlines() for p in (measure.picture, ran.picture))
    difference = list(difflib.unified_diff(was, now, "without a death", "with it", lineterm="", n=2))
    found += ["\n".join(difference[:60])] if difference else []
    return [f"{death}: {what}" for what in [*found, ran.account]] if found else []

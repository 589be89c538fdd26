"""SIGKILL asks for no failpoint: ten times in one rollout, at moments that nobody has thought of."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.crashes.opening import simulated_world
from tests.crashes.runs import SPEED, Rehearsals, faults, outcome, while_living
from tests.crashes.scenarios import SCENARIOS
from tests.soak import times

KILLS = 10
# Seconds of the bot's time. Some lives end before they have begun to work, some reach a verdict.
LONGEST_LIFE = 6.0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(times(1, soak=30)))
@pytest.mark.parametrize("name", ["a bad image and the way back", "a promotion with an approval"])
async def test_a_rollout_survives_ten_kills(
    name: str, seed: int, bots: Path, rehearsals: Rehearsals, tmp_path: Path
):
    dice = random.Random(seed)
    moments = [dice.uniform(0.0, LONGEST_LIFE) for _ in range(KILLS)]
    begin, measure = await rehearsals.of(name)
    enough = asyncio.Event()
    async with simulated_world(bots, tmp_path, speed=SPEED, ground=begin) as world:
        world.set_policy(SCENARIOS[name].policy)
        world.begin()

        async def story() -> None:
            await SCENARIOS[name].act(world, await world.releases())
            await enough.wait()
            await world.complete()

        await while_living(world, world.keep_killing(moments, enough), story())
        ran = await outcome(world)
    assert ran.deaths == KILLS
    wrong = faults(f"killed at {moments}", ran, measure)
    assert not wrong, "\n\n".join(wrong)

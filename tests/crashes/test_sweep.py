"""The bot dies at every named place of every story on the simulated cluster, and nobody could tell afterwards."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.failpoints import NAMES
from core.promotion import Phase
from tests.crashes.orders import TERMINAL, Death
from tests.crashes.runs import Rehearsals, faults, run
from tests.crashes.scenarios import SCENARIOS
from tests.soak import times

# The worlds share this process, and two cores with two more: with more of them each only gets slower, and its clock runs on.
AT_A_TIME = 2
# Done and not written down: where a story has a way back, every kind of object counts, elsewhere the first and the last.
EVERY_KIND = "step.after_effect"
# Objects of a kind come one after the other, two at the least.
STRIDE = times(2, soak=1)
# How often these are passed depends on how busy the machine is; a state says better where to die.
BY_STATE = {
    "outbox.after_sending": TERMINAL,
    "outbox.after_post": TERMINAL,
    "verify.after_lines": Phase.ROLLBACK,
}
# A way back that takes everything away may be over at the first look, with nothing told before its end.
LOOKED_AT = "rolled back to"


def deaths(passed: Sequence[str], phases: Sequence[str], *, looked: bool) -> Iterator[Death]:
    """Choose where to die in a story that passes these places and phases; `looked`: its way back is watched for a while.

    Where a countdown comes before it, the way back is that of the story without one, and its kinds count there.
    """
    certain = {TERMINAL, *phases} - (set() if looked else {str(Phase.ROLLBACK)})
    for name, often in Counter(passed).items():
        if name in BY_STATE:
            yield Death(point=name)
            if BY_STATE[name] in certain:
                yield Death(point=name, state=BY_STATE[name])
        else:
            every = name == EVERY_KIND and Phase.ROLLBACK in phases and Phase.COUNTDOWN not in phases
            passages = {1, often} | set(range(1, often, STRIDE) if every else ())
            yield from (Death(point=name, passage=passage) for passage in sorted(passages))


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SCENARIOS)
async def test_wherever_the_bot_dies_the_end_is_the_same_and_said_once(
    name: str, bots: Path, rehearsals: Rehearsals, tmp_path: Path
):
    begin, measure = await rehearsals.of(name)
    turn = asyncio.Semaphore(AT_A_TIME)

    async def one(death: Death) -> list[str]:
        async with turn:
            try:
                ran = await run(bots, tmp_path, SCENARIOS[name], begin, death)
            except (AssertionError, TimeoutError, LookupError) as error:
                return [f"{death}: {type(error).__name__}: {error}"]
        return faults(death, ran, measure)

    stories = measure.picture["slack"]
    went = [row.rpartition(" ")[2] for story in stories for row in story["phases"]]
    looked = any(LOOKED_AT in said for story in stories for said in story["endings"])
    found = await asyncio.gather(*(one(death) for death in deaths(measure.passed, went, looked=looked)))
    wrong = [what for whats in found for what in whats]
    assert not wrong, "\n\n".join(
        [f"{sum(map(bool, found))} of {len(found)} deaths changed something", *wrong]
    )


@pytest.mark.parametrize("name", SCENARIOS)
async def test_without_a_death_a_story_ends_as_documented(name: str, rehearsals: Rehearsals):
    _, ran = await rehearsals.of(name)
    assert not ran.broken
    assert ran.deaths == 0
    stories = ran.picture["slack"]
    assert len(stories) == len(SCENARIOS[name].endings)
    for story, ending in zip(stories, SCENARIOS[name].endings, strict=True):
        (said,) = story["endings"]
        assert said.startswith(ending)
    counts = re.findall(r"\w+ \d+/\d+(?: · \w+ \d+/\d+)*", stories[-1]["card"])
    assert " ".join(counts) == SCENARIOS[name].runs


async def test_every_failpoint_is_passed_in_one_of_the_stories(rehearsals: Rehearsals):
    passed = {point for name in SCENARIOS for point in (await rehearsals.of(name))[1].passed}
    assert set(NAMES) == passed


@pytest.mark.parametrize(
    ("name", "brought", "stays"),
    [
        (
            "a rollback by a person of all that a release can bring",
            {"StatefulSet", "DaemonSet", "HorizontalPodAutoscaler", "Ingress", "CronJob"},
            {"PersistentVolumeClaim"},
        ),
        ("a rollback by a person of a route through a Gateway", {"HTTPRoute"}, set()),
        (
            "a route, a timer that is refused and the way back",
            {"HorizontalPodAutoscaler", "Ingress"},
            {"CronJob"},
        ),
    ],
)
async def test_what_a_release_has_brought_is_gone_with_it_but_for_data_and_what_is_a_strangers(
    name: str, brought: set[str], stays: set[str], rehearsals: Rehearsals
):
    """The stories are worth their name: it was there, since a step has removed it; what no step may remove is there still."""
    _, ran = await rehearsals.of(name)
    there = {seen["kind"] for seen in ran.picture["cluster"]}
    (*_, steps) = ran.picture["records"]["steps"]
    removed = {step["ref"].partition("/")[0] for step in steps if step["action"] == "remove"}
    assert brought <= removed
    assert not brought & there
    assert stays <= there

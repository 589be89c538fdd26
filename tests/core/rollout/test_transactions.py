"""What a rollout writes, and how often: nothing for nothing, and what belongs together at once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from core.promotion import Phase
from core.records.intent import Intent
from core.records.line import Line
from core.records.observation import Observation, ServiceState
from core.redaction import Redactor
from core.rollout.verifying import SAVE_SECONDS, TELL_SECONDS
from tests.core.world import ALICE, World, by, counted, manifest, world
from tests.fakes import FakeWatch, progressing, service

PODS = 10


class Talking(FakeWatch):
    """Tells two lines at each of the first looks, as pods that come up do."""

    talks_until = 12.0
    told = 0

    def _seen(self) -> Observation:
        seen = super()._seen()
        if self._target is None or self._cluster.clock.monotonic() - self._aimed > self.talks_until:
            return seen
        self.told += 2
        now = self._cluster.clock.now()
        numbers = range(self.told - 2, self.told)
        lines = tuple(Line(at=now, object="web", text=f"step {n}", key=f"{now} {n}") for n in numbers)
        return replace(seen, lines=lines)


@asynccontextmanager
async def talking(path: Path) -> AsyncGenerator[World]:
    async with world(path) as w:
        first = await w.good(text=manifest())

        @asynccontextmanager
        async def watch(app: str, intent: Intent, redact: Redactor) -> AsyncGenerator[FakeWatch]:
            yield Talking(w.cluster)

        w.cluster.watch = watch
        assert first
        yield w


def one_by_one(passed: float) -> ServiceState:
    """Ten pods of which one more is ready every second."""
    ready = min(PODS, int(passed))
    if ready < PODS:
        return progressing(ready=ready, started=PODS, desired=PODS)
    return service(started=PODS, desired=PODS)


async def test_a_rollout_of_ten_pods_writes_at_most_every_third_second(tmp_path: Path):
    async with talking(tmp_path) as w:
        release = (await w.build()).release.id
        w.cluster.behaves[release] = one_by_one
        made = counted(w)
        promotion = await w.promote(release)
        assert promotion.phase is Phase.RUNNING
        assert len(made) <= 14, made
        lines = await w.lines(promotion.id)
        told = [row.rpartition(" ")[2] for row in lines if "step" in row]
        assert told == [str(n) for n in range(len(told))], "each once and in order"
        assert len(told) > 20
        updating = next(n for n, row in enumerate(lines) if "Pending => Updating" in row)
        running = next(n for n, row in enumerate(lines) if "Updating => Running" in row)
        assert all(updating < n < running for n, row in enumerate(lines) if "step" in row)


async def test_what_is_seen_after_a_pause_is_told_at_once(tmp_path: Path):
    async with talking(tmp_path) as w:
        release = (await w.build()).release.id
        w.cluster.behaves[release] = one_by_one
        made = counted(w)
        await w.promote(release)
        times = [at for at in made if at > made[0]]
        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert min(pauses[:-2]) >= 1.0
        assert max(pauses) <= SAVE_SECONDS + 1
        assert sum(pause < TELL_SECONDS for pause in pauses) <= 3


async def test_a_cancel_loses_no_line_that_was_seen_and_not_told_yet(tmp_path: Path):
    async with talking(tmp_path) as w:
        release = (await w.build()).release.id
        w.cluster.behaves[release] = lambda _: progressing(ready=0, started=PODS, desired=PODS)
        asked = (await w.ask(release)).promotion
        while (await w.store.read.promotion(asked.id)).progress.watched < 4.0:
            await w.clock.sleep(0)
        await w.decider.cancel(by(ALICE), asked.id)
        ended = await w.end(asked.id)
        assert ended.phase is Phase.REVERTED
        told = [row.rpartition(" ")[2] for row in await w.lines(asked.id) if "step" in row]
        assert told[:8] == [str(n) for n in range(8)]

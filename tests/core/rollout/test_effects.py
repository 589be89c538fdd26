"""An effect stands between two rows, is insisted on while the cluster is away, and never outlives its promotion."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import Rejected, Unavailable, Unreachable
from core.lifecycle.gate import Gate
from core.lifecycle.transition import move
from core.promotion import Phase, Promotion, PromotionEvent
from core.records.bundle import Ref
from core.records.intent import Applied
from core.rollout.effects import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Effects,
    RolloutPorts,
    StageTimeout,
    StalePromotion,
    ensure_current,
)
from tests.core.world import ALICE, World, by, counted, world

WEB, OTHER = Ref("Deployment", "web"), Ref("Deployment", "other")
DONE = Applied(ref=WEB, uid="uid-web", generation=3, changed=True)


@asynccontextmanager
async def pending(path: Path) -> AsyncGenerator[tuple[World, Effects, Promotion]]:
    """Have a promotion in Pending that nobody drives."""
    async with world(path) as w:
        tools = RolloutPorts(
            store=w.store,
            cluster=w.cluster,
            clock=w.clock,
            announcer=w.announcer,
            gate=Gate(w.store, w.cluster, w.promoter._access),
        )
        made = await w.build()
        promotion = Promotion(
            id="PAAAAAAAAAA",
            app="myapp",
            release=made.release.id,
            phase=Phase.PENDING,
            requested_by=ALICE,
            requested_at=w.clock.now(),
            token=1,
        )
        async with w.store.transaction() as tx:
            await tx.add_promotion(promotion)
        yield w, Effects(tools), promotion


def failing(*errors: Exception) -> Callable[[], Awaitable[Applied]]:
    """Return an effect that raises these, one a try, and then succeeds."""
    left = list(errors)

    async def effect() -> Applied:
        if left:
            raise left.pop(0)
        return replace(DONE, changed=False)

    return effect


async def step(effects: Effects, promotion: Promotion, effect: Callable[[], Awaitable[Applied]]) -> Applied:
    return await effects.step(promotion, stage="forward", ref=WEB, action="apply", effect=effect, limit=300.0)


async def test_an_effect_is_written_down_before_and_after(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        seen: list[str] = []

        async def effect() -> Applied:
            seen.extend(s.state for s in await w.store.read.steps(promotion.id))
            return DONE

        assert await step(effects, promotion, effect) == DONE
        assert seen == ["sent"]
        await effects.keep_done(promotion)
        (row,) = await w.store.read.steps(promotion.id)
        assert (row.state, row.uid, row.generation, row.changed) == ("done", "uid-web", 3, True)


async def test_what_became_of_an_effect_is_written_with_the_next_one(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        made = counted(w)
        for number in range(1, 5):
            ref = Ref("Deployment", f"s{number}")
            await effects.step(
                promotion, stage="forward", ref=ref, action="apply", effect=failing(), limit=300.0
            )
            states = [row.state for row in await w.store.read.steps(promotion.id)]
            assert states == ["done"] * (number - 1) + ["sent"]
            assert len(made) == number
        await effects.keep_done(promotion)
        await effects.keep_done(promotion)
        assert len(made) == 5, "there is nothing to write a second time"
        assert {row.state for row in await w.store.read.steps(promotion.id)} == {"done"}


async def test_what_became_of_an_effect_is_written_though_the_promotion_has_moved_on(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        await step(effects, promotion, failing())
        async with w.store.transaction() as tx:
            await move(tx, promotion, PromotionEvent.CANCELLED, actor=ALICE)
        with pytest.raises(StalePromotion):
            await effects.step(
                promotion, stage="forward", ref=OTHER, action="apply", effect=failing(), limit=300.0
            )
        (row,) = await w.store.read.steps(promotion.id)
        assert (row.ref, row.state) == (WEB, "done"), "and the next one was not sent"


async def test_what_could_not_be_written_is_written_with_the_next_try(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        await step(effects, promotion, failing())
        real = w.store.transaction

        def full(**_: object):
            raise Unavailable("the disk is full")

        w.store.transaction = full
        with pytest.raises(Unavailable):
            await effects.keep_done(promotion)
        w.store.transaction = real
        await effects.keep_done(promotion)
        assert [row.state for row in await w.store.read.steps(promotion.id)] == ["done"]


async def test_a_refusal_for_good_is_passed_on_at_once_and_leaves_the_row_open(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        with pytest.raises(Rejected, match="^quota$"):
            await step(effects, promotion, failing(Rejected("quota")))
        assert [s.state for s in await w.store.read.steps(promotion.id)] == ["sent"]
        assert w.clock.monotonic() == 0


async def test_while_the_cluster_is_away_it_is_asked_again_with_growing_pauses(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        away = [Unreachable("no route")] * 7
        assert (await effects.retry(promotion, failing(*away), limit=300.0)).uid == "uid-web"
        pauses = [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(7)]
        assert w.clock.monotonic() == sum(pauses)
        progress = (await w.store.read.promotion(promotion.id)).progress
        assert progress.watched == sum(pauses)
        assert progress.waiting == "the cluster does not answer: no route"
        assert w.announcer.woken >= 7


async def test_a_cluster_that_stays_away_makes_it_late_with_its_last_words(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        said = [Unreachable(f"answer {n}") for n in range(50)]
        with pytest.raises(StageTimeout, match=r"^answer \d+$") as late:
            await effects.retry(promotion, failing(*said), limit=30.0)
        waiting = (await w.store.read.promotion(promotion.id)).progress.waiting
        assert waiting == f"the cluster does not answer: {late.value}"
        assert 30.0 <= w.clock.monotonic() < 30.0 + LONGEST_PAUSE


async def test_what_was_waited_before_a_restart_counts(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        await effects.retry(promotion, failing(Unreachable("x"), Unreachable("x")), limit=30.0)
        waited = w.clock.monotonic()
        with pytest.raises(StageTimeout):
            await effects.retry(promotion, failing(*[Unreachable("x")] * 99), limit=waited + 0.1)
        assert w.clock.monotonic() == pytest.approx(waited + FIRST_PAUSE)


async def test_an_effect_that_was_tried_before_counts_as_a_change(tmp_path: Path):
    """An answer that was lost may have changed what the second try finds to be right already."""
    async with pending(tmp_path) as (_, effects, promotion):
        assert (await step(effects, promotion, failing())).changed is False
        assert (await step(effects, promotion, failing())).changed is True


async def test_an_effect_that_was_repeated_while_the_cluster_was_away_counts_as_a_change(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        assert (await step(effects, promotion, failing(Unreachable("cut off")))).changed is True
        assert [s.changed for s in await w.store.read.steps(promotion.id)] == [True]


async def test_nothing_is_sent_for_a_promotion_that_somebody_has_moved(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        async with w.store.transaction() as tx:
            await move(tx, promotion, PromotionEvent.CANCELLED, actor=ALICE, cancelled_by=ALICE)
        with pytest.raises(StalePromotion, match="PAAAAAAAAAA is Refused"):
            await step(effects, promotion, failing())
        assert await w.store.read.steps(promotion.id) == []


async def test_a_cancel_is_noticed_while_the_cluster_is_away(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):

        async def cancelled_meanwhile() -> Applied:
            async with w.store.transaction() as tx:
                await move(tx, promotion, PromotionEvent.CANCELLED, actor=ALICE, cancelled_by=ALICE)
            raise Unreachable("no route")

        with pytest.raises(StalePromotion):
            await effects.retry(promotion, cancelled_meanwhile, limit=300.0)


async def test_a_risen_token_means_moved_even_in_the_same_phase(tmp_path: Path):
    async with pending(tmp_path) as (w, _, promotion), w.store.transaction() as tx:
        assert await ensure_current(tx, promotion) == promotion
        with pytest.raises(StalePromotion):
            await ensure_current(tx, replace(promotion, token=2))


async def test_values_of_the_environment_are_not_in_what_the_card_says_of_the_cluster(tmp_path: Path):
    async with pending(tmp_path) as (w, effects, promotion):
        made = await w.registrar.set_environment(by(ALICE), "myapp", [("PASSWORD", "correct-horse")])
        async with w.store.transaction() as tx:
            app = await tx.app("myapp")
            await tx.save_app(replace(app, active_release=made.release.id))
        await effects.retry(promotion, failing(Unreachable("proxy: correct-horse")), limit=30.0)
        waiting = (await w.store.read.promotion(promotion.id)).progress.waiting
        assert waiting == "the cluster does not answer: proxy: ****"

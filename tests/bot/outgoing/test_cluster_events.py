"""Kubernetes is told of start and verdict, once each; that it cannot be told harms nothing."""

import pytest

from core.errors import Rejected, Unreachable
from tests.bot.outgoing.receiving import tell, telling, told
from tests.core.world import ALICE, World, by, world


@pytest.fixture
async def w(tmp_path):
    async with world(tmp_path) as made:
        yield made


async def test_start_and_verdict_are_events_on_what_runs_the_service(w: World):
    async with telling(w) as sender:
        promotion = await w.promote((await w.build()).release.id)
        await tell(sender)
        name = f"web.{promotion.id.lower()}"
        assert list(w.cluster.events) == [f"{name}.started", f"{name}.ended"]
        started, ended = w.cluster.events.values()
        assert str(started.ref) == "Deployment/web"
        assert (started.reason, started.warning) == ("RolloutStarted", False)
        assert started.note == (
            f"{promotion.id}: promote of {promotion.release} has started, requested by @u01alice"
        )
        assert (ended.reason, ended.action, ended.warning) == ("RolloutVerified", "Promote", False)
        assert ended.note == f"{promotion.id}: promote of {promotion.release}: OK"
        assert (await told(w, "kubernetes")).delivered == 2


async def test_a_failed_one_is_a_warning_with_its_cause_and_no_value(w: World):
    async with telling(w) as sender:
        await w.good()
        changed = await w.registrar.set_environment(by(ALICE), "myapp", [("TOKEN", "hunter2hunter2")])
        assert changed.release is not None

        def refuse(request: str) -> None:
            if request.startswith("apply"):
                raise Rejected("hunter2hunter2 is no image")

        w.cluster.refuse = refuse
        promotion = await w.promote(changed.release.id)
        w.cluster.refuse = lambda _request: None
        await tell(sender)
        ended = w.cluster.events[f"web.{promotion.id.lower()}.ended"]
        assert ended.warning
        assert "**** is no image" in ended.note


async def test_nothing_is_written_of_what_touched_nothing(w: World):
    async with telling(w) as sender:
        made = await w.build()

        def refuse(request: str) -> None:
            if request.startswith("preflight"):
                raise Rejected("no")

        w.cluster.refuse = refuse
        await w.promote(made.release.id)
        await tell(sender)
        assert w.cluster.events == {}
        assert (await told(w, "kubernetes")).waiting == 0


async def test_a_start_waits_until_the_namespace_is_known_to_be_ours(w: World):
    async with telling(w) as sender:
        result = await w.ask((await w.build()).release.id)
        await tell(sender)
        assert w.cluster.events == {}
        assert (await told(w, "kubernetes")).waiting == 1
        await w.end(result.promotion.id)
        w.clock.jump(3)
        await tell(sender)
        assert len(w.cluster.events) == 2


@pytest.mark.parametrize(
    ("error", "waiting", "dropped"), [(Unreachable("away"), 2, 0), (Rejected("may not"), 0, 2)]
)
async def test_a_cluster_that_does_not_take_them_harms_no_rollout(w: World, error, waiting, dropped):
    async with telling(w) as sender:
        promotion = await w.promote((await w.build()).release.id)

        def refuse(request: str) -> None:
            if request.startswith("record event"):
                raise error

        w.cluster.refuse = refuse
        await tell(sender)
        known = await told(w, "kubernetes")
        assert (known.waiting, known.dropped, known.answer) == (waiting, dropped, str(error))
        assert promotion.phase == "Running"

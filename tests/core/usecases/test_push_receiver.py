"""A push is built once in each app that a rule names, however often it is told, and across a death at any moment."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from core.errors import Unavailable
from core.lifecycle.access import Access
from core.records.push import Push
from core.sentence import Sentence
from core.usecases.push_receiver import PushedApp, PushReceiver, summary
from tests.chain import audit_rows
from tests.core.building.nursery import PlayedJobs, starter_of
from tests.core.world import ALICE, World, by, world

REPOSITORY, COMMIT = "github.com/acme/shop", "b" * 40
RULE = f"{{repository: {REPOSITORY}, branch: main, app: myapp, promote: ask}}"
POLICY = f"builds: [{RULE}]"


def pushed(**changes) -> Push:
    values = {
        "repository": "github.com/Acme/shop",
        "clone_url": "https://github.com/Acme/shop.git",
        "ref": "refs/heads/main",
        "commit": COMMIT,
        "before": "a" * 40,
        "author": "Alice Example",
        "message": "Sell gift cards",
        "compare_url": "https://github.com/Acme/shop/compare/a...b",
    }
    return Push(**(values | changes))


def receiver(w: World, **more) -> PushReceiver:
    """Return one as a start of the process makes it: it remembers nothing."""
    return PushReceiver(w.store, Access(lambda: w.policy, w.directory), starter_of(w, **more), w.clock)


async def told(w: World, push: Push | None = None, *, delivery: str = "d1", **more) -> tuple[PushedApp, ...]:
    return await receiver(w, **more).receive(push or pushed(), vendor="github", delivery=delivery)


async def started(w: World) -> list[str]:
    return [run.id for run in await w.store.read.open_builds()]


async def test_what_is_pushed_is_built_as_the_rule_says(tmp_path):
    async with world(tmp_path, policy=POLICY) as w:
        (built,) = await told(w)
        run = await w.store.read.build_run(built.build)
        request = run.request
        assert (built.app, built.known, built.problem) == ("myapp", False, None)
        assert run.created_by.key == f"webhook:{REPOSITORY}"
        assert (request.git_url, request.git_ref, request.git_sha) == (
            "https://github.com/Acme/shop.git",
            "main",
            COMMIT,
        )
        assert (request.author, request.pushed_to) == ("Alice Example", "refs/heads/main")
        assert request.compare == "https://github.com/Acme/shop/compare/a...b"
        assert (request.promote_after, request.promote) == ("ask", True)


async def test_the_audit_says_by_which_rule(tmp_path):
    async with world(tmp_path, policy=POLICY) as w:
        await told(w)
        (row,) = [row for row in await audit_rows(w.store) if row["action"] == "build.start"]
        assert orjson.loads(row["detail"])["rule"] == f"{REPOSITORY}, branch main: in myapp, promote ask"
        assert orjson.loads(row["actor"])["kind"] == "webhook"


@pytest.mark.parametrize(
    "again",
    [
        {"delivery": "d1"},
        {"delivery": "d2"},
        {"delivery": "d1", "push": pushed(commit="c" * 40)},
        {"delivery": "d2", "push": pushed(repository="github.com/acme/shop")},
    ],
)
async def test_what_is_told_again_starts_nothing_also_after_a_restart(tmp_path, again):
    async with world(tmp_path, policy=POLICY) as w:
        (first,) = await told(w)
    async with world(tmp_path, policy=POLICY) as w:
        (second,) = await told(w, again.get("push"), delivery=again["delivery"])
        assert (second.build, second.known) == (first.build, True)
        assert await started(w) == [first.build]


@pytest.mark.parametrize(
    "other", [{"commit": "c" * 40}, {"before": "d" * 40}, {"before": ""}, {"ref": "refs/heads/main2"}]
)
async def test_another_push_is_built(tmp_path, other):
    policy = POLICY.replace("main", "main*")
    async with world(tmp_path, policy=policy) as w:
        await told(w)
        (second,) = await told(w, pushed(**other), delivery="d2")
        assert not second.known
        assert len(await started(w)) == 2


async def test_a_tag_that_is_pushed_again_on_the_same_commit_is_another_push(tmp_path):
    """Whoever has deleted it and pushes it anew wants it built; only the moment tells it from a replay."""
    policy = f"builds: [{{repository: {REPOSITORY}, tag: 'v*', app: myapp}}]"
    async with world(tmp_path, policy=policy) as w:
        tag = {"ref": "refs/tags/v1", "before": ""}
        first, again = (pushed(**tag, pushed_at=w.clock.now() + timedelta(hours=-n)) for n in (2, 1))
        (one,) = await told(w, first, delivery="d1")
        (two,) = await told(w, again, delivery="d2")
        (replayed,) = await told(w, first, delivery="d3")
        assert (one.known, two.known, replayed.known) == (False, False, True)
        assert replayed.build == one.build != two.build


async def test_the_same_push_told_twice_at_once_is_built_once(tmp_path):
    async with world(tmp_path, policy=POLICY) as w:
        both = await asyncio.gather(*(told(w, delivery=f"d{number}") for number in range(8)))
        assert len({each.build for (each,) in both}) == 1
        assert sorted(each.known for (each,) in both) == [False] + [True] * 7
        assert len(await started(w)) == 1


async def test_a_death_before_the_commit_leaves_neither_a_build_nor_a_mark(tmp_path, monkeypatch):
    async with world(tmp_path, policy=POLICY) as w:

        async def die(*_, **__) -> None:
            raise RuntimeError("killed")

        # The last write of the transaction.
        monkeypatch.setattr("storage.audit.append", die)
        with pytest.raises(RuntimeError):
            await told(w)
        monkeypatch.undo()
    async with world(tmp_path, policy=POLICY) as w:
        assert await started(w) == []
        (built,) = await told(w)
        assert not built.known


async def test_of_two_apps_the_one_that_was_not_reached_is_built_when_it_is_told_again(tmp_path):
    async with world(tmp_path, policy=POLICY) as w:
        await w.registrar.create_app(by(ALICE), "other")
        (first,) = await told(w)
    both = f"builds: [{RULE}, {RULE.replace('myapp', 'other')}]"
    async with world(tmp_path, policy=both) as w:
        one, other = await told(w)
        assert (one.build, one.known, other.app, other.known) == (first.build, True, "other", False)


async def test_what_no_rule_takes_is_left_alone(tmp_path):
    async with world(tmp_path, policy=POLICY) as w:
        assert await told(w, pushed(ref="refs/heads/dev")) == ()
        assert await told(w, pushed(repository="github.com/evil/shop")) == ()
        assert await started(w) == []


async def test_a_rule_of_an_app_that_is_not_there_is_said_and_keeps_no_other(tmp_path):
    policy = f"builds: [{RULE.replace('myapp', 'ghost')}, {RULE}]"
    async with world(tmp_path, policy=policy) as w:
        ghost, built = await told(w)
        assert str(ghost.problem) == "app not found: ghost"
        assert built.build


async def test_a_rack_that_builds_nothing_says_so(tmp_path):
    async with world(tmp_path, policy=POLICY) as w:
        (refused,) = await told(w, jobs=PlayedJobs(missing="CONVOX_REGISTRY is not set"))
        assert str(refused.problem) == "CONVOX_REGISTRY is not set"


async def test_while_nothing_may_start_whoever_tells_is_to_tell_again(tmp_path):
    async with world(tmp_path, policy=POLICY) as w:
        with pytest.raises(Unavailable):
            await told(w, why_not_startable="the disk is nearly full")
        (built,) = await told(w)
        assert not built.known


async def test_what_was_pushed_days_ago_may_be_a_replay(tmp_path):
    async with world(tmp_path, policy=POLICY) as w:
        now = w.clock.now()
        (old,) = await told(w, pushed(pushed_at=now - timedelta(days=4, seconds=1)))
        assert str(old.problem) == "it was pushed more than 4 days ago, and may be a replay"
        (late,) = await told(w, pushed(pushed_at=now - timedelta(days=4)))
        assert late.build


async def test_pushes_are_forgotten_after_a_week_and_not_before(tmp_path, monkeypatch):
    monkeypatch.setattr("core.usecases.push_receiver.FORGOTTEN_AT_ONCE", 2)
    async with world(tmp_path, policy=POLICY) as w:
        for number in range(3):
            await told(w, pushed(commit=f"{number}" * 40), delivery=f"d{number}")
        assert await receiver(w).age_out(w.clock.now() + timedelta(days=7)) == 0
        assert await receiver(w).age_out(w.clock.now() + timedelta(days=7, seconds=1)) == 6
        (again,) = await told(w, pushed(commit="0" * 40), delivery="d0")
        assert not again.known


def test_a_delivery_is_counted_by_the_best_that_came_of_it():
    one, known = PushedApp(app="a", build="B1"), PushedApp(app="a", build="B1", known=True)
    refused = PushedApp(app="b", problem=Sentence.of("no"))
    assert [summary(each) for each in ((one, refused), (known, refused), (known,), ())] == [
        "started",
        "refused",
        "known",
        "ignored",
    ]

"""The release of a build that was to be promoted is asked for once, across a death at any moment, or people are told why not."""

import pytest

from core.actor import Actor
from core.build_run import BuildRequest, BuildRun
from core.errors import Conflict, Unavailable
from core.ids import new_id
from core.lifecycle.access import Access
from core.policy.authorization import parse_policy
from core.promotion import Phase, Promotion
from core.records.build import BuildStatus
from core.records.push import PromoteAfter
from core.usecases.build_promoter import BuildPromoter
from tests.chain import audit_rows
from tests.core.world import ALICE, BOB, ONE_APPROVAL, World, by, manifest, until, world
from tests.fakes import progressing

PUSH = Actor("webhook", "github.com/acme/shop")


def ruled(promote: str, rest: str = "") -> str:
    return f"builds: [{{repository: {PUSH.id}, branch: main, app: myapp, promote: {promote}}}]\n{rest}"


def access_of(w: World) -> Access:
    return Access(lambda: w.policy, w.directory)


def promoter(w: World) -> BuildPromoter:
    """Return one as a start of the process makes it: it remembers nothing."""
    return BuildPromoter(w.store, access_of(w), w.promoter, w.announcer)


async def completed(
    w: World, promote_after: PromoteAfter = "automatic", actor: Actor = PUSH, card: str = ""
) -> BuildRun:
    """Let the cluster build, without a cluster: what counts is the transaction in which it is complete."""
    asked = BuildRequest(
        manifest=manifest(),
        source=new_id("source"),
        promote=True,
        promote_after=promote_after,
        pushed_to="refs/heads/main",
    )
    async with w.store.transaction() as tx:
        run = BuildRun(id=new_id("build"), app="myapp", request=asked, created_at=tx.now, created_by=actor)
        await tx.add_build_run(run)
        if card:
            await tx.add_card(run.id, card)
        await tx.save_build_run(run.started(tx.now), was=BuildStatus.CREATED)
        started = run.started(tx.now)
    await w.registrar.release_build(started, {})
    return await w.store.read.build_run(run.id)


async def asked_for(w: World, run: BuildRun) -> list[Promotion]:
    return [each for each in await w.store.read.promotions("myapp", 50) if each.release == run.release]


async def notices(w: World) -> list[str]:
    return [str(notice.said) for notice in await w.store.outbox.notices.due()]


async def test_automatic_goes_out_by_the_rules_of_the_app(tmp_path):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        run = await completed(w)
        await promoter(w).promote_due()
        (asked,) = await asked_for(w, run)
        assert (await w.end(asked.id)).phase is Phase.RUNNING
        assert asked.requested_by == PUSH
        assert asked.channel == "C1"
        assert await w.store.read.promotion_jobs() == []


async def test_never_leaves_the_release(tmp_path):
    async with world(tmp_path, policy=ruled("never")) as w:
        run = await completed(w, "never")
        await promoter(w).promote_due()
        assert await asked_for(w, run) == []


@pytest.mark.parametrize(
    ("promote", "rest"), [("ask", ""), ("automatic", ONE_APPROVAL), ("ask", ONE_APPROVAL)]
)
async def test_what_needs_an_approval_waits_for_one_and_then_goes_out(tmp_path, promote, rest):
    async with world(tmp_path, policy=ruled(promote, rest)) as w:
        run = await completed(w, promote)
        await promoter(w).promote_due()
        (asked,) = await asked_for(w, run)
        assert (asked.phase, asked.approvals_needed) == (Phase.AWAITING_APPROVAL, 1)
        await w.decider.approve(by(BOB), asked.id)
        assert (await w.end(asked.id)).phase is Phase.RUNNING


async def test_ask_takes_as_many_approvals_as_the_app_needs(tmp_path):
    rest = ONE_APPROVAL.replace("1", "2")
    async with world(tmp_path, policy=ruled("ask", rest)) as w:
        run = await completed(w, "ask")
        await promoter(w).promote_due()
        assert (await asked_for(w, run))[0].approvals_needed == 2


async def test_a_death_between_the_build_and_the_asking_neither_loses_nor_doubles_it(tmp_path):
    async with world(tmp_path, policy=ruled("ask")) as w:
        run = await completed(w, "ask")
    async with world(tmp_path, policy=ruled("ask")) as w:
        await promoter(w).promote_due()
        (asked,) = await asked_for(w, run)
    async with world(tmp_path, policy=ruled("ask")) as w:
        await promoter(w).promote_due()
        assert await asked_for(w, run) == [asked]


async def test_a_death_before_the_commit_asks_again_and_one_after_it_does_not(tmp_path, monkeypatch):
    async with world(tmp_path, policy=ruled("ask")) as w:
        run = await completed(w, "ask")
        for where, left in (("request.before_commit", 1), ("request.after_commit", 0)):

            def die(name: str, where: str = where) -> None:
                if name == where:
                    raise RuntimeError("killed")

            monkeypatch.setattr("core.usecases.promoter.failpoint", die)
            await promoter(w).promote_due()
            assert len(await w.store.read.promotion_jobs()) == left
        monkeypatch.undo()
        await promoter(w).promote_due()
        assert len(await asked_for(w, run)) == 1


async def test_who_has_read_the_same_job_a_moment_earlier_asks_for_nothing(tmp_path):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        run = await completed(w)
        late = promoter(w)
        await promoter(w).promote_due()
        (asked,) = await asked_for(w, run)
        await w.end(asked.id)
        await late._give_up(run, Conflict("it was asked for already"))
        assert (await asked_for(w, run), await notices(w)) == ([await w.store.read.promotion(asked.id)], [])


async def test_it_waits_for_its_turn_where_something_rolls_out(tmp_path):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        await w.good()
        slow = (await w.build()).release.id
        w.cluster.behaves[slow] = lambda _: progressing(started=1)
        flying = (await w.ask(slow)).promotion
        await until(w, flying.id, Phase.UPDATING)
        run = await completed(w)
        await promoter(w).promote_due()
        assert [each.phase for each in await asked_for(w, run)] == [Phase.SCHEDULED]


@pytest.mark.parametrize(
    ("now", "phase"), [("never", None), ("ask", Phase.AWAITING_APPROVAL), ("automatic", Phase.PENDING)]
)
async def test_the_policy_of_this_moment_counts_where_it_does_less(tmp_path, now, phase):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        run = await completed(w)
        w.policy = parse_policy(ruled(now), open_to_all=True)
        await promoter(w).promote_due()
        asked = await asked_for(w, run)
        assert [each.phase for each in asked] == ([phase] if phase else [])
        assert bool(await notices(w)) is (phase is None)


async def test_a_rule_that_was_made_freer_since_does_no_more_than_was_asked(tmp_path):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        run = await completed(w, "ask")
        await promoter(w).promote_due()
        assert [each.phase for each in await asked_for(w, run)] == [Phase.AWAITING_APPROVAL]


async def test_people_are_told_once_why_it_is_not_promoted_and_what_to_do(tmp_path):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        run = await completed(w)
        w.policy = parse_policy("apps: []", open_to_all=True)
        await promoter(w).promote_due()
        await promoter(w).promote_due()
        (said,) = await notices(w)
        assert said == (
            f"Release {run.release} of build {run.id} is made, and was not promoted as webhook:github.com/acme/shop was to have it: "
            "the policy does not have what is pushed there promoted any more. To promote it: "
            f"`releases promote {run.release} -a myapp`"
        )
        (row,) = [each for each in await audit_rows(w.store) if each["action"] == "build.unpromoted"]
        assert row["subject"] == run.id


async def test_of_an_app_without_a_channel_the_audit_alone_tells(tmp_path):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        async with w.store.transaction() as tx:
            await tx.link("myapp", None)
        await completed(w)
        w.policy = parse_policy("apps: []", open_to_all=True)
        await promoter(w).promote_due()
        assert (await notices(w), await w.store.read.promotion_jobs()) == ([], [])


async def test_of_an_app_without_a_channel_it_is_told_where_its_build_was(tmp_path):
    async with world(tmp_path) as w:
        async with w.store.transaction() as tx:
            await tx.link("myapp", None)
        run = await completed(w, actor=ALICE, card="C7")
        await promoter(w).promote_due()
        (asked,) = await asked_for(w, run)
        assert asked.channel == "C7"
        card = await w.store.read.card(asked.id)
        assert card
        assert card.channel == "C7"


async def test_why_it_is_not_promoted_is_told_where_its_build_was(tmp_path):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        async with w.store.transaction() as tx:
            await tx.link("myapp", None)
        run = await completed(w, card="C7")
        w.policy = parse_policy("apps: []", open_to_all=True)
        await promoter(w).promote_due()
        assert [notice.channel for notice in await w.store.outbox.notices.due()] == ["C7"]
        assert run.release in (await notices(w))[0]


async def test_a_person_is_asked_for_with_the_rights_they_have_by_now(tmp_path):
    async with world(tmp_path) as w:
        run = await completed(w, actor=ALICE)
        await promoter(w).promote_due()
        assert [each.requested_by.id for each in await asked_for(w, run)] == [ALICE.id]


async def test_while_slack_does_not_say_who_somebody_is_it_waits(tmp_path):
    async with world(tmp_path) as w:
        run = await completed(w, actor=ALICE)
        w.directory.down = True
        await promoter(w).promote_due()
        assert (await asked_for(w, run), await notices(w)) == ([], [])
        w.directory.down = False
        await promoter(w).promote_due()
        assert len(await asked_for(w, run)) == 1


async def test_while_nothing_may_start_it_waits(tmp_path):
    async with world(tmp_path, policy=ruled("automatic")) as w:
        await completed(w)
    async with world(tmp_path, policy=ruled("automatic"), why_not_startable="the disk is nearly full") as w:
        with pytest.raises(Unavailable):
            await promoter(w).promote_due()
        assert len(await w.store.read.promotion_jobs()) == 1


async def test_one_that_breaks_keeps_no_other(tmp_path, monkeypatch):
    async with world(tmp_path, policy=ruled("ask")) as w:
        first, second = await completed(w, "ask"), await completed(w, "ask")
        real = w.promoter.request

        async def request(caller, request):
            if request.release == first.release:
                raise RuntimeError("broken")
            return await real(caller, request)

        monkeypatch.setattr(w.promoter, "request", request)
        await promoter(w).promote_due()
        assert len(await asked_for(w, second)) == 1
        assert [each.id for each in await w.store.read.promotion_jobs()] == [first.id]


async def test_what_a_token_had_built_is_left_to_people_once_that_was_revoked(tmp_path):
    async with world(tmp_path) as w:
        await w.store.tokens.create("ci")
        run = await completed(w, actor=Actor("token", "ci", "ci"), card="C1")
        await w.clock.sleep(1)
        await w.store.tokens.revoke("ci")
        await promoter(w).promote_due()
        assert await asked_for(w, run) == []
        assert "that token was revoked while it was built" in (await notices(w))[-1]

"""What a dialog offers: which releases, in which order, with what has become of each, and what one would change."""

from pathlib import Path

import pytest

from bot.views.choices import promote_notes, release_choice, rollback_notes
from core.errors import Conflict, Forbidden, NotFound
from core.lifecycle.explain import Action, ActionContext, rule_of
from core.policy.authorization import parse_policy
from core.promotion import Phase, PromotionKind
from core.records.environment import Difference
from core.usecases.chooser import MOST_CHOICES, ReleaseChange
from tests.core.world import ALICE, BOB, CAROL, World, by, world
from tests.fakes import broken

POLICY = """
roles: {developer: [view, promote, rollback, env, build, admin], approver: [view, approve]}
members:
  - {who: [U01ALICE], roles: [developer, approver]}
  - {who: [U02BOB], roles: [approver]}
apps: [{match: ["*"], unpinned: true, approvals: {promote: {count: 1, requester: false}}}]
"""


async def offered(w: World, kind: PromotionKind, typed: str = "") -> list[tuple[str, str]]:
    found = await w.chooser.choices(by(ALICE), "myapp", kind, typed)
    return [(each.release.id, each.mark) for each in found]


async def test_what_is_probably_meant_stands_first_with_a_symbol_and_a_word(tmp_path: Path):
    async with world(tmp_path) as w:
        first, second = await w.good(), await w.good()
        third = (await w.build()).release.id
        fourth = (await w.build()).release.id
        assert await offered(w, "promote") == [
            (fourth, "never promoted"),
            (third, "never promoted"),
            (second, "active"),
        ]
        assert await offered(w, "rollback") == [
            (first, "ran before"),
            (fourth, "never promoted"),
            (third, "never promoted"),
        ]
        assert [each for each, _ in await offered(w, "promote", third[3:8].lower())] == [third]
        assert await offered(w, "promote", f"{third} nothing") == []
        found = await w.chooser.choices(by(ALICE), "myapp", "promote")
        words = [release_choice(each, w.clock.now()).about for each in found]
        assert words == ["○ never promoted", "○ never promoted", "● active"]


async def test_a_release_that_failed_says_why_and_is_not_gone_back_to(tmp_path: Path):
    async with world(tmp_path) as w:
        await w.good()
        bad = (await w.build()).release.id
        w.cluster.behaves[bad] = lambda _: broken()
        await w.promote(bad)
        found = {each.release.id: each for each in await w.chooser.choices(by(ALICE), "myapp", "promote")}
        assert found[bad].mark == "on hold"
        about = release_choice(found[bad], w.clock.now()).about
        assert about.startswith("✕ on hold: its rollout failed: ")
        assert bad not in [each for each, _ in await offered(w, "rollback")]
        change = await w.chooser.change(by(ALICE), "myapp", "promote", bad)
        assert change is not None
        assert str(promote_notes(change)[0]).startswith(f"{bad} is on hold: its rollout failed")


async def test_a_rollback_to_what_was_left_is_marked(tmp_path: Path):
    async with world(tmp_path) as w:
        first, second = await w.good(), await w.good()
        back = await w.end((await w.ask(first, kind="rollback")).promotion.id)
        assert back.phase == "Running"
        assert dict(await offered(w, "rollback"))[second] == "rolled back"


async def test_no_more_than_slack_shows_and_an_older_one_by_its_id(tmp_path: Path):
    async with world(tmp_path) as w:
        first = (await w.build()).release.id
        await w.registrar.set_environment(by(ALICE), "myapp", [("A", "0")])
        for number in range(MOST_CHOICES + 1):
            await w.registrar.set_environment(by(ALICE), "myapp", [("A", str(number + 1))])
        assert len(await offered(w, "promote")) == MOST_CHOICES
        assert [each for each, _ in await offered(w, "promote", first)] == [first]
        assert await offered(w, "promote", "rzzzzzzzzzz") == []


async def test_what_it_changes_is_told_without_a_value(tmp_path: Path):
    async with world(tmp_path) as w:
        await w.registrar.set_environment(by(ALICE), "myapp", [("OLD", "hunter1"), ("KEPT", "x")])
        before = await w.chooser.change(by(ALICE), "myapp", "promote", None)
        assert before is None
        first = await w.good()
        await w.registrar.unset_environment(by(ALICE), "myapp", ["OLD"])
        newer = await w.registrar.set_environment(by(ALICE), "myapp", [("NEW", "hunter2")])
        change = await w.chooser.change(by(ALICE), "myapp", "promote", None)
        assert change is not None
        assert newer.release is not None
        assert change.choice.release.id == newer.release.id
        assert change.variables == Difference(("NEW",), (), ("OLD",))
        told = "\n".join(map(str, promote_notes(change)))
        assert "Variables: adds NEW; removes OLD. Values are never shown." in told
        assert f"{first} runs now, with the same build" in told
        assert "hunter" not in told + "\n".join(map(str, rollback_notes(change)))


async def test_nothing_to_compare_with_and_nothing_that_changes_is_said_too(tmp_path: Path):
    async with world(tmp_path) as w:
        made = await w.build()
        change = await w.chooser.change(by(ALICE), "myapp", "promote", made.release.id)
        assert change is not None
        assert "Nothing runs now" in str(promote_notes(change)[0])
        assert await w.chooser.change(by(ALICE), "myapp", "rollback", None) is None
        first = await w.good()
        same = await w.chooser.change(by(ALICE), "myapp", "promote", first)
        assert same is not None
        assert "runs now: its processes are replaced" in str(promote_notes(same)[0])
        assert "none differs from now" in str(rollback_notes(same))
        await w.good()
        back = await w.chooser.change(by(ALICE), "myapp", "rollback", None)
        assert back is not None
        assert back.choice.release.id == first
        assert "Build B" in str(rollback_notes(back)[0])
        many = ReleaseChange(
            choice=back.choice, active=back.active, variables=Difference(tuple("ABCDEFGHIJKLMN"), (), ())
        )
        assert "and 2 more" in str(promote_notes(many))


async def test_who_may_not_do_it_chooses_nothing(tmp_path: Path):
    async with world(tmp_path, policy=POLICY) as w:
        await w.build()
        w.policy = parse_policy(POLICY)
        kinds: tuple[PromotionKind, ...] = ("promote", "rollback")
        for kind in kinds:
            with pytest.raises(Forbidden):
                await w.chooser.choices(by(BOB), "myapp", kind)
            with pytest.raises(Forbidden):
                await w.chooser.change(by(CAROL), "myapp", kind, None)


async def test_who_declines_is_asked_why_only_while_it_waits_for_them(tmp_path: Path):
    async with world(tmp_path, policy=POLICY) as w:
        await w.build()
        promotion = (await w.ask()).promotion
        w.policy = parse_policy(POLICY)
        assert (await w.chooser.declinable(by(BOB), promotion.id, None)).id == promotion.id
        with pytest.raises(NotFound, match="is of the app myapp"):
            await w.chooser.declinable(by(BOB), promotion.id, "other")
        with pytest.raises(Forbidden):
            await w.chooser.declinable(by(CAROL), promotion.id, None)
        await w.decider.decline(by(BOB), promotion.id, "no")
        with pytest.raises(Conflict, match="already declined"):
            await w.chooser.declinable(by(ALICE), promotion.id, "myapp")


async def test_an_older_build_runs_with_the_variables_of_now_and_needs_a_promotions_approvals(tmp_path: Path):
    async with world(tmp_path) as w:
        await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])
        first = await w.good()
        await w.registrar.set_environment(by(ALICE), "myapp", [("A", "2")])
        second = await w.good()
        asked = await w.ask(first, kind="rollback", variables="now")
        ended = await w.end(asked.promotion.id)
        assert (ended.phase, ended.variables_of) == (Phase.RUNNING, second)
        assert any("variables of now" in each for each in ended.cautions)
        made = await w.store.read.release("myapp", ended.release)
        assert made.environment.pairs == (("A", "2"),)
        assert (made.copy_of, made.description) == (first, f"rollback to {first}, variables of {second}")


async def test_the_variables_of_now_need_something_that_runs(tmp_path: Path):
    async with world(tmp_path) as w:
        made = await w.build()
        with pytest.raises(NotFound, match="nothing of myapp runs now"):
            await w.ask(made.release.id, kind="rollback", variables="now")


async def test_only_a_release_with_its_own_variables_is_gone_back_to_without_approval(tmp_path: Path):
    async with world(tmp_path) as w:
        entry = await w.store.read.release_entry("myapp", await w.good())
        policy = parse_policy(
            POLICY.replace("promote: {count: 1", "rollback: {count: 0}, promote: {count: 1")
        )
        meets = ActionContext(policy=policy, now=w.clock.now(), release=entry)
        own = rule_of(Action(kind="rollback", app="myapp"), meets)
        now = rule_of(Action(kind="rollback", app="myapp", variables="now"), meets)
        assert (own.count, now.count) == (0, 1)


async def test_what_waits_keeps_promotes_rule_where_it_takes_the_variables_of_now(tmp_path: Path):
    async with world(
        tmp_path, policy=POLICY.replace("promote: {count: 1", "rollback: {count: 0}, promote: {count: 1")
    ) as w:
        made = await w.build()
        asked = (await w.ask(made.release.id)).promotion
        await w.decider.approve(by(BOB), asked.id)
        assert (await w.end(asked.id)).phase == "Running"
        waiting = (await w.ask(made.release.id, kind="rollback", variables="now")).promotion
        assert (waiting.phase, waiting.approvals_needed) == (Phase.AWAITING_APPROVAL, 1)
        await w.decider.approve(by(BOB), waiting.id)
        assert (await w.end(waiting.id)).phase == "Running"
        own = (await w.ask(made.release.id, kind="rollback")).promotion
        assert own.approvals_needed == 0

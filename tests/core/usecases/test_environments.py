"""Changing variables: what makes a release, what it is made from, and what is not undone in silence."""

import pytest

from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.policy.authorization import parse_policy
from core.promotion import Phase
from core.records.environment_text import variable_lines
from tests.bot.api.asking import policy_of
from tests.core.world import ALICE, World, by
from tests.fakes import broken

APP = "myapp"


async def pairs(w: World) -> dict[str, str]:
    (newest,) = await w.store.read.releases(APP, 1)
    return dict(newest.environment.pairs)


async def releases(w: World) -> int:
    return len(await w.store.read.releases(APP, 99))


async def test_what_changes_nothing_makes_no_release(w: World):
    first = await w.registrar.set_environment(by(ALICE), APP, [("A", "1"), ("B", "2")])
    for change in (
        w.registrar.set_environment(by(ALICE), APP, [("A", "1")]),
        w.registrar.set_environment(by(ALICE), APP, [("B", "2"), ("A", "1")], replace=True),
        w.registrar.unset_environment(by(ALICE), APP, ["NOPE"]),
        w.registrar.edit_environment(by(ALICE), APP, variable_lines("B\nA=1")),
    ):
        same = await change
        assert (same.release, same.base, same.skipped) == (None, first.release.id, "")
    assert await releases(w) == 1


async def test_an_app_without_a_release_has_nothing_to_unset(w: World):
    same = await w.registrar.unset_environment(by(ALICE), APP, ["NOPE"])
    assert (same.release, same.base) == (None, "")
    assert await releases(w) == 0


async def test_to_replace_takes_away_every_other_variable_and_keeps_the_order(w: World):
    await w.registrar.set_environment(by(ALICE), APP, [("A", "1"), ("B", "2"), ("C", "3")])
    made = await w.registrar.set_environment(by(ALICE), APP, [("D", "4"), ("B", "9")], replace=True)
    assert made.release.environment.pairs == (("B", "9"), ("D", "4"))
    assert made.release.description == "env add:D change:B remove:A remove:C"


async def test_an_older_release_is_changed_with_its_build(w: World):
    old = (await w.build()).release
    first = await w.registrar.set_environment(by(ALICE), APP, [("A", "1")], base=old.id)
    await w.build()
    await w.registrar.set_environment(by(ALICE), APP, [("B", "2")])
    made = await w.registrar.set_environment(by(ALICE), APP, [("C", "3")], base=first.release.id)
    assert (made.base, made.release.build) == (first.release.id, old.build)
    assert dict(made.release.environment.pairs) == {"A": "1", "C": "3"}
    unset = await w.registrar.unset_environment(by(ALICE), APP, ["A"], base=first.release.id)
    assert unset.release.environment.pairs == ()
    with pytest.raises(NotFound, match="^no such release: RZZZZZZZZZZ$"):
        await w.registrar.set_environment(by(ALICE), APP, [("A", "1")], base="RZZZZZZZZZZ")


async def test_a_change_names_the_release_on_hold_that_it_passed_over(w: World):
    good = await w.good()
    bad = (await w.registrar.set_environment(by(ALICE), APP, [("A", "2")])).release
    w.cluster.behaves[bad.id] = lambda _: broken()
    assert (await w.promote(bad.id)).phase is Phase.REVERTED
    made = await w.registrar.set_environment(by(ALICE), APP, [("A", "3")])
    assert made.skipped == f"{bad.id} is on hold and was skipped; this release is based on {good}"


async def test_who_edits_keeps_sets_and_unsets_in_one(w: World):
    first = await w.registrar.set_environment(by(ALICE), APP, [("A", "1"), ("B", "2"), ("C", "3")])
    made = await w.registrar.edit_environment(
        by(ALICE), APP, variable_lines("A\nB=9\nD=4"), seen=first.release.id
    )
    assert dict(made.release.environment.pairs) == {"A": "1", "B": "9", "D": "4"}
    assert made.release.description == "env add:D change:B remove:C"


async def test_what_somebody_else_has_set_meanwhile_is_not_undone(w: World):
    seen = (await w.registrar.editable_environment(by(ALICE), APP)).release
    assert seen == ""
    theirs = await w.registrar.set_environment(by(ALICE), APP, [("THEIRS", "1")])
    with pytest.raises(Conflict, match=f"^the environment has changed meanwhile: .* {theirs.release.id}"):
        await w.registrar.edit_environment(by(ALICE), APP, variable_lines("MINE=2"), seen=seen)
    assert await pairs(w) == {"THEIRS": "1"}


async def test_a_name_alone_keeps_nothing_where_there_is_nothing(w: World):
    with pytest.raises(Invalid) as refused:
        await w.registrar.edit_environment(by(ALICE), APP, variable_lines("s3cret\n\nC=1\nB"))
    # A value that was pasted alone looks like a name, and is not repeated.
    assert str(refused.value) == "no such variable yet, so it needs a value: line 1, 4"
    assert await releases(w) == 0


async def test_what_can_be_edited_is_shown_without_values_and_only_to_who_may(w: World):
    made = await w.registrar.set_environment(by(ALICE), APP, [("A", "hunter22")])
    found = await w.registrar.editable_environment(by(ALICE), APP)
    assert (found.release, found.environment.pairs) == (made.release.id, (("A", "****"),))
    w.policy = parse_policy(policy_of("env", who="U01ALICE"))
    with pytest.raises(Forbidden, match="^you may not promote myapp"):
        await w.registrar.editable_environment(by(ALICE), APP, to_promote=True)


async def test_the_environment_of_a_certain_release_is_shown(w: World):
    old = (await w.registrar.set_environment(by(ALICE), APP, [("A", "1")])).release
    new = (await w.registrar.set_environment(by(ALICE), APP, [("A", "2")])).release
    assert (await w.viewer.environment(by(ALICE), APP)).release == new.id
    seen = await w.viewer.environment(by(ALICE), APP, reveal=True, release=old.id)
    assert (seen.release, seen.environment.get("A")) == (old.id, "1")
    assert await w.viewer.variable(by(ALICE), APP, "A", release=old.id) == "1"

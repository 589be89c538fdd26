"""What people may look at: values only where they were asked for, by somebody who may, after an audit row."""

import sqlite3
from dataclasses import astuple
from pathlib import Path

import pytest

from core.errors import Forbidden, Invalid, NotFound, Unavailable
from core.policy.authorization import parse_policy
from core.promotion import Phase
from core.records.environment import MASK
from core.usecases.viewer import Viewer
from tests.bot.api.asking import policy_of
from tests.core.world import ALICE, BOB, World, by, manifest
from tests.fakes import broken

SECRET = "correct-horse"


async def furnished(w: World) -> str:
    """Return the release that holds the secret."""
    await w.build()
    return (await w.registrar.set_environment(by(ALICE), "myapp", [("PASSWORD", SECRET)])).release.id


def revealed(path: Path) -> list[str]:
    with sqlite3.connect(path / "convox.db") as connection:
        rows = connection.execute("SELECT subject FROM audit WHERE action = 'env.reveal'").fetchall()
    connection.close()
    return [subject for (subject,) in rows]


async def test_nobody_is_handed_a_value_that_they_have_not_asked_to_see(w: World, tmp_path: Path):
    release = await furnished(w)
    one = await w.viewer.release(by(BOB), "myapp", release)
    all_of_them = await w.viewer.releases(by(BOB), "myapp", 10)
    listed = (await w.viewer.environment(by(BOB), "myapp")).environment
    assert listed.pairs == one.release.environment.pairs == (("PASSWORD", MASK),)
    assert SECRET not in str([astuple(one), *map(astuple, all_of_them.releases)])
    assert revealed(tmp_path) == []


async def test_what_is_revealed_is_in_the_audit_before_it_is_shown(w: World, tmp_path: Path):
    release = await furnished(w)
    one = await w.viewer.release(by(BOB), "myapp", release, reveal=True)
    assert one.release.environment.get("PASSWORD") == SECRET
    shown = await w.viewer.environment(by(BOB), "myapp", reveal=True)
    assert shown.environment.get("PASSWORD") == SECRET
    assert await w.viewer.variable(by(BOB), "myapp", "PASSWORD") == SECRET
    assert revealed(tmp_path) == [release, release, f"{release}/PASSWORD"]
    full = Viewer(w.store, w.cluster, w.viewer._access, lambda: "the disk is full")
    with pytest.raises(Unavailable, match="^the disk is full$"):
        await full.variable(by(BOB), "myapp", "PASSWORD")


async def test_to_see_a_release_and_to_see_its_values_are_two_rights(w: World, tmp_path: Path):
    release = await furnished(w)
    w.policy = parse_policy(policy_of("view", who="U02BOB"))
    assert (await w.viewer.release(by(BOB), "myapp", release)).release.id == release
    with pytest.raises(Forbidden, match="^you may not read or change the environment of myapp"):
        await w.viewer.release(by(BOB), "myapp", release, reveal=True)
    w.policy = parse_policy(policy_of("env", who="U02BOB"))
    with pytest.raises(Forbidden, match="^you may not view myapp"):
        await w.viewer.release(by(BOB), "myapp", release, reveal=True)
    assert revealed(tmp_path) == []


async def test_a_value_is_handed_out_verbatim(w: World):
    await w.registrar.set_environment(by(ALICE), "myapp", [("A", " x ")])
    assert await w.viewer.variable(by(ALICE), "myapp", "A") == " x "


async def test_a_variable_that_does_not_exist_is_said_in_convox_words(w: World, tmp_path: Path):
    with pytest.raises(NotFound, match="^env not found: NOPE$"):
        await w.viewer.variable(by(ALICE), "myapp", "NOPE")
    assert revealed(tmp_path) == []


async def test_apps_that_somebody_may_not_view_are_not_listed(w: World):
    await w.registrar.create_app(by(ALICE), "other")
    assert [each.app.name for each in await w.viewer.apps(by(BOB))] == ["myapp", "other"]
    w.policy = parse_policy(policy_of("view", who="U02BOB", apps="other"))
    assert [each.app.name for each in await w.viewer.apps(by(BOB))] == ["other"]


async def test_a_promotion_is_followed_by_who_may_view_its_app_for_as_long_as_they_may(w: World):
    promotion = await w.promote((await w.build()).release.id)
    seen, lines = await w.viewer.lines(by(BOB), promotion.id, 0)
    assert (seen.phase, lines[0][0]) == (promotion.phase, 1)
    w.policy = parse_policy(policy_of("view", who="U01ALICE"))
    with pytest.raises(Forbidden, match="^you may not view myapp"):
        await w.viewer.lines(by(BOB), promotion.id, len(lines))


async def test_a_release_tells_which_keys_of_its_manifest_have_no_effect(w: World):
    made = await w.build(text=manifest() + "version: '3'\n")
    seen = await w.viewer.release(by(ALICE), "myapp", made.release.id)
    assert [note.partition(":")[0] for note in seen.notes] == [
        "version of convox.yml is without effect",
        "nobody outside of the cluster reaches web",
    ]


async def test_a_release_whose_manifest_cannot_be_read_any_more_has_no_notes(w: World):
    made = await w.build(text=manifest() + "x-extra: ${EXTRA}\nversion: '3'\n")
    broken = await w.registrar.set_environment(by(ALICE), "myapp", [("EXTRA", "[")])
    assert (await w.viewer.release(by(ALICE), "myapp", made.release.id)).notes
    assert (await w.viewer.release(by(ALICE), "myapp", broken.release.id)).notes == ()


async def test_a_release_without_a_build_has_no_notes(w: World):
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])
    assert (await w.viewer.release(by(ALICE), "myapp", made.release.id)).notes == ()


async def test_a_release_is_checked_as_what_it_would_be_here_and_no_value_is_in_it(w: World):
    timer = "timers:\n  nightly:\n    command: bin/x\n    schedule: ${WHEN}\n    service: web\n"
    await w.registrar.set_environment(by(ALICE), "myapp", [("PASSWORD", SECRET), ("WHEN", "0 3 * * *")])
    made = (await w.build(text=manifest() + timer)).release.id
    seen = await w.viewer.check(by(BOB), "myapp", made)
    assert seen.release == made
    assert [each.partition(" (")[0] for each in seen.objects[:-1]] == [
        "Secret env-web",
        "Service web",
        "PodDisruptionBudget web",
        "Deployment web",
    ]
    assert seen.objects[-1] == f'CronJob timer-nightly "{MASK}"', "a schedule that is a variable's value"
    assert [note.partition(":")[0] for note in seen.notes] == ["nobody outside of the cluster reaches web"]
    w.policy = parse_policy(policy_of("promote", who="U02BOB"))
    with pytest.raises(Forbidden, match="^you may not view myapp"):
        await w.viewer.check(by(BOB), "myapp", made)


async def test_without_an_id_the_newest_that_can_be_promoted_is_checked(w: World):
    with pytest.raises(NotFound, match="^no release of myapp can be promoted$"):
        await w.viewer.check(by(ALICE), "myapp", None)
    empty = await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])
    with pytest.raises(NotFound, match=f"^no build for release: {empty.release.id}$"):
        await w.viewer.check(by(ALICE), "myapp", None)
    made = (await w.build()).release.id
    assert (await w.viewer.check(by(ALICE), "myapp", None)).release == made


async def test_what_cannot_be_promoted_is_refused_by_a_check_with_its_problems(w: World):
    made = await w.build(text=manifest() + "x-extra: ${EXTRA}\n")
    broken = await w.registrar.set_environment(by(ALICE), "myapp", [("EXTRA", "[")])
    assert (await w.viewer.check(by(ALICE), "myapp", made.release.id)).objects
    with pytest.raises(Invalid, match="line"):
        await w.viewer.check(by(ALICE), "myapp", broken.release.id)


async def test_a_release_is_compared_with_the_active_one_without_a_value(w: World):
    first = (await w.build()).release.id
    await w.promote(first)
    second = await furnished(w)
    newest = (await w.registrar.set_environment(by(ALICE), "myapp", [("PASSWORD", "other")])).release.id
    seen = await w.viewer.diff(by(ALICE), "myapp", newest, None)
    assert (seen.before, seen.after) == (first, newest)
    assert str(seen.diff.environment) == "add:PASSWORD"
    assert (
        str((await w.viewer.diff(by(ALICE), "myapp", newest, second)).diff.environment) == "change:PASSWORD"
    )
    assert "other" not in repr(seen)
    assert SECRET not in repr(seen)


async def test_without_an_active_release_there_is_nothing_to_compare_with(w: World):
    empty = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release
    release = (await w.build()).release.id
    with pytest.raises(NotFound, match="myapp has no active release to compare with"):
        await w.viewer.diff(by(ALICE), "myapp", release, None)
    assert (await w.viewer.diff(by(ALICE), "myapp", release, empty.id)).diff.builds[0] is None
    assert (await w.viewer.diff(by(ALICE), "myapp", empty.id, release)).diff.pruned == ()


async def test_the_active_release_is_found_where_it_is_further_down(w: World):
    good = await w.good()
    for value in "123":
        await w.registrar.set_environment(by(ALICE), "myapp", [("A", value)])
    seen = await w.viewer.releases(by(ALICE), "myapp", 2)
    assert (seen.active, seen.further_down.id, len(seen.releases)) == (good, good, 2)
    assert (await w.viewer.releases(by(ALICE), "myapp", 4)).further_down is None


async def test_every_release_on_hold_is_named_however_old_with_those_of_its_build(w: World):
    await w.good()
    built = (await w.build()).release
    sibling = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release
    w.cluster.behaves[sibling.id] = lambda _: broken()
    assert (await w.promote(sibling.id)).phase is Phase.REVERTED
    for value in "23":
        await w.registrar.set_environment(by(ALICE), "myapp", [("A", value)])
    seen = await w.viewer.releases(by(ALICE), "myapp", 1)
    assert [(each.id, each.held) for each in seen.held] == [(sibling.id, True), (built.id, False)]
    assert [each.id for each in seen.with_older] == [
        seen.releases[0].id, sibling.id, built.id, seen.active
    ]  # fmt: skip
    await w.promote(built.id, anyway="it was the variable")
    assert [each.id for each in (await w.viewer.releases(by(ALICE), "myapp", 1)).held] == [sibling.id]

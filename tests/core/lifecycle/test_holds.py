"""Which releases are on hold, what a new one forks from, and where a rollback goes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lifecycle.holds import FIRST_LOOK, fork_point, newest_promotable, rollback_candidate, why_held
from core.records.release import ReleaseEntry, ReleaseStatus
from core.sentence import Sentence
from tests.core.world import ALICE, World, by
from tests.fakes import START


def release(name: str, sequence: int = 1, build: str | None = "B1", **facts: Any) -> ReleaseEntry:
    return ReleaseEntry(
        id=name, app="myapp", sequence=sequence, build=build, description="", created_at=START, **facts
    )


def among(*releases: ReleaseEntry) -> list[ReleaseEntry]:
    """Return the releases with what each build's releases say of one another, as the store tells it."""

    def of(build: str | None) -> list[ReleaseEntry]:
        return [r for r in releases if build and r.build == build]

    return [
        replace(
            each,
            build_held=any(r.held for r in of(each.build)),
            build_verified=any(r.verified and not r.held for r in of(each.build)),
        )
        for each in releases
    ]


NEW, SAME_BUILD, OTHER_BUILD = release("R3", 3), release("R2", 2), release("R1", 1, "B0")


def first_of(*releases: ReleaseEntry) -> ReleaseEntry:
    return among(*releases)[0]


def test_a_release_that_nothing_happened_to_is_free():
    assert not first_of(NEW, SAME_BUILD, OTHER_BUILD).on_hold


def test_a_release_is_held_by_its_own_failure_even_if_its_build_was_good():
    assert first_of(replace(NEW, held=True), replace(SAME_BUILD, verified=True)).on_hold


def test_a_release_is_held_by_the_failure_of_its_build():
    assert first_of(NEW, replace(SAME_BUILD, held=True)).on_hold


def test_a_build_that_was_verified_once_holds_nothing():
    good = release("R0", 0, verified=True)
    assert not first_of(NEW, replace(SAME_BUILD, held=True), good).on_hold


def test_a_release_that_was_good_once_and_failed_since_speaks_for_no_build():
    assert first_of(NEW, replace(SAME_BUILD, held=True, verified=True)).on_hold


def test_the_failure_of_another_build_holds_nothing():
    assert not first_of(NEW, replace(OTHER_BUILD, held=True)).on_hold


def test_the_newest_release_is_taken_and_nothing_skipped():
    assert newest_promotable([NEW, SAME_BUILD]) == (NEW, None)


def test_the_copy_of_a_rollback_that_never_began_is_passed_over_in_silence():
    vain = release("R4", 4, "B0", copy_of="R1", withdrawn=True)
    assert newest_promotable([vain, NEW]) == (NEW, None)
    ran = replace(vain, verified=True)
    assert newest_promotable([ran, NEW]) == (ran, None)


def test_a_held_release_is_skipped_and_named():
    held, free = among(replace(NEW, held=True), replace(SAME_BUILD, verified=True))
    assert newest_promotable([held, free]) == (free, held)


def test_if_all_are_held_there_is_none_and_the_newest_is_named():
    held = among(replace(NEW, held=True), SAME_BUILD, replace(OTHER_BUILD, held=True))
    assert newest_promotable(held) == (None, held[0])


def test_of_no_releases_there_is_none_and_none_is_skipped():
    assert newest_promotable([]) == (None, None)


releases = st.lists(
    st.tuples(st.sampled_from([None, "B1", "B2"]), st.booleans(), st.booleans(), st.booleans()), max_size=6
).map(
    lambda found: among(*(
        release(f"R{9 - at}", 9 - at, build, verified=verified, held=held, withdrawn=withdrawn)
        for at, (build, verified, held, withdrawn) in enumerate(found)
    ))
)  # fmt: skip


@given(releases)
def test_what_is_taken_is_free_and_everything_newer_is_held(found: list[ReleaseEntry]):
    free, skipped = newest_promotable(found)
    newer = found[: found.index(free)] if free else found
    assert free is None or not free.on_hold
    assert all(r.on_hold for r in newer)
    assert skipped is (newer[0] if newer else None)


async def made(w: World, count: int) -> list[str]:
    """Return so many releases, newest first."""
    return [(await w.build()).release.id for _ in range(count)][::-1]


async def note(w: World, release: str, **status: Any) -> None:
    async with w.store.transaction() as tx:
        await tx.save_release_status(ReleaseStatus(release=release, **status))


async def test_why_a_release_is_on_hold_is_said_of_it_or_of_its_build(w: World):
    good = (await w.build()).release
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])
    await note(w, good.id, held=Sentence.of("it crashed"))

    async def why(release: str) -> str:
        return str(await why_held(w.store.read, await w.store.read.release_entry("myapp", release)))

    assert await why(good.id) == "it crashed"
    assert await why(made.release.id) == f"its build {good.build} was not good: it crashed"
    await note(w, made.release.id, verified_at=START)
    assert await why(made.release.id) == ""


@pytest.mark.parametrize("held", [0, 1, FIRST_LOOK, FIRST_LOOK + 1, 2 * FIRST_LOOK + 5])
async def test_the_free_release_is_found_however_many_on_hold_stand_before_it(w: World, held: int):
    ids = await made(w, held + 1)
    for each in ids[:held]:
        await note(w, each, held=Sentence.of("it crashed"))
    free, skipped = await fork_point(w.store.read, "myapp")
    assert free is not None
    assert free.id == ids[-1]
    assert (skipped.id if skipped else None) == (ids[0] if held else None)


async def test_of_an_app_without_releases_nothing_is_free(w: World):
    assert await fork_point(w.store.read, "myapp") == (None, None)


async def test_the_way_back_is_the_newest_release_that_was_good_and_may(w: World):
    newest, held, withdrawn, good, older = await made(w, 5)
    assert await rollback_candidate(w.store.read, "myapp", but={newest}) is None
    await note(w, newest, verified_at=START)
    await note(w, held, verified_at=START, held=Sentence.of("crashed since"))
    await note(w, withdrawn, verified_at=START, withdrawn=True)
    await note(w, good, verified_at=START)
    await note(w, older, verified_at=START)
    assert await rollback_candidate(w.store.read, "myapp", but=set()) == newest
    assert await rollback_candidate(w.store.read, "myapp", but={newest}) == good
    assert await rollback_candidate(w.store.read, "myapp", but={newest, good, "R-elsewhere"}) == older
    assert await rollback_candidate(w.store.read, "myapp", but={newest, good, older}) is None


async def test_a_person_who_stopped_a_change_of_variables_has_said_nothing_of_the_build(w: World):
    made = (await w.build()).release
    changed = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release
    await note(w, changed.id, held=Sentence.of("it was cancelled"), spares_build=True)
    entry, older = await w.store.read.release_entries("myapp", 2)
    assert (entry.made_by_build, older.made_by_build) == (False, True)
    assert str(await why_held(w.store.read, entry)) == "it was cancelled"
    assert not await why_held(w.store.read, older)
    await note(w, made.id, held=Sentence.of("it crashed"))
    assert (
        str(await why_held(w.store.read, await w.store.read.release_entry("myapp", made.id))) == "it crashed"
    )

"""Which releases are on hold, what a new one forks from, and where a rollback goes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.lifecycle.holds import newest_promotable, rollback_candidate, why_held
from core.records.environment import Environment
from core.records.release import Release, ReleaseStatus
from core.sentence import Sentence
from tests.core.world import ALICE
from tests.fakes import START


def release(name: str, sequence: int = 1, build: str | None = "B1") -> Release:
    return Release(
        id=name,
        app="myapp",
        sequence=sequence,
        build=build,
        environment=Environment(),
        description="",
        created_at=START,
        created_by=ALICE,
    )


def held(name: str) -> ReleaseStatus:
    return ReleaseStatus(release=name, held=Sentence.of(f"{name} crashed"))


def verified(name: str, **more: object) -> ReleaseStatus:
    return ReleaseStatus(release=name, verified_at=START, **more)  # type: ignore[arg-type]


def by_release(*statuses: ReleaseStatus) -> dict[str, ReleaseStatus]:
    return {status.release: status for status in statuses}


NEW, SAME_BUILD, OTHER_BUILD = release("R3", 3), release("R2", 2), release("R1", 1, "B0")
ALL = [NEW, SAME_BUILD, OTHER_BUILD]


def test_a_release_that_nothing_happened_to_is_free():
    assert not why_held(NEW, ALL, {})


def test_a_release_is_held_by_its_own_failure_even_if_its_build_was_good():
    assert str(why_held(NEW, ALL, by_release(held("R3"), verified("R2")))) == "R3 crashed"


def test_a_release_is_held_by_the_failure_of_its_build():
    assert str(why_held(NEW, ALL, by_release(held("R2")))) == "its build B1 was not good: R2 crashed"


def test_a_build_that_was_verified_once_holds_nothing():
    good = release("R0", 0)
    assert not why_held(NEW, [*ALL, good], by_release(held("R2"), verified("R0")))


def test_a_release_that_was_good_once_and_failed_since_speaks_for_no_build():
    failed = verified("R2", held=Sentence.of("R2 crashed"))
    assert str(why_held(NEW, ALL, by_release(failed))) == "its build B1 was not good: R2 crashed"


def test_the_failure_of_another_build_holds_nothing():
    assert not why_held(NEW, ALL, by_release(held("R1")))


def test_releases_without_a_build_hold_each_other_never():
    bare, other = release("R5", 5, None), release("R4", 4, None)
    assert not why_held(bare, [bare, other], by_release(held("R4")))


def test_the_newest_release_is_taken_and_nothing_skipped():
    assert newest_promotable(ALL, {}) == (NEW, None)


def test_the_copy_of_a_rollback_that_never_began_is_passed_over_in_silence():
    copy = replace(release("R4", 4, "B0"), copy_of="R1")
    vain = ReleaseStatus(release="R4", withdrawn=True)
    assert newest_promotable([copy, *ALL], by_release(vain)) == (NEW, None)
    assert newest_promotable([copy, *ALL], by_release(replace(vain, verified_at=START))) == (copy, None)


def test_a_held_release_is_skipped_and_named():
    assert newest_promotable(ALL, by_release(held("R3"), verified("R2"))) == (SAME_BUILD, NEW)


def test_if_all_are_held_there_is_none_and_the_newest_is_named():
    assert newest_promotable(ALL, by_release(held("R3"), held("R1"))) == (None, NEW)


def test_of_no_releases_there_is_none_and_none_is_skipped():
    assert newest_promotable([], {}) == (None, None)


def test_the_way_back_is_the_newest_verified_release():
    assert rollback_candidate(ALL, by_release(verified("R2"), verified("R1")), leaving="R3") == "R2"


def test_the_way_back_is_never_the_release_that_is_left():
    assert rollback_candidate(ALL, by_release(verified("R3"), verified("R1")), leaving="R3") == "R1"


def test_a_release_that_a_person_turned_away_from_is_no_way_back():
    statuses = by_release(verified("R2", withdrawn=True), verified("R1"))
    assert rollback_candidate(ALL, statuses, leaving="R3") == "R1"


def test_a_release_that_failed_later_is_no_way_back():
    statuses = by_release(verified("R2", held=Sentence.of("crashed since")), verified("R1"))
    assert rollback_candidate(ALL, statuses, leaving="R3") == "R1"


def test_without_a_verified_release_there_is_no_way_back():
    assert rollback_candidate(ALL, by_release(held("R2"), ReleaseStatus(release="R1")), leaving="R3") is None


releases = st.lists(st.sampled_from([None, "B1", "B2"]), max_size=6).map(
    lambda builds: [release(f"R{9 - at}", 9 - at, build) for at, build in enumerate(builds)]
)
states = st.fixed_dictionaries({}, optional={
    f"R{at}": st.builds(
        ReleaseStatus,
        release=st.just(f"R{at}"),
        verified_at=st.sampled_from([None, START]),
        held=st.sampled_from([None, Sentence.of("crashed")]),
        withdrawn=st.booleans(),
    )
    for at in range(4, 10)
})  # fmt: skip


@given(releases, states)
def test_what_is_taken_is_free_and_everything_newer_is_held(found, statuses):
    free, skipped = newest_promotable(found, statuses)
    newer = found[: found.index(free)] if free else found
    assert free is None or not why_held(free, found, statuses)
    assert all(why_held(r, found, statuses) for r in newer)
    assert skipped is (newer[0] if newer else None)


@given(releases, states, st.sampled_from(["R9", "R8", "R7"]))
def test_an_automatic_rollback_only_goes_where_it_was_good_and_may(found, statuses, leaving):
    target = rollback_candidate(found, statuses, leaving=leaving)
    candidates = [
        r.id
        for r in found
        if (s := statuses.get(r.id)) and s.verified_at and not s.withdrawn and not s.held and r.id != leaving
    ]
    assert target == next(iter(candidates), None)


def test_a_person_who_stopped_a_change_of_variables_has_said_nothing_of_the_build():
    stopped = replace(held("R3"), spares_build=True)
    assert str(why_held(NEW, ALL, by_release(stopped))) == "R3 crashed"
    assert not why_held(SAME_BUILD, ALL, by_release(stopped))
    assert why_held(SAME_BUILD, ALL, by_release(stopped, held("R2")))

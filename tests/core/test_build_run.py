"""What may follow what in a build that the cluster makes."""

from collections.abc import Callable

import pytest

from core.build_run import ENDED, TRANSITIONS, BuildEvent, BuildRequest, BuildRun
from core.errors import Conflict
from core.records.build import BuildStatus
from core.sentence import EMPTY_SENTENCE, Sentence
from tests.core.world import ALICE
from tests.fakes import START

REQUEST = BuildRequest(
    manifest="services: {}\n", source="S1", description="one", images={"db": "postgres:16"}
)
RUN = BuildRun(id="BABCDEFGHIJ", app="myapp", request=REQUEST, created_at=START, created_by=ALICE)
WAYS: dict[BuildEvent, Callable[[BuildRun], BuildRun]] = {
    BuildEvent.STARTED: lambda run: run.started(START),
    BuildEvent.COMPLETED: lambda run: run.completed("RABCDEFGHIJ", START),
    BuildEvent.FAILED: lambda run: run.failed(Sentence.of("it did"), START),
    BuildEvent.CANCELLED: lambda run: run.cancelled(EMPTY_SENTENCE, START),
}


def at(status: BuildStatus) -> BuildRun:
    run = RUN if status is BuildStatus.CREATED else RUN.started(START)
    ways = {
        BuildStatus.COMPLETE: BuildEvent.COMPLETED,
        BuildStatus.FAILED: BuildEvent.FAILED,
        BuildStatus.CANCELLED: BuildEvent.CANCELLED,
    }
    return WAYS[ways[status]](run) if status in ways else run


@pytest.mark.parametrize("status", BuildStatus)
@pytest.mark.parametrize("event", BuildEvent)
def test_a_build_moves_by_its_table_and_by_nothing_else(status: BuildStatus, event: BuildEvent):
    run = at(status)
    assert run.status is status
    assert run.ended is (status in ENDED)
    if (status, event) in TRANSITIONS:
        assert WAYS[event](run).status is TRANSITIONS[status, event]
    else:
        said = f"already ended: {status}" if status in ENDED else f"is {status}, so it cannot be {event}"
        with pytest.raises(Conflict, match=said):
            WAYS[event](run)


def test_from_everywhere_there_is_a_way_to_an_end_and_from_an_end_none():
    assert {after for (_, _), after in TRANSITIONS.items()} == set(BuildStatus) - {BuildStatus.CREATED}
    assert not {status for status, _ in TRANSITIONS} & ENDED
    for status in set(BuildStatus) - ENDED:
        assert {TRANSITIONS[status, BuildEvent.FAILED], TRANSITIONS[status, BuildEvent.CANCELLED]} <= ENDED


def test_a_list_shows_since_when_it_is_built_or_waits():
    assert (RUN.entry().status, RUN.entry().started_at, RUN.entry().ended_at) == ("created", START, None)
    done = at(BuildStatus.COMPLETE).entry()
    assert (done.status, done.release, done.ended_at) == ("complete", "RABCDEFGHIJ", START)
    assert (done.images, done.description) == ({"db": "postgres:16"}, "one")


def test_nothing_is_cloned_for_a_build_that_does_not_run():
    asked = BuildRequest(git_url="https://git.example/shop/web")
    for run in (RUN, at(BuildStatus.CANCELLED)):
        with pytest.raises(Conflict, match="so nothing is cloned for it"):
            run.cloned(asked)

"""What a bot that comes after tells again of what it finds: the same keys, so that the store drops them."""

from datetime import datetime

import pytest

from core.cluster.snapshot import Delta, Snapshot
from core.cluster.watching.lines import lines
from core.records.intent import Intent
from tests.core.cluster import things

NOTHING_BEFORE = Intent(namespace_uid="", objects=())
NOW = datetime.fromisoformat(things.NOW)


def told(replica_set: dict) -> list[tuple[str, str]]:
    """Return key and text of every line of a bot that has seen nothing yet."""
    _, said = lines(Snapshot(), [Delta("ReplicaSet", "ADDED", replica_set)], NOTHING_BEFORE, NOW)
    return [(line.key, line.text) for line in said]


def test_a_count_is_told_again_under_the_key_that_it_had():
    found = things.replica_set()
    assert told(found) == told(found) == [("scaled:rs1:up:2", "Scaled up replica set web-abc to 2")]


def test_a_replica_set_that_is_being_removed_is_not_told_as_scaled():
    going = things.replica_set()
    # As the API server stores a foreground deletion: the generation rises though no count has changed.
    going["metadata"] |= {"generation": 2, "deletionTimestamp": things.NOW}
    assert told(going) == []


def test_a_count_that_was_reached_in_two_steps_has_the_key_of_its_first_telling():
    """Up to 3 and back to 2 while nobody watched: the generation has risen, the line is the one already said."""
    found = things.replica_set()
    again = things.replica_set()
    again["metadata"] |= {"generation": 3}
    assert told(found) == told(again)


def test_a_burst_of_changes_is_taken_in_at_once_and_leaves_the_old_snapshot_alone(
    monkeypatch: pytest.MonkeyPatch,
):
    copies = 0
    plain = Snapshot.copy

    def counted(self: Snapshot) -> Snapshot:
        nonlocal copies
        copies += 1
        return plain(self)

    monkeypatch.setattr(Snapshot, "copy", counted)
    before = things.snapshot(Pod=[things.pod("a")])
    burst = [Delta("Pod", "ADDED", things.pod(str(number))) for number in range(50)]
    copies = 0
    after, _ = lines(before, [*burst, Delta("Pod", "DELETED", things.pod("a"))], NOTHING_BEFORE, NOW)
    assert copies == 1
    assert (len(before.all("Pod")), len(after.all("Pod"))) == (1, 50)

"""A slow reader gets the newest state of everything, and the buffer is no larger than the namespace."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.cluster.snapshot import Snapshot
from core.cluster.watching.delta_queue import DeltaQueue
from core.cluster.watching.reflector import WatchEvent


def pod(uid: str, version: int = 1) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": uid, "uid": uid, "resourceVersion": str(version)}}


def test_many_changes_of_one_object_are_one_with_its_newest_state():
    pending = DeltaQueue()
    for version in range(1, 100):
        pending.put("Pod", WatchEvent("ADDED" if version == 1 else "MODIFIED", pod("a", version)))
    (delta,) = pending.take()
    assert (delta.type, delta.object["metadata"]["resourceVersion"]) == ("ADDED", "99")
    assert pending.take() == []


def test_what_came_and_went_between_two_looks_is_still_told():
    pending = DeltaQueue()
    pending.put("Pod", WatchEvent("ADDED", pod("a")))
    pending.put("Pod", WatchEvent("DELETED", pod("a", 2)))
    assert [d.type for d in pending.take()] == ["DELETED"]


def test_objects_keep_the_order_in_which_they_first_changed():
    pending = DeltaQueue()
    for uid in "cabca":
        pending.put("Pod", WatchEvent("MODIFIED", pod(uid)))
    assert [d.object["metadata"]["uid"] for d in pending.take()] == ["c", "a", "b"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=40))
def test_looking_seldom_ends_in_the_same_snapshot_as_looking_always(moves: list[tuple[str, bool, bool]]):
    """Each move: an object is put or deleted, and a look is taken after it or not."""
    often, seldom = Snapshot(), Snapshot()
    pending, always = DeltaQueue(), DeltaQueue()
    alive: set[str] = set()
    for version, (uid, delete, look) in enumerate(moves):
        if delete and uid not in alive:
            continue
        kind: Any = "DELETED" if delete else "MODIFIED" if uid in alive else "ADDED"
        (alive.discard if delete else alive.add)(uid)
        for buffer in (pending, always):
            buffer.put("Pod", WatchEvent(kind, pod(uid, version)))
        for delta in always.take():
            often = often.after(delta)
        for delta in pending.take() if look else []:
            seldom = seldom.after(delta)
    for delta in pending.take():
        seldom = seldom.after(delta)
    assert {k: dict(v) for k, v in often.objects.items() if v} == {
        k: dict(v) for k, v in seldom.objects.items() if v
    }

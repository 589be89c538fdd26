"""The controllers' decisions and the server's pure parts, as tables of values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.playground.cluster.apply import apply
from bot.playground.cluster.controllers import progress, revisions
from bot.playground.cluster.controllers.replicas import available_in, first_to_go
from bot.playground.cluster.controllers.rolling import (
    ReplicaSetCounts,
    RolloutBounds,
    new_size,
    old_sizes,
    proportional_sizes,
    rollout_bounds,
)
from bot.playground.cluster.controllers.scheduler import choose_node
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.fields import decode, encode, fields_of
from bot.playground.cluster.managed_fields import ManagedFieldsEntry, write_managed_fields
from bot.playground.cluster.patch import merge_patch, strategic_merge_patch
from bot.playground.cluster.quantities import int_or_percent, quantity

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def rolling(replicas: int, surge: str | int, unavailable: str | int) -> dict:
    update = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": update}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (rolling(4, "25%", "25%"), (1, 1)),
        (rolling(2, "25%", "25%"), (1, 0)),
        (rolling(1, 0, "25%"), (0, 1)),
        (rolling(10, "100%", 0), (10, 0)),
        (rolling(3, 2, 1), (2, 1)),
        (rolling(0, "25%", "25%"), (0, 0)),
    ],
)
def test_percents_are_rounded_up_for_surge_and_down_for_unavailable(spec: dict, expected: tuple):
    room = rollout_bounds(spec)

    assert (room.surge, room.unavailable) == expected


def sized(name: str, spec: int, available: int = 0, most: int | None = None) -> ReplicaSetCounts:
    return ReplicaSetCounts(name=name, spec=spec, available=available, max_pods_before=most)


@pytest.mark.parametrize(
    ("room", "new", "old", "expected"),
    [
        (RolloutBounds(replicas=2, surge=1, unavailable=0), None, [], 2),
        (RolloutBounds(replicas=2, surge=1, unavailable=0), None, [sized("a", 2, 2)], 1),
        (RolloutBounds(replicas=2, surge=1, unavailable=0), sized("b", 1), [sized("a", 2, 2)], 1),
        (RolloutBounds(replicas=2, surge=1, unavailable=0), sized("b", 1, 1), [sized("a", 1, 1)], 2),
        (RolloutBounds(replicas=4, surge=0, unavailable=1), None, [sized("a", 4, 4)], 0),
        (RolloutBounds(replicas=4, surge=2, unavailable=0), None, [sized("a", 4, 4)], 2),
        (RolloutBounds(replicas=3, surge=1, unavailable=0), sized("b", 5), [], 3),
        # the count was lowered while it grew: what is too many goes, whatever the old ones still have
        (RolloutBounds(replicas=2, surge=1, unavailable=0), sized("b", 3, 3), [], 2),
        (RolloutBounds(replicas=2, surge=1, unavailable=0), sized("b", 3, 0), [sized("a", 3, 3)], 2),
    ],
)
def test_the_new_replica_set_grows_as_far_as_the_surge_allows_and_never_beyond_the_count(
    room, new, old, expected
):
    assert new_size(room, new, old) == expected


@pytest.mark.parametrize(
    ("room", "new", "old", "expected"),
    [
        # the new pod is not available yet: nothing may go
        (RolloutBounds(replicas=2, surge=1, unavailable=0), sized("b", 1, 0), [sized("a", 2, 2)], {}),
        (RolloutBounds(replicas=2, surge=1, unavailable=0), sized("b", 1, 1), [sized("a", 2, 2)], {"a": 1}),
        # one may be missing from the start
        (RolloutBounds(replicas=4, surge=0, unavailable=1), sized("b", 0, 0), [sized("a", 4, 4)], {"a": 3}),
        # what is not available anyway goes first
        (
            RolloutBounds(replicas=2, surge=1, unavailable=0),
            sized("c", 0, 0),
            [sized("a", 2, 2), sized("b", 1, 0)],
            {"b": 0},
        ),
        (RolloutBounds(replicas=1, surge=1, unavailable=0), sized("a", 1, 1), [sized("b", 1, 0)], {"b": 0}),
    ],
)
def test_old_replica_sets_shrink_as_far_as_availability_allows(room, new, old, expected):
    assert old_sizes(room, new, old) == expected


@pytest.mark.parametrize(
    ("room", "active", "expected"),
    [
        (RolloutBounds(replicas=8, surge=2, unavailable=2), [sized("b", 2, 0, 5), sized("a", 3, 3, 5)], {"b": 4, "a": 6}),
        (RolloutBounds(replicas=2, surge=1, unavailable=0), [sized("b", 4, 0, 10), sized("a", 6, 6, 10)], {"b": 1, "a": 2}),
        (RolloutBounds(replicas=0, surge=0, unavailable=0), [sized("b", 1, 0, 3), sized("a", 2, 2, 3)], {"b": 0, "a": 0}),
    ],
)  # fmt: skip
def test_a_new_count_is_spread_by_share(room, active, expected):
    assert proportional_sizes(room, active) == expected


def deployment(status: dict, replicas: int = 2, generation: int = 2) -> dict:
    spec = {**rolling(replicas, "25%", "25%"), "progressDeadlineSeconds": 10}
    return {"metadata": {"name": "web", "generation": generation}, "spec": spec, "status": status}


def said(reason: str, *, holds: bool = True, ago: int = 0) -> dict:
    return progress.condition(
        "Progressing", holds=holds, reason=reason, message="", now=NOW - timedelta(seconds=ago)
    )


BAD = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2}
GOOD = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("before", "after", "condition", "expected"),
    [
        ({}, {**GOOD}, said("ReplicaSetUpdated"), "NewReplicaSetAvailable"),
        ({**BAD, "updatedReplicas": 0}, BAD, said("NewReplicaSetCreated"), "ReplicaSetUpdated"),
        (BAD, BAD, said("ReplicaSetUpdated", ago=9), "ReplicaSetUpdated"),
        (BAD, BAD, said("ReplicaSetUpdated", ago=11), "ProgressDeadlineExceeded"),
        (BAD, BAD, said("ProgressDeadlineExceeded", holds=False), "ProgressDeadlineExceeded"),
        (BAD, {**BAD, "readyReplicas": 3}, said("ProgressDeadlineExceeded"), "ReplicaSetUpdated"),
        (GOOD, {**GOOD, "availableReplicas": 1}, said("NewReplicaSetAvailable"), "NewReplicaSetAvailable"),
    ],
)
def test_progress_is_said_in_the_real_controllers_words(before, after, condition, expected):
    status = {**after, "conditions": [condition]}

    spoken = progress.with_progress(deployment(before), None, status, NOW)

    assert progress.find_condition(spoken, "Progressing")["reason"] == expected


def test_a_second_new_replica_set_inherits_the_clock_of_the_first():
    old = said("NewReplicaSetCreated", ago=8)
    status = progress.put_condition({"conditions": [old]}, said("NewReplicaSetCreated"))

    assert status["conditions"] == [old]


@pytest.mark.parametrize(
    ("ready_ago", "min_ready", "expected"), [(None, 0, None), (3, 0, 0.0), (3, 10, 7.0), (12, 10, 0.0)]
)
def test_a_pod_is_available_once_it_was_ready_long_enough(ready_ago, min_ready, expected):
    conditions = []
    if ready_ago is not None:
        since = (NOW - timedelta(seconds=ready_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]

    assert available_in({"status": {"conditions": conditions}}, min_ready, NOW) == expected


def test_unbound_pending_and_unready_pods_are_deleted_first():
    def pod(name: str, node: str = "n", phase: str = "Running", ready: str = "True") -> dict:
        moment = "2026-11-24T08:00:00Z"
        condition = {"type": "Ready", "status": ready, "lastTransitionTime": moment}
        return {
            "metadata": {"name": name, "creationTimestamp": moment},
            "spec": {"nodeName": node},
            "status": {"phase": phase, "conditions": [condition]},
        }

    pods = [pod("ready"), pod("unready", ready="False"), pod("pending", phase="Pending", ready="False")]
    pods.append(pod("unbound", node="", phase="Pending", ready="False"))

    ordered = [each["metadata"]["name"] for each in sorted(pods, key=first_to_go)]
    assert ordered == ["unbound", "pending", "unready", "ready"]


def test_equal_templates_have_equal_hashes_and_others_do_not():
    one = {"spec": {"containers": [{"name": "a", "image": "x"}]}}
    other = {"spec": {"containers": [{"name": "a", "image": "y"}]}}

    assert revisions.template_hash(one) == revisions.template_hash({**one})
    assert revisions.template_hash(one) != revisions.template_hash(other)


def test_the_emptiest_node_that_fits_is_chosen():
    room = {"cpu": "1", "memory": "1Gi", "pods": "10"}
    nodes = [
        {"metadata": {"name": name}, "spec": {}, "status": {"allocatable": room}} for name in ("n1", "n2")
    ]
    wants = {"containers": [{"resources": {"requests": {"cpu": "600m"}}}]}
    taken: dict[str, Any] = {"spec": {**wants, "nodeName": "n1"}, "status": {"phase": "Running"}}

    assert choose_node({"spec": wants}, nodes, [taken]) == ("n2", "")
    both = [taken, {"spec": {**wants, "nodeName": "n2"}, "status": {}}]
    assert choose_node({"spec": wants}, nodes, both)[1].startswith(
        "0/2 nodes are available: 2 Insufficient cpu."
    )


@pytest.mark.parametrize(
    ("text", "value"), [("250m", "0.25"), ("64Mi", str(64 * 2**20)), ("1k", "1000"), (2, "2"), ("1.5Gi", "1610612736")]
)  # fmt: skip
def test_quantities_are_read(text, value):
    assert quantity(text) == quantity(value)


def test_shares_are_counts_or_percents():
    assert int_or_percent(3, 10, up=True) == 3
    assert int_or_percent("25%", 10, up=True) == 3
    assert int_or_percent("25%", 10, up=False) == 2


POD = {
    "metadata": {"labels": {"app": "web"}, "name": "x", "uid": "u"},
    "spec": {
        "containers": [{"name": "main", "image": "a", "env": [{"name": "A", "value": "1"}], "args": ["x"]}],
        "selector": {"matchLabels": {"a": "b"}},
    },
}


def test_fields_go_through_lists_by_key_and_treat_atomic_ones_as_one():
    container = ("f:spec", "f:containers", 'k:{"name":"main"}')
    assert fields_of(POD) == {
        ("f:metadata", "f:labels", "f:app"),
        (*container, "."),
        (*container, "f:name"),
        (*container, "f:image"),
        (*container, "f:args"),
        (*container, "f:env", 'k:{"name":"A"}', "."),
        (*container, "f:env", 'k:{"name":"A"}', "f:name"),
        (*container, "f:env", 'k:{"name":"A"}', "f:value"),
        ("f:spec", "f:selector"),
    }


def test_fields_survive_being_written_and_read():
    fields = fields_of(POD)

    assert decode(encode(fields)) == fields


def field_manager(name: str = "me", operation: str = "Apply") -> ManagedFieldsEntry:
    return ManagedFieldsEntry(
        manager=name, operation=operation, subresource="", version="v1", time="t", fields=frozenset()
    )


def applied_by(name: str, wanted: dict, live: dict | None = None, *, force: bool = False) -> dict:
    done = apply(live, wanted, field_manager(name), force=force)
    return write_managed_fields(done.document, done.entries)


def test_an_item_of_a_list_goes_with_its_only_owner_and_stays_with_another():
    one = applied_by("a", {"metadata": {}, "spec": {"env": [{"name": "A", "value": "1"}]}})
    two = applied_by("b", {"metadata": {}, "spec": {"env": [{"name": "B", "value": "2"}]}}, one)
    three = applied_by("a", {"metadata": {}, "spec": {}}, two)
    four = applied_by("b", {"metadata": {}, "spec": {}}, three)

    assert [each["name"] for each in two["spec"]["env"]] == ["B", "A"]
    assert three["spec"] == {"env": [{"name": "B", "value": "2"}]}
    assert four.get("spec", {}).get("env") is None


def test_an_applied_map_is_merged_with_what_others_put_into_it():
    one = applied_by("a", {"metadata": {"labels": {"a": "1"}}})
    two = applied_by("b", {"metadata": {"labels": {"b": "2"}}}, one)

    assert two["metadata"]["labels"] == {"a": "1", "b": "2"}
    with pytest.raises(ApiError, match=r'conflict with "a": \.metadata\.labels\.a'):
        applied_by("b", {"metadata": {"labels": {"a": "9"}}}, two)


def test_an_atomic_list_is_replaced_as_a_whole():
    one = applied_by("a", {"metadata": {}, "spec": {"args": ["x", "y"]}})
    two = applied_by("a", {"metadata": {}, "spec": {"args": ["z"]}}, one)

    assert two["spec"]["args"] == ["z"]


def test_a_merge_patch_replaces_lists_and_removes_nulls():
    assert merge_patch({"a": 1, "b": {"c": [1, 2]}}, {"a": None, "b": {"c": [3]}}) == {"b": {"c": [3]}}


def test_a_strategic_patch_merges_items_by_name_and_obeys_delete():
    before = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}
    patch = {"containers": [{"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}]}

    assert strategic_merge_patch(before, patch) == {"containers": [{"name": "a", "image": "2"}]}


def test_a_kubelets_status_patch_replaces_one_condition_of_many():
    before = {"status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Initialized"}]}}
    patch = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}

    assert strategic_merge_patch(before, patch)["status"]["conditions"] == [
        {"type": "Ready", "status": "True"},
        {"type": "Initialized"},
    ]

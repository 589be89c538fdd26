"""What an approval is bound to: every part counts, and what has changed is named."""

from dataclasses import replace

import pytest

from core.records.binding import Binding
from core.records.bundle import Ref

BOUND = Binding(bundle="00ff", active="RAAAAAAAAAA", prune=(Ref("Deployment", "worker"),), namespace="ns-1")


def test_what_is_the_same_has_no_changes():
    assert BOUND.changes(replace(BOUND)) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"bundle": "11ee"}, "the bundle of objects to be applied was 00ff and is 11ee"),
        ({"active": None}, "the active release was RAAAAAAAAAA and is none"),
        ({"namespace": "ns 2 active=x"}, "the namespace was ns-1 and is ns 2 active=x"),
        (
            {"prune": (Ref("Deployment", "worker"), Ref("Service", "worker"))},
            "it would remove as well: Service/worker",
        ),
        ({"prune": ()}, "it would no longer remove: Deployment/worker"),
    ],
)
def test_each_part_is_named_when_it_is_another_one(changed, told):
    assert BOUND.changes(replace(BOUND, **changed)) == [told]


def test_the_audit_has_it_in_one_line():
    assert str(BOUND) == "bundle=00ff active=RAAAAAAAAAA prune=Deployment/worker namespace=ns-1"


def test_what_goes_out_before_it_was_known_and_changes_nothing():
    bound = replace(BOUND, namespace=None, follows=("RBBBBBBBBBB", "RCCCCCCCCCC"))
    for active in ("RAAAAAAAAAA", "RBBBBBBBBBB", "RCCCCCCCCCC"):
        assert bound.changes(replace(BOUND, active=active)) == []
    told = "the active release was RAAAAAAAAAA and is RDDDDDDDDDD"
    assert bound.changes(replace(BOUND, active="RDDDDDDDDDD")) == [told]
    assert str(bound).endswith(" follows=RBBBBBBBBBB,RCCCCCCCCCC")


def test_a_namespace_that_is_another_one_is_named_whatever_went_out_before():
    bound = replace(BOUND, follows=("RBBBBBBBBBB",))
    assert bound.changes(replace(BOUND, namespace="ns-2")) == ["the namespace was ns-1 and is ns-2"]

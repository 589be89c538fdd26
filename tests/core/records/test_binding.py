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

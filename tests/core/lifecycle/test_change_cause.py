"""What stands on an object of its last promotion: what was done, and by whom."""

from dataclasses import replace

import pytest

from core.actor import Actor
from core.lifecycle.change_cause import change_cause
from tests.core.lifecycle.test_measuring import promotion


@pytest.mark.parametrize(
    ("fields", "release", "text"),
    [
        ({}, "R1", "convox-bot P1: promote of R1, requested by @alice"),
        ({"kind": "rollback"}, "R1", "convox-bot P1: rollback of R1, requested by @alice"),
        ({"restarts": ("web",)}, "R1", "convox-bot P1: restart of R1, requested by @alice"),
        ({"back_to": "R0"}, "R0", "convox-bot P1: R1 went back to R0, requested by @alice"),
        (
            {"requested_by": Actor("token", "ci")},
            "R1",
            "convox-bot P1: promote of R1, requested by token:ci",
        ),
    ],
)
def test_the_cause_is_told_in_a_line(fields, release, text):
    made = replace(promotion("Pending"), **fields)
    cause = change_cause(made, release)
    assert (cause.promotion, cause.text) == ("P1", text)
    assert cause.requested_by == made.requested_by.plain

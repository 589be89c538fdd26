"""Which row of the audit is which event, for whom, and for how long it is told again."""

from datetime import timedelta

import pytest

from core.lifecycle.outgoing import EVENT_TYPES, app_of_event, event_types, longest, pause_after
from core.records.outgoing_event import wants


@pytest.mark.parametrize(
    ("action", "detail", "types"),
    [
        ("build.create", {}, ("build.ended", "release.created")),
        ("env.set", {}, ("release.created",)),
        ("rollback.request", {}, ("promotion.requested",)),
        ("promotion.start", {}, ("promotion.started",)),
        ("promotion.applied", {"to": "Updating"}, ()),
        ("promotion.verified", {"to": "Running"}, ("promotion.settled",)),
        ("promotion.declined", {"to": "Declined"}, ("promotion.declined", "promotion.settled")),
        ("promotion.remind", {}, ()),
        ("token.create", {}, ()),
        ("env.reveal", {}, ()),
    ],
)
def test_a_row_of_the_audit_is_these_events(action, detail, types):
    assert event_types(action, detail) == types
    assert set(types) <= set(EVENT_TYPES)


def test_an_event_is_of_its_app_and_a_freeze_of_what_it_names():
    assert app_of_event("R1", {"app": "shop"}) == "shop"
    assert app_of_event("shop", {}) == "shop"
    assert app_of_event("*", {}) == "*"


def test_who_is_told_is_said_by_patterns_and_what_concerns_all_apps_concerns_theirs():
    assert wants(("shop-*",), ("promotion.*",), type_="promotion.started", app="shop-web")
    assert not wants(("shop-*",), ("promotion.*",), type_="promotion.started", app="blog")
    assert not wants(("shop-*",), ("promotion.*",), type_="freeze.set", app="shop-web")
    assert wants(("shop-*",), ("freeze.*",), type_="freeze.set", app="*")


def test_tries_become_rarer_and_end():
    assert [pause_after(n).total_seconds() for n in (1, 2, 3, 6, 7, 99)] == [5, 15, 60, 3600, 3600, 3600]
    assert longest("webhook") == timedelta(days=1)
    assert longest("kubernetes") < longest("github")

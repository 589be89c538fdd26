"""Where a card was refused, and for which of Slack's errors nothing starts."""

import pytest

from core.lifecycle.visibility import (
    CLOSED_WORKSPACE,
    ELSEWHERE,
    GIVEN_UP,
    closed_channels,
    refused_by,
    why_unseen,
)
from core.ports.outbox import Card


@pytest.mark.parametrize(
    ("card", "refused"),
    [
        (Card(subject="P", channel="C1"), None),
        (Card(subject="P", channel="C1", failed="is_archived"), ("C1", "is_archived")),
        (
            Card(subject="P", channel="U1", closed_channel="C1", closed_by="no_permission"),
            ("C1", "no_permission"),
        ),
        (
            Card(subject="P", channel="U1", closed_channel="C1", closed_by="is_archived", failed="x"),
            ("C1", "is_archived"),
        ),
        (Card(subject="P", channel="C1", failed=GIVEN_UP), None),
    ],
)
def test_a_card_is_refused_by_the_channel_where_it_was_meant_to_be(
    card: Card, refused: tuple[str, str] | None
):
    assert refused_by(card) == refused
    assert closed_channels(card) == ({"C1"} if refused else set())


@pytest.mark.parametrize("error", sorted(CLOSED_WORKSPACE))
def test_a_workspace_that_is_closed_keeps_no_release_back_but_the_rest_is_told_elsewhere(error: str):
    assert why_unseen(Card(subject="P", channel="C1", failed=error)) == ""
    assert error in ELSEWHERE


def test_a_channel_that_is_closed_keeps_a_release_back():
    assert "archived" in why_unseen(Card(subject="P", channel="C1", failed="is_archived"))
    assert why_unseen(None) == ""

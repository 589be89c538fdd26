"""Whose a delivery is: ours, another workspace's of our organisation, or a stranger's."""

import logging
from typing import Any

import pytest

from bot.slack.workspace import MOST_TOLD, WorkspaceFilter, WorkspaceId, sender_of

OURS, GRID = WorkspaceId("T1"), WorkspaceId("T1", "E1")


@pytest.mark.parametrize(
    ("body", "sender"),
    [
        ({"team_id": "T1", "enterprise_id": "E1", "command": "/convox"}, GRID),
        ({"team": {"id": "T1"}, "enterprise": None, "user": {"id": "U1", "team_id": "T2"}}, OURS),
        ({"team": {"id": "T1"}, "enterprise": {"id": "E1"}}, GRID),
        ({"team": None, "enterprise": {"id": "E1"}, "user": {"team_id": "T2"}}, WorkspaceId("", "E1")),
        ({"team": {"id": "T2"}, "view": {"team_id": "T2", "app_installed_team_id": "T1"}}, OURS),
        ({"team": {"id": "T1", "enterprise_id": "E1"}, "view": {}}, GRID),
        ({"team_id": "T2", "event": {}, "authorizations": [{"team_id": "T1", "enterprise_id": None}]}, OURS),
        ({"team_id": "T1", "event": {}, "authorizations": []}, OURS),
        ({}, WorkspaceId("")),
    ],
)
def test_each_kind_of_delivery_names_its_workspace_in_its_own_way(body: dict[str, Any], sender: WorkspaceId):
    assert sender_of(body) == sender


@pytest.mark.parametrize(
    ("home", "sender", "ours"),
    [
        (OURS, WorkspaceId("T1"), True),
        (OURS, WorkspaceId("T1", "E9"), True),  # it has joined an organisation since our start
        (OURS, WorkspaceId("T2"), False),
        (OURS, WorkspaceId(""), False),
        (GRID, WorkspaceId("T2", "E1"), True),
        (GRID, WorkspaceId("", "E1"), True),
        (GRID, WorkspaceId("T1"), True),
        (GRID, WorkspaceId("T1", "E2"), False),
        (GRID, WorkspaceId("T2"), False),
        (WorkspaceId("", "E1"), WorkspaceId(""), False),
    ],
)
def test_an_organisation_is_one_house_and_what_names_nobody_is_nobodys(
    home: WorkspaceId, sender: WorkspaceId, ours: bool
):
    assert home.includes(sender) is ours


def test_a_flood_of_strangers_is_a_few_lines_of_log(caplog: pytest.LogCaptureFixture):
    workspaces = WorkspaceFilter(lambda: OURS)
    with caplog.at_level(logging.ERROR):
        for number in range(1000):
            assert f"(T9{number % 50})" in workspaces.refusal({"team_id": f"T9{number % 50}"})
    assert len(caplog.records) == MOST_TOLD + 1
    assert caplog.messages[-1].endswith("more of them are not told any more")

"""What a program reads: Convox's names of fields, and beside them what convox-bot knows."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson

from bot.views.documents import (
    app_document,
    build_document,
    diff_document,
    environment_document,
    history_documents,
    live_document,
    release_document,
    release_documents,
)
from core.lifecycle.history import LiveSpan
from core.lifecycle.release_diff import ReleaseSide, release_diff
from core.promotion import Phase
from core.records.release import ReleaseEntry, ReleaseStatus
from core.sentence import Sentence
from tests.bot.views.samples import APP, BUILD, NEW, NOW, OLD, WAITING

ENTRY = ReleaseEntry(
    id="RABCDEFGHIJ",
    app="web",
    sequence=2,
    build="BABCDEFGHIJ",
    description="fix the cart",
    created_at=NOW,
    held=True,
)
ENDED = replace(WAITING, phase=Phase.RUNNING, settled_at=NOW)
SPAN = LiveSpan(release=ENDED.release, promotion=ENDED.id, since=NOW)


def as_read(document: Any) -> Any:
    """Return it as a program reads it: all of it must be JSON."""
    return orjson.loads(orjson.dumps(document))


def test_a_list_of_releases_says_of_each_whether_it_is_active_verified_and_on_hold():
    other = replace(ENTRY, id="RAAAAAAAAAA", build=None, held=False, verified=True)
    assert as_read(release_documents([ENTRY, other], "RAAAAAAAAAA")) == [
        {
            "id": "RABCDEFGHIJ",
            "app": "web",
            "status": "",
            "build": "BABCDEFGHIJ",
            "created": "2026-11-23T14:05:00Z",
            "description": "fix the cart",
            "verified": False,
            "hold": True,
        },
        {
            "id": "RAAAAAAAAAA",
            "app": "web",
            "status": "active",
            "build": "",
            "created": "2026-11-23T14:05:00Z",
            "description": "fix the cart",
            "verified": True,
            "hold": False,
        },
    ]


def test_one_release_says_why_it_is_on_hold_and_when_it_was_verified():
    status = ReleaseStatus(release=NEW.id, held=Sentence.of("it crashed"))
    masked = replace(NEW, environment=NEW.environment.masked())
    found = as_read(release_document(masked, status, ["a note"], active=False))

    assert (found["hold"], found["verified"], found["notes"]) == ("it crashed", None, ["a note"])
    assert found["env"] == "LOG=****\nADDED=****"
    verified = release_document(NEW, ReleaseStatus(release=NEW.id, verified_at=NOW), (), active=True)
    assert (verified["verified"], verified["hold"], verified["status"]) == (
        "2026-11-23T14:05:00Z",
        None,
        "active",
    )


def test_a_build_has_convox_fields_and_its_images():
    found = as_read(build_document(BUILD))
    assert {"id", "app", "status", "release", "started", "ended", "description", "git-sha"} <= found.keys()
    assert found["manifest"].startswith("services:")
    assert found["images"]["web"] == "registry.host/web:1"


def test_an_app_tells_what_rolls_out_there():
    flying = replace(WAITING, phase=Phase.UPDATING)
    assert as_read(app_document(APP, flying)) == {
        "name": "web",
        "status": "updating",
        "generation": "3",
        "locked": False,
        "release": "RAAAAAAAAAA",
        "promotion": "PABCDEFGHIJ",
    }
    idle = app_document(replace(APP, active_release=None, locked=True), None)
    assert (idle["status"], idle["release"], idle["promotion"]) == ("running", "", None)
    assert idle["locked"] is True


def test_variables_are_sorted_by_name():
    assert list(environment_document(NEW.environment)) == ["ADDED", "LOG"]


def test_history_tells_how_each_promotion_ended_and_from_when_it_was_live():
    ended, waiting = as_read(history_documents([ENDED, WAITING], [SPAN]))

    assert (ended["ending"], ended["phase"], ended["by"]) == ("OK", "Running", "@ana")
    assert ended["live"] == {
        "release": "RABCDEFGHIJ",
        "promotion": "PABCDEFGHIJ",
        "since": "2026-11-23T14:05:00Z",
        "until": None,
    }
    assert (waiting["ending"], waiting["phase"]) == (None, "AwaitingApproval")
    until = live_document(replace(SPAN, until=NOW + timedelta(hours=1)))
    assert until is not None
    assert until["until"] == "2026-11-23T15:05:00Z"
    assert live_document(None) is None


def test_a_difference_names_variables_and_holds_no_value():
    old = ReleaseSide(release=OLD, build=None, bundle=None)
    new = ReleaseSide(release=NEW, build=BUILD, bundle=None)
    found = as_read(diff_document(release_diff(old, new), OLD.id, NEW.id))

    assert found["env"] == {"added": ["ADDED"], "changed": ["LOG"], "removed": ["GONE"]}
    assert found["images"]["web"] == ["", "registry.host/web:1"]
    assert (found["before"], found["after"]) == (OLD.id, NEW.id)
    assert found["objects"] == {"added": [], "removed": [], "changed": {}}
    assert "debug" not in str(found)

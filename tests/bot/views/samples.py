"""Records for the tests of views, and the golden files that they are compared with."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.views.card import card
from core.actor import Actor
from core.policy.authorization import ApprovalRule, Rules
from core.ports.notices import Notice, NoticeKind
from core.promotion import Phase, Promotion
from core.records.app import App
from core.records.approval import Approval
from core.records.build import Build
from core.records.environment import Environment
from core.records.release import Release, ReleaseEntry
from core.sentence import Sentence

GOLDEN = Path(__file__).parent.parent / "golden"
NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
ANA = Actor("slack", "U01ANA", "ana")
BO = Actor("slack", "U02BO", "bo")
APP = App(name="web", created_at=NOW, created_by=ANA, active_release="RAAAAAAAAAA")
OLD = Release(
    id="RAAAAAAAAAA",
    app="web",
    sequence=1,
    build="BAAAAAAAAAA",
    environment=Environment((("LOG", "info"), ("GONE", "1"))),
    description="build 0000000000 first",
    created_at=NOW - timedelta(days=2),
    created_by=ANA,
)
NEW = replace(
    OLD,
    id="RABCDEFGHIJ",
    sequence=2,
    build="BABCDEFGHIJ",
    environment=Environment((("LOG", "debug"), ("ADDED", "2"))),
    description="build 0123456789 fix the cart",
    created_at=NOW - timedelta(minutes=9),
)
BUILD = Build(
    id="BABCDEFGHIJ",
    app="web",
    manifest="services:\n  web:\n    build: .\n",
    images={"web": "registry.host/web:1", "worker": "registry.host/worker@sha256:" + "a" * 64},
    description="fix the cart",
    release="RABCDEFGHIJ",
    started_at=NOW - timedelta(minutes=12),
    ended_at=NOW - timedelta(minutes=10),
    created_by=ANA,
)
RULES = Rules(promote=ApprovalRule(count=2, people=("U02BO", "group:S01DEVS")))
YES = Approval(promotion="PABCDEFGHIJ", actor=BO, decision="approve", at=NOW - timedelta(minutes=1))
WAITING = Promotion(
    id="PABCDEFGHIJ",
    app="web",
    release="RABCDEFGHIJ",
    phase=Phase.AWAITING_APPROVAL,
    requested_by=ANA,
    requested_at=NOW - timedelta(minutes=4),
    approvals_needed=2,
    expires_at=NOW + timedelta(hours=1),
    back_to="RAAAAAAAAAA",
    revision=3,
)


def card_of(promotion: Promotion, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "app": APP,
        "release": NEW,
        "build": BUILD,
        "approvals": [YES],
        "rules": RULES,
        "now": NOW,
        "previous": OLD,
    }
    return card(promotion, **(given | changes))


def golden(name: str, text: str) -> None:
    """Compare with a reviewed document; `UPDATE_GOLDEN=1` writes it anew, to be read in the diff."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n"


def listed(release: Release, **changes: Any) -> ReleaseEntry:
    """Return a release as lists are given it."""
    return ReleaseEntry(
        id=release.id,
        app=release.app,
        sequence=release.sequence,
        build=release.build,
        description=release.description,
        created_at=release.created_at,
        copy_of=release.copy_of,
        **changes,
    )


def notice_with(said: str | Sentence, kind: NoticeKind) -> Notice:
    """Return a notice of a kind that says this."""
    return Notice(
        id=1, channel="C01", said=Sentence.of("of interest: ", said), nonce="", tried_at=None, since=NOW, kind=kind,
        promotion="PABCDEFGHIJ", app="web", release="RABCDEFGHIJ", whom=("U02BO", "group:S01DEVS"),
    )  # fmt: skip

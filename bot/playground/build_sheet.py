"""Every state of a build's card, beside those of a promotion's on the sheet: without it nobody would see how the rare ones read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.views.build_card import BuildCardContext, build_card
from core.actor import Actor
from core.build_run import BuildRequest, BuildRun
from core.records.build import BuildEntry, BuildStatus
from core.sentence import Sentence

_ALICE, _BOB = Actor("slack", "U01ALICE", "alice"), Actor("slack", "U02BOB", "bob")
_REPOSITORY = "https://github.com/example/store"
_CAUSE = 'process "/bin/sh -c make" did not complete successfully: exit code: 2'
_IMAGES = {
    name: f"registry.example/store:{name}.BABCDEFGHIJ@sha256:{digit * 64}"
    for name, digit in (("web", "a"), ("worker", "b"))
}


def build_sheet(now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a title and the payload of each state, in the order in which a build may come to it."""
    for title, run, ahead in _states(now):
        made = _IMAGES if run.status is BuildStatus.COMPLETE else {}
        context = BuildCardContext(run=run, ahead=ahead, images=made, old_build=_old(now))
        yield {"title": title, **build_card(context)}


def _states(now: datetime) -> Iterator[tuple[str, BuildRun, int]]:
    request = BuildRequest(
        git_url=f"{_REPOSITORY}.git",
        git_ref="main",
        git_sha="9f3c2a1" + "0" * 33,
        repository=_REPOSITORY,
        description="fix the cart",
        author="Alice Example",
        compare=f"{_REPOSITORY}/compare/4be1d20...9f3c2a1",
    )
    asked = now - timedelta(minutes=5)
    queued = BuildRun(id="BABCDEFGHIJ", app="store", request=request, created_at=asked, created_by=_ALICE)
    yield "A build waits for its turn", queued, 2
    runs = replace(queued, status=BuildStatus.RUNNING, started_at=now - timedelta(minutes=4))
    yield (
        "A build that the cluster has no room for",
        replace(runs, waits="no node takes its pod: 0/3 nodes are available"),
        0,
    )
    yield "A build runs", runs, 0
    ended = replace(runs, ended_at=now)
    yield "A build is complete", replace(ended, status=BuildStatus.COMPLETE, release="RABCDEFGHIJ"), 0
    yield "A build has failed", replace(ended, status=BuildStatus.FAILED, reason=Sentence.of(_CAUSE)), 0
    stopped = Sentence.of("cancelled by ", _BOB)
    yield "A build is cancelled", replace(ended, status=BuildStatus.CANCELLED, reason=stopped), 0


def _old(now: datetime) -> BuildEntry:
    """Return the build that the app runs, with whose commit the new one is compared."""
    return BuildEntry(
        id="BZYXWVUTSRQ",
        app="store",
        git_sha="4be1d20" + "0" * 33,
        repository=_REPOSITORY,
        release="RZYXWVUTSRQ",
        started_at=now,
        ended_at=now,
        created_by=_ALICE,
    )

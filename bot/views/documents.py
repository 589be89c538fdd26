"""What `do … -o json` prints: records as JSON, with the field names of Convox's API and what convox-bot knows beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.views.apps import GENERATION, app_status
from bot.views.times import stamp
from core.lifecycle.history import LiveSpan
from core.lifecycle.outcome import ending
from core.lifecycle.release_diff import ReleaseDiff
from core.promotion import Promotion
from core.records.app import App
from core.records.build import Build, BuildEntry
from core.records.environment import Environment
from core.records.git_account import GitAccount
from core.records.registry_account import RegistryAccount
from core.records.release import Release, ReleaseEntry, ReleaseStatus
from core.usecases.viewer import CheckedRelease

Document = dict[str, Any]


def release_documents(releases: Sequence[ReleaseEntry], active: str | None) -> list[Document]:
    """Return what `releases` lists; `hold` and `verified` are said of each."""
    return [
        {
            **_release(release, active == release.id),
            "verified": release.verified,
            "hold": release.on_hold,
        }
        for release in releases
    ]


def release_document(
    release: Release, status: ReleaseStatus, notes: Sequence[str], *, active: bool
) -> Document:
    """Return what `releases info` says; `hold` is why it may not simply be promoted, or null."""
    return {
        **_release(release, active),
        "env": "\n".join(release.environment.lines),
        "verified": _time(status.verified_at),
        "hold": str(status.held) if status.held else None,
        "withdrawn": status.withdrawn,
        "notes": list(notes),
    }


def _release(release: Release | ReleaseEntry, active: bool) -> Document:
    return {
        "id": release.id,
        "app": release.app,
        "status": "active" if active else "",
        "build": release.build or "",
        "created": stamp(release.created_at),
        "description": release.description,
    }


def build_document(build: BuildEntry) -> Document:
    """Return a build as lists and `builds info` say it; with its manifest where that is known."""
    return {
        "id": build.id,
        "app": build.app,
        "status": build.status.value,
        "release": build.release,
        "started": stamp(build.started_at),
        "ended": stamp(build.ended_at) if build.ended_at else "",
        "description": build.description,
        "git-sha": build.git_sha,
        "repository": build.repository,
        "images": dict(build.images),
        **({"manifest": build.manifest} if isinstance(build, Build) else {}),
    }


def account_documents(accounts: Sequence[RegistryAccount | GitAccount]) -> list[Document]:
    """Return what `registries` and `git` list; passwords and tokens are told nobody."""
    return [
        {"server": each.host, "username": each.user, "created": stamp(each.created_at)} for each in accounts
    ]


def app_document(app: App, in_flight: Promotion | None) -> Document:
    """Return an app; `promotion` is what rolls out there now."""
    return {
        "name": app.name,
        "status": app_status(in_flight),
        "generation": GENERATION,
        "locked": app.locked,
        "release": app.active_release or "",
        "promotion": in_flight.id if in_flight else None,
    }


def environment_document(environment: Environment) -> Document:
    """Return the variables by name, each value as the command shows it."""
    return dict(sorted(environment.pairs))


def history_documents(promotions: Sequence[Promotion], spans: Sequence[LiveSpan]) -> list[Document]:
    """Return what `releases history` lists; `live` is from when to when the release was the active one."""
    live = {(span.promotion, span.release): span for span in spans}
    return [
        {
            "id": each.id,
            "release": each.release,
            "kind": each.kind,
            "by": each.requested_by.plain,
            "requested": stamp(each.requested_at),
            "phase": str(each.phase),
            "ending": str(ending(each)) if each.settled else None,
            "live": live_document(live.get((each.id, each.release))),
        }
        for each in promotions
    ]


def live_document(span: LiveSpan | None) -> Document | None:
    """Return what was live, from when to when; null where nothing was."""
    if span is None:
        return None
    return {
        "release": span.release,
        "promotion": span.promotion,
        "since": stamp(span.since),
        "until": _time(span.until),
    }


def checked_document(seen: CheckedRelease) -> Document:
    """Return what `check` says of a release: as `convox-bot check` does of a file, which may have problems too."""
    return {
        "release": seen.release,
        "objects": list(seen.objects),
        "notes": list(seen.notes),
        "problems": [],
    }


def diff_document(diff: ReleaseDiff, before: str, after: str) -> Document:
    """Return what `releases diff` says; no value of a variable is in it."""
    return {
        "before": before,
        "after": after,
        "builds": list(diff.builds),
        "commits": list(diff.shas),
        "compare": diff.page.url if diff.page else None,
        "images": {name: list(images) for name, images in diff.images.items()},
        "env": {key: list(names) for key, names in asdict(diff.environment).items()},
        "manifest": list(diff.manifest),
        "objects": {
            "added": [str(ref) for ref in diff.added],
            "removed": [str(ref) for ref in diff.removed],
            "changed": _changed(diff.changed),
        },
        "pruned": [str(ref) for ref in diff.pruned],
    }


def _changed(changed: Mapping[Any, Sequence[str]]) -> Document:
    return {str(ref): list(fields) for ref, fields in changed.items()}


def _time(at: datetime | None) -> str | None:
    return stamp(at) if at else None

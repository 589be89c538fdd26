"""Releases as Convox lists and shows them."""

from collections.abc import Sequence
from datetime import datetime

from bot.views.tables import facts, table
from bot.views.times import humanise, stamp
from core.records.build import Build
from core.records.release import Release, ReleaseEntry, ReleaseStatus
from core.sentence import Sentence


def release_list(releases: Sequence[Release | ReleaseEntry], active: str | None, now: datetime) -> str:
    """Return the table of `releases`; the app's active release is marked, nothing else has a status."""
    return table(
        ("ID", "STATUS", "BUILD", "CREATED", "DESCRIPTION"),
        [
            (
                release.id,
                "active" if release.id == active else "",
                release.build or "",
                humanise(release.created_at, now),
                release.description,
            )
            for release in releases
        ],
    )


def release_info(release: Release) -> str:
    """Return the facts of `releases info`, the environment in stored order."""
    return facts(
        [
            ("Id", release.id),
            ("Build", release.build or ""),
            ("Created", stamp(release.created_at)),
            ("Description", release.description),
            ("Env", "\n".join(release.environment.lines)),
        ]
    )


def release_manifest(build: Build) -> str:
    """Return the convox.yml of a release's build."""
    return build.manifest.strip()


def held_note(releases: Sequence[ReleaseEntry]) -> str:
    """Return the hint under a list that holds releases which may not simply be promoted, or ""."""
    held = [release.id for release in releases if release.held]
    if not held:
        return ""
    shown = ", ".join(held[:5]) + (f" and {len(held) - 5} more" if len(held) > 5 else "")
    return f'on hold: {shown}; promoting one of them needs --anyway "reason"'


def status_note(status: ReleaseStatus, *, active: bool) -> Sentence:
    """Return the hint under one release: what happened to it since it was made."""
    if status.held:
        return Sentence.of("on hold: ", status.held, '; promoting it needs --anyway "reason"')
    verified = f"verified {stamp(status.verified_at)}" if status.verified_at else "never verified"
    withdrawn = ", withdrawn: no automatic rollback goes to it" if status.withdrawn else ""
    return Sentence.of("active, " if active else "", verified, withdrawn)

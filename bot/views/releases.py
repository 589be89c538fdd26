"""Releases as Convox lists and shows them."""

from collections.abc import Sequence
from datetime import datetime

from bot.views.tables import Table, facts, passage, table
from bot.views.times import humanise, stamp
from core.records.build import Build
from core.records.release import Release, ReleaseEntry, ReleaseStatus
from core.sentence import Sentence
from core.usecases.viewer import CheckedRelease

# Of an app that has not had a verified release; Convox leaves the place empty.
NO_RELEASE = "no release yet"
# Named under a list; whoever has more on hold looks at the newest.
MOST_HELD = 20


def release_list(
    releases: Sequence[Release | ReleaseEntry],
    active: str | None,
    now: datetime,
    *,
    further_down: ReleaseEntry | None = None,
) -> Table:
    """Return the table of `releases`; the app's active release is marked, nothing else has a status.

    Args:
        releases: newest first.
        active: the active release's id.
        now: this moment.
        further_down: the active release, where it is none of these: it stands below them.
    """
    rows = [_row(release, active, now) for release in releases]
    if further_down is not None:
        rows += [("…", "", "", "", ""), _row(further_down, active, now)]
    header = ("ID", "STATUS", "BUILD", "CREATED", "DESCRIPTION")
    return table(header, rows, essential=("ID", "STATUS", "DESCRIPTION"))


def _row(release: Release | ReleaseEntry, active: str | None, now: datetime) -> tuple[str, ...]:
    return (
        release.id,
        "active" if release.id == active else "",
        release.build or "",
        humanise(release.created_at, now),
        release.description,
    )


def release_info(release: Release, text: str = "") -> str:
    """Return the facts of `releases info`, the environment in stored order.

    Args:
        release: the release.
        text: what it was described with, where that is longer than its description.
    """
    return facts(
        [
            ("Id", release.id),
            ("Build", release.build or ""),
            ("Created", stamp(release.created_at)),
            ("Description", passage(text or release.description)),
            ("Env", "\n".join(release.environment.lines)),
        ]
    )


def release_manifest(build: Build) -> str:
    """Return the convox.yml of a release's build."""
    return build.manifest.strip()


def checked_release(seen: CheckedRelease) -> str:
    """Return what a release would be, a line for each object."""
    return "\n".join([f"Release: {seen.release}", *seen.objects])


def below_list(held: Sequence[ReleaseEntry], active: str | None) -> str:
    """Return what stands under the table: that nothing is active yet, and every release that may not simply be promoted.

    Args:
        held: releases on hold, newest first, those held because of their build included.
        active: the active release's id.
    """
    shown = ", ".join(
        release.id if release.held else f"{release.id} (with its build {release.build})"
        for release in held[:MOST_HELD]
    )
    more = " and older ones" if len(held) > MOST_HELD else ""
    on_hold = (
        f"on hold: {shown}{more}; promoting one of them needs a reason, which --ask asks for" if held else ""
    )
    return "\n".join(part for part in ("" if active else NO_RELEASE, on_hold) if part)


def unproved_note(releases: Sequence[ReleaseEntry], active: str | None) -> str:
    """Return the hint under a list whose active release nothing has proved, or "" (engine rule 35)."""
    found = next((r for r in releases if r.id == active and not r.verified and not r.held), None)
    return f"{found.id} is active and was never verified: nothing of it ran" if found else ""


def status_note(status: ReleaseStatus, *, active: bool) -> Sentence:
    """Return the hint under one release: what happened to it since it was made."""
    if status.held:
        return Sentence.of("on hold: ", status.held, "; promoting it needs a reason, which --ask asks for")
    verified = f"verified {stamp(status.verified_at)}" if status.verified_at else "never verified"
    withdrawn = ", withdrawn: no automatic rollback goes to it" if status.withdrawn else ""
    return Sentence.of("active, " if active else "", verified, withdrawn)

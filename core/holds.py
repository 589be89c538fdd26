"""Which releases are on hold, which one a new one forks from, and which one a rollback goes back to."""

from collections.abc import Mapping, Sequence

from core.release import Release, Standing


def why_held(release: Release, releases: Sequence[Release], standings: Mapping[str, Standing]) -> str:
    """Return why promoting the release needs `--anyway`, or "" (engine rule 7).

    A release is held by its own failed promotion, and by that of another release of the same build unless some
    release of that build was verified.
    """
    own = standings.get(release.id)
    if own and own.held:
        return own.held
    if release.build is None:
        return ""
    siblings = [s for r in releases if r.build == release.build and (s := standings.get(r.id))]
    if any(s.verified_at for s in siblings):
        return ""
    return next((f"its build {release.build} was not good: {s.held}" for s in siblings if s.held), "")


def newest_free(
    releases: Sequence[Release], standings: Mapping[str, Standing]
) -> tuple[Release | None, Release | None]:
    """Return the newest release that is not on hold, and the newest of all if that one is and was skipped.

    Args:
        releases: every release of the app, newest first.
        standings: by release id.
    """
    free = next((r for r in releases if not why_held(r, releases, standings)), None)
    skipped = releases[0] if releases and releases[0] is not free else None
    return free, skipped


def way_back(releases: Sequence[Release], standings: Mapping[str, Standing], *, leaving: str) -> str | None:
    """Return the newest verified release that is neither withdrawn nor on hold (engine rule 4).

    Args:
        releases: every release of the app, newest first.
        standings: by release id.
        leaving: the release being promoted; going back to it would change nothing.
    """
    for release in releases:
        standing = standings.get(release.id)
        good = standing and standing.verified_at and not standing.withdrawn and not standing.held
        if good and release.id != leaving:
            return release.id
    return None

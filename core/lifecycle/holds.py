"""Which releases are on hold, which one a new one forks from, and which one a rollback goes back to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.ports.store import Transaction
from core.promotion import Promotion
from core.records.release import Release, ReleaseStatus
from core.sentence import EMPTY_SENTENCE, Sentence


def why_held(
    release: Release, releases: Sequence[Release], statuses: Mapping[str, ReleaseStatus]
) -> Sentence:
    """Return why promoting the release needs `--anyway`, or nothing (engine rule 7).

    A release is held by its own failed promotion, and by that of another release of the same build unless a third
    one of that build was verified. A person who stopped a change of variables has said nothing of the build.
    """
    own = statuses.get(release.id)
    if own and own.held:
        return own.held
    if release.build is None:
        return EMPTY_SENTENCE
    siblings = [s for r in releases if r.build == release.build and (s := statuses.get(r.id))]
    if any(s.verified_at and not s.held for s in siblings):
        return EMPTY_SENTENCE
    held = next((s.held for s in siblings if s.held and not s.spares_build), None)
    return Sentence.of(f"its build {release.build} was not good: ", held) if held else EMPTY_SENTENCE


def newest_promotable(
    releases: Sequence[Release], statuses: Mapping[str, ReleaseStatus]
) -> tuple[Release | None, Release | None]:
    """Return the newest release that is not on hold, and the newest of all if that one is and was skipped.

    The copy that a rollback made and that never ran is passed over in silence: nobody has to know of it, and what
    comes next must not bring the old build back.

    Args:
        releases: every release of the app, newest first.
        statuses: by release id.
    """
    made = [r for r in releases if not _vain(r, statuses)]
    free = next((r for r in made if not why_held(r, releases, statuses)), None)
    skipped = made[0] if made and made[0] is not free else None
    return free, skipped


def _vain(release: Release, statuses: Mapping[str, ReleaseStatus]) -> bool:
    status = statuses.get(release.id)
    return bool(release.copy_of and status and status.withdrawn and not status.verified_at)


def rollback_candidate(
    releases: Sequence[Release], statuses: Mapping[str, ReleaseStatus], *, leaving: str
) -> str | None:
    """Return the newest verified release that is neither withdrawn nor on hold (engine rule 4).

    Args:
        releases: every release of the app, newest first.
        statuses: by release id.
        leaving: the release being promoted; going back to it would change nothing.
    """
    for release in releases:
        status = statuses.get(release.id)
        good = status and status.verified_at and not status.withdrawn and not status.held
        if good and release.id != leaving:
            return release.id
    return None


async def hold(tx: Transaction, promotion: Promotion) -> None:
    """Put the release of a promotion that failed or was stopped on hold (engine rule 7)."""
    release = await tx.release(promotion.app, promotion.release)
    build = await tx.build(promotion.app, release.build) if release.build else None
    spares = promotion.cancelled_by is not None and build is not None and build.release != release.id
    status = await tx.release_status(release.id)
    await tx.save_release_status(replace(status, held=failure_hold(promotion), spares_build=spares))


def failure_hold(promotion: Promotion) -> Sentence:
    """Return why the release of a promotion that failed or was stopped is on hold from now on."""
    if promotion.cancelled_by:
        return Sentence.of("its rollout was cancelled by ", promotion.cancelled_by)
    cause = Sentence.of(": ", promotion.cause) if promotion.cause else ""
    return Sentence.of("its rollout failed", cause)

"""Which releases are on hold, which one a new one forks from, and which one a rollback goes back to."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from core.ports.store import StoreReader, Transaction
from core.promotion import Promotion
from core.records.release import ReleaseEntry
from core.sentence import EMPTY_SENTENCE, Sentence

# Releases that are looked at first for one that is free; of most apps it is the newest.
FIRST_LOOK = 20


async def why_held(read: StoreReader, release: ReleaseEntry) -> Sentence:
    """Return why promoting the release needs `--anyway`, or nothing (engine rule 7)."""
    if not release.on_hold:
        return EMPTY_SENTENCE
    if release.held:
        return (await read.release_status(release.id)).held or EMPTY_SENTENCE
    assert release.build is not None, "only a build holds its other releases"
    return Sentence.of(f"its build {release.build} was not good: ", await read.why_build_held(release.build))


async def fork_point(read: StoreReader, app: str) -> tuple[ReleaseEntry | None, ReleaseEntry | None]:
    """Return what `newest_promotable` does of all releases of an app; no more are read than stand before the free one."""
    seen: list[ReleaseEntry] = []
    while True:
        limit = max(FIRST_LOOK, len(seen))
        more = await read.release_entries(app, limit, below=seen[-1].sequence if seen else None)
        seen += more
        free, skipped = newest_promotable(seen)
        if free is not None or len(more) < limit:
            return free, skipped


def newest_promotable(releases: Sequence[ReleaseEntry]) -> tuple[ReleaseEntry | None, ReleaseEntry | None]:
    """Return the newest release that is not on hold, and the newest of all if that one is and was skipped.

    The copy that a rollback made and that never ran is passed over in silence: nobody has to know of it, and what
    comes next must not bring the old build back.

    Args:
        releases: of one app, newest first.
    """
    made = [r for r in releases if not r.in_vain]
    free = next((r for r in made if not r.on_hold), None)
    skipped = made[0] if made and made[0] is not free else None
    return free, skipped


async def rollback_candidate(read: StoreReader, app: str, *, but: AbstractSet[str]) -> str | None:
    """Return the newest verified release that is neither withdrawn nor on hold (engine rule 4).

    Args:
        read: the records.
        app: whose.
        but: where it does not go: the release that is left, for one, since going back to it would change nothing.
    """
    candidates = await read.ways_back(app, len(but) + 1)
    return next((release for release in candidates if release not in but), None)


async def hold(tx: Transaction, promotion: Promotion) -> None:
    """Put the release of a promotion that failed or was stopped on hold (engine rule 7)."""
    release = await tx.release_entry(promotion.app, promotion.release)
    spares = promotion.cancelled_by is not None and release.build is not None and not release.made_by_build
    status = await tx.release_status(release.id)
    await tx.save_release_status(replace(status, held=failure_hold(promotion), spares_build=spares))


def failure_hold(promotion: Promotion) -> Sentence:
    """Return why the release of a promotion that failed or was stopped is on hold from now on."""
    if promotion.cancelled_by:
        return Sentence.of("its rollout was cancelled by ", promotion.cancelled_by)
    cause = Sentence.of(": ", promotion.cause) if promotion.cause else ""
    return Sentence.of("its rollout failed", cause)

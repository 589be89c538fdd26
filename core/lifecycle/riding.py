"""What goes out with a release although nobody asked for it: changes since the active release that were never promoted.

A release is made from the newest one, promoted or not, as in Convox. Without this a build that somebody left lying goes live with
the next change of a variable, and nobody is told.
"""

from collections.abc import Mapping, Sequence

from core.actor import Actor
from core.ports.store import StoreReader
from core.records.build import BuildEntry
from core.records.environment import Environment, difference
from core.records.release import Release, ReleaseEntry
from core.sentence import Sentence

# Releases between the active one and the one that is promoted; of most promotions there is none or one.
MOST_LOOKED_AT = 50


async def riding_along(
    read: StoreReader, active: ReleaseEntry | None, target: Release
) -> tuple[Sentence, ...]:
    """Return what rides along with a release, one sentence for each; nothing with an app's first.

    It reads environments, so nobody calls it in a transaction.
    """
    if active is None or target.copy_of is not None or target.sequence <= active.sequence:
        return ()
    newer = await read.release_entries(
        target.app, MOST_LOOKED_AT + 1, below=target.sequence, above=active.sequence
    )
    left = [entry for entry in newer if not (entry.verified or entry.on_hold or entry.in_vain)]
    between = [await read.release(entry.app, entry.id) for entry in reversed(left[:MOST_LOOKED_AT])]
    found = []
    if (built := _build_of(left, target)) and target.build != active.build:
        by = (await read.build_entry(target.app, built)).created_by
        found.append(Sentence.of(f"also: build {built} by ", by, ", never promoted"))
    before = (await read.release(active.app, active.id)).environment
    found += environment_changes(before, between, target)
    if len(newer) > MOST_LOOKED_AT:
        found.append(
            Sentence.of(f"also: perhaps more, since more than {MOST_LOOKED_AT} releases were never promoted")
        )
    return tuple(found)


async def authors_of(
    read: StoreReader, active: ReleaseEntry | None, target: Release, build: BuildEntry
) -> tuple[Actor, ...]:
    """Return who made what is new with a release: its build, and the changes of variables since the active one (engine rule 41).

    It reads environments, so nobody calls it in a transaction.
    """
    found = {build.created_by} if active is None or active.build != build.id else set()
    before = (await read.release(active.app, active.id)).environment if active else Environment()
    after = dict(target.environment.pairs)
    changed = difference(before, target.environment)
    keys = {*changed.added, *changed.changed, *changed.removed}
    between: list[Release] = []
    if active is not None and target.copy_of is None and keys:
        newer = await read.release_entries(
            target.app, MOST_LOOKED_AT, below=target.sequence, above=active.sequence
        )
        between = [await read.release(entry.app, entry.id) for entry in reversed(newer)]
    for key in keys:
        # A copy that goes back has been made by whoever asks, who is excluded as such.
        found.add((_origin(key, between, after) or target).created_by)
    return tuple(sorted((each for each in found if each.kind == "slack"), key=lambda each: each.id))


def _build_of(left: Sequence[ReleaseEntry], target: Release) -> str | None:
    """Return the build of the target, where it came with another release than the target itself."""
    return next((entry.build for entry in left if entry.made_by_build and entry.build == target.build), None)


def environment_changes(before: Environment, between: Sequence[Release], target: Release) -> list[Sentence]:
    """Return the changes of variables that others than the target have made, oldest first.

    A change is that of the first release which has what the target has.

    Args:
        before: the active release's.
        between: releases since then, oldest first.
        target: what is promoted.
    """
    changes = difference(before, target.environment)
    kinds = {"add": changes.added, "change": changes.changed, "remove": changes.removed}
    authors: dict[str, tuple[Actor, list[str]]] = {}
    for kind, keys in kinds.items():
        for key in keys:
            if origin := _origin(key, between, dict(target.environment.pairs)):
                authors.setdefault(origin.id, (origin.created_by, []))[1].append(f"{kind}:{key}")
    return [
        Sentence.of(
            f"also: env {' '.join(authors[each.id][1])} of {each.id} by ",
            authors[each.id][0],
            ", never promoted",
        )
        for each in between
        if each.id in authors
    ]


def _origin(key: str, between: Sequence[Release], wanted: Mapping[str, str]) -> Release | None:
    return next((each for each in between if each.environment.get(key) == wanted.get(key)), None)

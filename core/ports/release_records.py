"""Builds, releases and their bundles, as the core reads and writes them; part of the store."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from core.records.build import Build, BuildEntry
from core.records.bundle import Bundle, Ref
from core.records.release import Release, ReleaseEntry, ReleaseStatus
from core.sentence import Sentence


class ReleaseReader(Protocol):
    """Read builds, releases and bundles; what the store promises of every read holds here."""

    async def build(self, app: str, build_id: str) -> Build:
        """Return the build, or raise NotFound(`no such build: ID`)."""
        ...

    async def build_entry(self, app: str, build_id: str) -> BuildEntry:
        """Return the build, or raise NotFound as `build` does."""
        ...

    async def builds(self, app: str, limit: int) -> list[BuildEntry]:
        """Return the newest builds first."""
        ...

    async def known_images(self, app: str, images: Collection[str]) -> frozenset[str]:
        """Return those of the images, each without a digest, that a build of the app has had."""
        ...

    async def release(self, app: str, release_id: str) -> Release:
        """Return the release, or raise NotFound(`no such release: ID`)."""
        ...

    async def releases(self, app: str, limit: int) -> list[Release]:
        """Return releases by sequence, newest first, each with its environment."""
        ...

    async def releases_made(self, releases: Sequence[str]) -> dict[str, datetime]:
        """Return for each of these releases that has a build when its commit was made, or where that is not known the build."""
        ...

    async def release_entry(self, app: str, release_id: str) -> ReleaseEntry:
        """Return the release, or raise NotFound as `release` does."""
        ...

    async def release_entries(
        self, app: str, limit: int, *, below: int | None = None, above: int | None = None
    ) -> list[ReleaseEntry]:
        """Return releases by sequence, newest first, of those below and above a sequence if one is given."""
        ...

    async def held_entries(self, app: str, limit: int) -> list[ReleaseEntry]:
        """Return releases on hold, newest first: of the newest `limit` that failed themselves, with the others of their builds."""
        ...

    async def release_status(self, release_id: str) -> ReleaseStatus:
        """Return what has happened to a release; an empty status where nothing has."""
        ...

    async def why_build_held(self, build: str) -> Sentence:
        """Return why the newest release of the build that is on hold is so; nothing where none is."""
        ...

    async def ways_back(self, app: str, limit: int) -> list[str]:
        """Return the newest releases that were verified and are neither withdrawn nor on hold."""
        ...

    async def bundle(self, release_id: str) -> Bundle | None: ...

    async def has_bundle(self, release_id: str) -> bool: ...

    async def bundle_refs(self, app: str, kinds: Collection[str]) -> frozenset[Ref]:
        """Return every object of these kinds that a stored bundle of the app has ever had."""
        ...


class ReleaseWriter(Protocol):
    """Write builds, releases and bundles; what the store promises of a transaction holds here."""

    async def add_build(self, build: Build) -> None:
        """Raise Taken where the id is; whoever made it up takes another."""
        ...

    async def add_release(self, release: Release) -> None:
        """Raise Taken where the id is; whoever made it up takes another."""
        ...

    async def next_sequence(self, app: str) -> int:
        """Return the next release number of the app."""
        ...

    async def save_release_status(self, status: ReleaseStatus) -> None: ...

    async def save_bundle(self, bundle: Bundle, sealed: bytes | None = None) -> None:
        """Store the bundle of a release once: the same one again is fine, another one raises Conflict.

        Args:
            bundle: the objects.
            sealed: what `Store.seal_bundle` made of it, so that no transaction takes the time that this takes.
        """
        ...

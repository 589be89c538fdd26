"""Reads of apps, builds, releases and what is kept beside them; each is one statement, hence one state."""

from collections.abc import Collection, Sequence
from datetime import datetime

from core.errors import NotFound
from core.records.app import App
from core.records.build import Build, BuildEntry
from core.records.bundle import Bundle, Ref
from core.records.freeze import Freeze
from core.records.git_account import GitAccount
from core.records.registry_account import RegistryAccount
from core.records.release import Release, ReleaseEntry, ReleaseStatus
from core.sentence import EMPTY_SENTENCE, Sentence
from storage.aggregate import AggregateReader, opened
from storage.codec import json, sentence_of, timestamp
from storage.records.rows import (
    app_of,
    build_entry_of,
    build_of,
    bundle_of,
    freeze_of,
    host_account_of,
    release_entry_of,
    release_of,
    release_status_of,
)


class RecordReader(AggregateReader):
    """Of `core.ports.store.StoreReader`; see there for what each method promises."""

    async def app(self, name: str) -> App:
        row = await self._session.one("app", name=name)
        if row is None:
            raise NotFound(f"app not found: {name}")
        return app_of(row)

    async def any_app(self, name: str) -> App:
        row = await self._session.one("any_app", name=name)
        if row is None:
            raise NotFound(f"app not found: {name}")
        return app_of(row)

    async def apps(self) -> list[App]:
        return [app_of(row) for row in await self._session.all("apps")]

    async def app_of_channel(self, channel: str) -> App | None:
        row = await self._session.one("app_of_channel", channel=channel)
        return None if row is None else app_of(row)

    async def build(self, app: str, build_id: str) -> Build:
        row = await self._session.one("build", app=app, id=build_id)
        if row is None:
            raise NotFound(f"no such build: {build_id}")
        return await opened(len(row["manifest"]), build_of, row, self._vault)

    async def build_entry(self, app: str, build_id: str) -> BuildEntry:
        row = await self._session.one("build_entry", app=app, id=build_id)
        if row is None:
            raise NotFound(f"no such build: {build_id}")
        return build_entry_of(row)

    async def builds(self, app: str, limit: int) -> list[BuildEntry]:
        return [build_entry_of(row) for row in await self._session.all("builds", app=app, limit=limit)]

    async def token_revoked_since(self, name: str, at: datetime) -> bool:
        return await self._session.one("token_revoked_since", name=name, at=timestamp(at)) is not None

    async def freezes(self) -> list[Freeze]:
        return [freeze_of(row, self._vault) for row in await self._session.all("freezes")]

    async def registry_logins(self, app: str) -> list[RegistryAccount]:
        return [
            host_account_of(RegistryAccount, row, self._vault)
            for row in await self._session.all("registry_logins", app=app)
        ]

    async def git_accounts(self, app: str) -> list[GitAccount]:
        return [
            host_account_of(GitAccount, row, self._vault)
            for row in await self._session.all("git_accounts", app=app)
        ]

    async def known_images(self, app: str, images: Collection[str]) -> frozenset[str]:
        rows = await self._session.all("known_images", app=app, images=json(sorted(images)))
        return frozenset(row["image"] for row in rows)

    async def release(self, app: str, release_id: str) -> Release:
        row = await self._session.one("release", app=app, id=release_id)
        if row is None:
            raise NotFound(f"no such release: {release_id}")
        return await opened(len(row["environment"]), release_of, row, self._vault)

    async def releases(self, app: str, limit: int) -> list[Release]:
        rows = await self._session.all("releases", app=app, limit=limit)
        return [await opened(len(row["environment"]), release_of, row, self._vault) for row in rows]

    async def release_entry(self, app: str, release_id: str) -> ReleaseEntry:
        row = await self._session.one("release_entry", app=app, id=release_id)
        if row is None:
            raise NotFound(f"no such release: {release_id}")
        return release_entry_of(row)

    async def release_entries(
        self, app: str, limit: int, *, below: int | None = None, above: int | None = None
    ) -> list[ReleaseEntry]:
        rows = await self._session.all("release_entries", app=app, limit=limit, below=below, above=above)
        return [release_entry_of(row) for row in rows]

    async def held_entries(self, app: str, limit: int) -> list[ReleaseEntry]:
        rows = await self._session.all("held_entries", app=app, limit=limit)
        return [entry for entry in map(release_entry_of, rows) if entry.on_hold]

    async def releases_made(self, releases: Sequence[str]) -> dict[str, datetime]:
        rows = await self._session.all("releases_made", releases=json(list(releases)))
        return {row["id"]: datetime.fromisoformat(row["made_at"]) for row in rows}

    async def release_status(self, release_id: str) -> ReleaseStatus:
        row = await self._session.one("release_status", release=release_id)
        return ReleaseStatus(release=release_id) if row is None else release_status_of(row, self._vault)

    async def why_build_held(self, build: str) -> Sentence:
        row = await self._session.one("why_build_held", build=build)
        return EMPTY_SENTENCE if row is None else sentence_of(self._vault.unseal(row["held"]))

    async def ways_back(self, app: str, limit: int) -> list[str]:
        return [row["release"] for row in await self._session.all("ways_back", app=app, limit=limit)]

    async def bundle(self, release_id: str) -> Bundle | None:
        row = await self._session.one("bundle", release=release_id)
        return None if row is None else await opened(len(row["sealed"]), bundle_of, row, self._vault)

    async def has_bundle(self, release_id: str) -> bool:
        return await self._session.one("bundle_stored", release=release_id) is not None

    async def bundle_refs(self, app: str, kinds: Collection[str]) -> frozenset[Ref]:
        rows = await self._session.all("bundle_refs", app=app, kinds=json(sorted(kinds)))
        return frozenset(Ref(row["kind"], row["name"]) for row in rows)

"""Reads of apps, builds, releases and what is kept beside them; each is one statement, hence one state."""

from collections.abc import Mapping

from core.errors import NotFound
from core.records.app import App
from core.records.build import Build
from core.records.bundle import Bundle
from core.records.release import Release, ReleaseStatus
from storage.aggregate import AggregateReader
from storage.records.rows import app_of, build_of, bundle_of, release_of, release_status_of


class RecordReader(AggregateReader):
    """Of `core.ports.store.StoreReader`; see there for what each method promises."""

    async def app(self, name: str) -> App:
        row = await self._session.one("app", name=name)
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
        return build_of(row, self._vault)

    async def builds(self, app: str, limit: int | None = None) -> list[Build]:
        rows = await self._session.all("builds", app=app, limit=limit)
        return [build_of(row, self._vault) for row in rows]

    async def release(self, app: str, release_id: str) -> Release:
        row = await self._session.one("release", app=app, id=release_id)
        if row is None:
            raise NotFound(f"no such release: {release_id}")
        return release_of(row, self._vault)

    async def releases(self, app: str, limit: int | None = None) -> list[Release]:
        rows = await self._session.all("releases", app=app, limit=limit)
        return [release_of(row, self._vault) for row in rows]

    async def release_status(self, release_id: str) -> ReleaseStatus:
        row = await self._session.one("release_status", release=release_id)
        return ReleaseStatus(release=release_id) if row is None else release_status_of(row, self._vault)

    async def release_statuses(self, app: str) -> Mapping[str, ReleaseStatus]:
        rows = await self._session.all("release_statuses", app=app)
        return {row["release"]: release_status_of(row, self._vault) for row in rows}

    async def bundle(self, release_id: str) -> Bundle | None:
        row = await self._session.one("bundle", release=release_id)
        return None if row is None else bundle_of(row, self._vault)

    async def bundles(self, app: str) -> list[Bundle]:
        rows = await self._session.all("bundles", app=app)
        return [bundle_of(row, self._vault) for row in rows]

"""Writes of apps, builds, releases and what is kept beside them."""

from core.errors import Conflict, NotFound, Taken
from core.records.app import App
from core.records.build import Build
from core.records.bundle import Bundle
from core.records.freeze import Freeze
from core.records.git_account import GitAccount
from core.records.registry_account import RegistryAccount
from core.records.release import Release, ReleaseStatus
from storage.aggregate import AggregateWriter
from storage.codec import Columns, timestamp
from storage.records.rows import (
    app_row,
    build_image_rows,
    build_row,
    bundle_blob,
    bundle_of,
    bundle_ref_rows,
    bundle_row,
    freeze_row,
    host_account_row,
    release_row,
    release_status_row,
)


class RecordWriter(AggregateWriter):
    """Of `core.ports.store.Transaction`; see there for what each method promises.

    A conflict refuses one statement, not the transaction: whoever catches it may go on, with another id say.
    """

    async def add_app(self, app: App) -> None:
        if not await self._write_app("add_app", app):
            raise Conflict(f"app already exists: {app.name}")

    async def save_app(self, app: App) -> None:
        if not await self._write_app("save_app", app):
            raise NotFound(f"app not found: {app.name}")

    async def lock_app(self, name: str, *, locked: bool) -> None:
        if not await self._session.run("lock_app", {"name": name, "locked": locked}):
            raise NotFound(f"app not found: {name}")

    async def delete_app(self, name: str) -> None:
        if not await self._session.run("delete_app", {"name": name, "now": timestamp(self.now)}):
            raise NotFound(f"app not found: {name}")
        await self._session.run("withdraw_all", {"app": name})

    async def _write_app(self, statement: str, app: App) -> int:
        taken = Conflict(f"channel {app.channel} is linked to another app")
        return await self._run_unless(statement, app_row(app), "channel_of_another", taken)

    async def link(self, app: str, channel: str | None) -> None:
        await self._session.run("unlink", {"app": app, "channel": channel})
        if not await self._session.run("link", {"app": app, "channel": channel}):
            raise NotFound(f"app not found: {app}")

    async def add_build(self, build: Build) -> None:
        """Raise Taken where the id is."""
        await self._add("add_build", build_row(build, self._vault))
        await self._session.many("add_build_image", build_image_rows(build))

    async def save_freeze(self, freeze: Freeze) -> None:
        await self._session.run("save_freeze", freeze_row(freeze, self._vault))

    async def remove_freeze(self, app: str) -> bool:
        return await self._session.run("remove_freeze", {"app": app}) == 1

    async def save_git_account(self, account: GitAccount) -> None:
        await self._session.run("save_git_account", host_account_row(account, self._vault))

    async def remove_git_account(self, app: str, host: str) -> bool:
        return await self._session.run("remove_git_account", {"app": app, "host": host}) == 1

    async def save_registry_login(self, login: RegistryAccount) -> None:
        await self._session.run("save_registry_login", host_account_row(login, self._vault))

    async def remove_registry_login(self, app: str, host: str) -> bool:
        return await self._session.run("remove_registry_login", {"app": app, "host": host}) == 1

    async def add_release(self, release: Release) -> None:
        """Raise Taken where the id is."""
        await self._add("add_release", release_row(release, self._vault))

    async def _add(self, statement: str, row: Columns) -> None:
        """Insert a record under a random id; a collision is Taken, and the caller asks for another id."""
        if not await self._session.run(statement, row):
            raise Taken(f"{row['id']} is taken")

    async def next_sequence(self, app: str) -> int:
        row = await self._session.one("next_sequence", app=app)
        assert row is not None, "an aggregate always gives a row"
        return int(row["sequence"])

    async def save_release_status(self, status: ReleaseStatus) -> None:
        await self._session.run("save_release_status", release_status_row(status, self._vault))

    async def save_bundle(self, bundle: Bundle, sealed: bytes | None = None) -> None:
        """Store the bundle of a release once; the very same one again is fine."""
        row = bundle_row(bundle, bundle_blob(bundle, self._vault) if sealed is None else sealed)
        if await self._session.run("add_bundle", row):
            await self._session.many("add_bundle_ref", bundle_ref_rows(bundle))
            return
        stored = await self._session.one("bundle", release=bundle.release)
        assert stored is not None, "the insert gave way to it"
        if bundle_of(stored, self._vault) != bundle:
            raise Conflict(f"{bundle.release} has a bundle already, and not this one")

"""Requests that change nothing: lists, facts, manifests, environments, help."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.command import commands as ask
from bot.views.answers import Answer
from bot.views.apps import app_info, app_list
from bot.views.builds import build_info, build_list
from bot.views.env import env_list, env_value
from bot.views.help import help_text
from bot.views.releases import held_note, release_info, release_list, release_manifest, standing_note
from core.caller import Caller
from core.clock import Clock
from core.errors import Forbidden, NotFound
from core.lifecycle.access import Access
from core.ports.store import Store
from core.records.environment import Environment
from core.records.release import Release
from core.usecases.records import Records


class Queries:
    """Reads records and puts them into words; values of an environment only after an audit row."""

    def __init__(self, store: Store, records: Records, access: Access, clock: Clock) -> None:
        self._store = store
        self._records = records
        self._access = access
        self._clock = clock
        self._by_kind: dict[type, Callable[[Any, Caller], Awaitable[Answer]]] = {
            ask.ListReleases: self._releases,
            ask.ReleaseInfo: self._release_info,
            ask.ReleaseManifest: self._manifest,
            ask.Env: self._environment,
            ask.EnvGet: self._value,
            ask.ListBuilds: self._builds,
            ask.BuildInfo: self._build_info,
            ask.AppInfo: self._app_info,
            ask.ListApps: self._apps,
            ask.Help: self._help,
        }

    async def show(self, command: ask.Command, caller: Caller) -> Answer:
        """Return the answer; the caller's right was checked before."""
        return await self._by_kind[type(command)](command, caller)

    async def linked_app(self, channel: str | None) -> str | None:
        """Return the app of a channel, if it has one."""
        app = await self._store.read.app_of_channel(channel) if channel else None
        return app.name if app else None

    async def _releases(self, command: ask.ListReleases, caller: Caller) -> Answer:
        read = self._store.read
        app = await read.app(command.app)
        releases = await read.releases(command.app, command.limit)
        # Below a table only where it cannot be taken for a part of it: a terminal shows what Convox shows.
        note = (
            held_note(releases, await read.release_statuses(command.app)) if caller.source == "slack" else ""
        )
        table = release_list(releases, app.active, self._clock.now())
        return Answer(text=table, hint=note, whole=command.typed)

    async def _release(self, app: str, release_id: str) -> Release:
        await self._store.read.app(app)
        return await self._store.read.release(app, release_id)

    async def _release_info(self, command: ask.ReleaseInfo, caller: Caller) -> Answer:
        release = await self._release(command.app, command.release)
        app = await self._store.read.app(command.app)
        if command.reveal:
            await self._records.audit_reveal(caller, command.app, release.id)
        # With values the answer is the documented block and nothing else.
        told = caller.source == "slack" and not command.reveal
        status = await self._store.read.release_status(release.id)
        note = standing_note(status, active=release.id == app.active) if told else ""
        return Answer(text=release_info(release, reveal=command.reveal), hint=note, whole=command.typed)

    async def _manifest(self, command: ask.ReleaseManifest, _: Caller) -> Answer:
        release = await self._release(command.app, command.release)
        if release.build is None:
            raise NotFound(f"no build for release: {release.id}")
        build = await self._store.read.build(command.app, release.build)
        return Answer(text=release_manifest(build), whole=command.typed)

    async def _newest(self, app: str) -> tuple[str, Environment]:
        """Return what is revealed, for the audit, and the environment of the newest release."""
        await self._store.read.app(app)
        newest = next(iter(await self._store.read.releases(app, 1)), None)
        return (newest.id, newest.environment) if newest else (app, Environment())

    async def _environment(self, command: ask.Env, caller: Caller) -> Answer:
        subject, environment = await self._newest(command.app)
        if command.reveal:
            await self._records.audit_reveal(caller, command.app, subject)
        text = env_list(environment, reveal=command.reveal)
        return Answer(text=text, whole=command.typed, warnings=_altered(text, command, caller))

    async def _value(self, command: ask.EnvGet, caller: Caller) -> Answer:
        subject, environment = await self._newest(command.app)
        value = env_value(environment, command.key)
        await self._records.audit_reveal(caller, command.app, f"{subject}/{command.key}")
        return Answer(text=value, warnings=_altered(value, command, caller))

    async def _builds(self, command: ask.ListBuilds, _: Caller) -> Answer:
        await self._store.read.app(command.app)
        builds = await self._store.read.builds(command.app, command.limit)
        return Answer(text=build_list(builds, self._clock.now()), whole=command.typed)

    async def _build_info(self, command: ask.BuildInfo, _: Caller) -> Answer:
        await self._store.read.app(command.app)
        build = await self._store.read.build(command.app, command.build)
        return Answer(text=build_info(build, self._clock.now()))

    async def _app_info(self, command: ask.AppInfo, _: Caller) -> Answer:
        app = await self._store.read.app(command.app)
        return Answer(text=app_info(app, await self._store.read.in_flight(app.name)))

    async def _apps(self, _: ask.ListApps, caller: Caller) -> Answer:
        """List what the caller may view; whoever may view nothing is told so once."""
        apps, refused = [], ""
        for app in await self._store.read.apps():
            why = await self._access.still_may(caller.actor, "view", app.name)
            refused = refused or why
            if not why:
                apps.append(app)
        if refused and not apps:
            raise Forbidden(refused)
        flying = {p.app: p for p in await self._store.read.unsettled() if p.in_flight}
        return Answer(text=app_list(apps, flying), whole="apps")

    async def _help(self, command: ask.Help, caller: Caller) -> Answer:
        return help_text(command.topic, await self.linked_app(caller.channel), caller.source)


def _altered(text: str, command: ask.Command, caller: Caller) -> tuple[str, ...]:
    """Warn that Slack is not shown exactly this: three backticks would end the block that it stands in."""
    if caller.source != "slack" or "```" not in text:
        return ()
    return (
        f"invisible characters stand between backticks here; exactly it is shown by: convox-bot do {command.typed}",
    )

"""Use cases that make a release without a build: of changed variables, or of what two releases have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.actor import Caller
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.lifecycle.startable import check_startable
from core.ports.store import StoreReader
from core.records.environment import Environment, check_size, difference
from core.records.environment_text import MOST_TOLD, VariableLine
from core.records.release import Release, ReleaseEnvironment
from core.sentence import CommandLine, Sentence
from core.usecases.attempts import StaleRequest, until_current
from core.usecases.forks import read_fork
from core.usecases.record_use_case import RecordUseCase


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedRelease:
    """A new release, and the two releases that its build and its environment are of."""

    release: Release
    build_from: str
    env_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedEnvironment:
    """What became of a change of variables.

    Attributes:
        release: the new release; None where nothing changed, and none was made.
        base: id of the release that it was forked from, "" before the first.
        skipped: why the newest release was not that one, or "".
    """

    release: Release | None
    base: str
    skipped: str = ""


class EnvironmentRegistrar(RecordUseCase):
    """Variables, each change of which is a release, and releases of one's build and another's variables."""

    async def set_environment(
        self,
        caller: Caller,
        app: str,
        pairs: Sequence[tuple[str, str]],
        *,
        replace: bool = False,
        base: str | None = None,
        to_promote: bool = False,
    ) -> ChangedEnvironment:
        """Make a release with these variables set.

        Args:
            caller: who asks.
            app: whose environment.
            pairs: key and value.
            replace: every other variable is gone, whoever has set it.
            base: the release to change; None takes the newest that is not on hold.
            to_promote: it is to be promoted at once, so whoever may not do that makes no release either.
        """
        caller = await self._may_change(caller, app, to_promote=to_promote)
        if not pairs:
            raise Invalid("at least 1 arg required", hint=Sentence.of(CommandLine("env set KEY=VALUE …")))
        keys = [key for key, _ in pairs]

        def change(env: Environment) -> Environment:
            return env.replaced_by(pairs) if replace else env.with_pairs(pairs)

        return await self._change(caller, app, change, "env.set", keys, base=base)

    async def unset_environment(
        self,
        caller: Caller,
        app: str,
        keys: Sequence[str],
        *,
        base: str | None = None,
        to_promote: bool = False,
    ) -> ChangedEnvironment:
        """Make a release without these variables, as `set_environment`; an unknown one is no error, as in Convox."""
        caller = await self._may_change(caller, app, to_promote=to_promote)
        if not keys:
            raise Invalid("at least 1 arg required", hint=Sentence.of(CommandLine("env unset KEY …")))
        return await self._change(
            caller, app, lambda env: env.without(keys), "env.unset", list(keys), base=base
        )

    async def edit_environment(
        self,
        caller: Caller,
        app: str,
        lines: Sequence[VariableLine],
        *,
        seen: str | None = None,
        base: str | None = None,
        to_promote: bool = False,
    ) -> ChangedEnvironment:
        """Make a release with these variables and no others, as `set_environment`.

        Args:
            caller: who asks.
            app: whose environment.
            lines: the variables; one without a value keeps what its key has.
            seen: id of the release whose names somebody had before them, "" for none of any; None where nobody saw any.
            base: as of `set_environment`.
            to_promote: as of `set_environment`.

        Raises:
            Conflict: the environment is another one by now than the one that was seen: what somebody else has set would be lost.
            Invalid: a key that has no value is to keep it.
        """
        caller = await self._may_change(caller, app, to_promote=to_promote)

        def change(env: Environment) -> Environment:
            known = dict(env.pairs)
            if strange := [line.number for line in lines if line.value is None and line.key not in known]:
                # What stands there may be a value that was pasted without its name, so it is not repeated.
                shown = ", ".join(map(str, strange[:MOST_TOLD]))
                raise Invalid(
                    f"no such variable yet, so it needs a value: line {shown}",
                    hint="a new variable is KEY=VALUE",
                )
            return env.replaced_by(
                (line.key, known[line.key] if line.value is None else line.value) for line in lines
            )

        keys = [line.key for line in lines]
        return await self._change(caller, app, change, "env.edit", keys, base=base, seen=seen)

    async def editable_environment(
        self, caller: Caller, app: str, *, base: str | None = None, to_promote: bool = False
    ) -> ReleaseEnvironment:
        """Return what a change would be made from, without values: who could not make the change is not asked for it."""
        await self._may_change(caller, app, to_promote=to_promote)
        fork = await read_fork(self._store.read, app, base)
        return ReleaseEnvironment(release=fork.base_id, environment=fork.environment.masked())

    async def create_from(
        self,
        caller: Caller,
        app: str,
        *,
        build_from: str | None,
        env_from: str | None,
        to_promote: bool = False,
    ) -> ComposedRelease:
        """Make a release of one release's build and another's environment.

        Args:
            caller: who asks.
            app: whose releases.
            build_from: the release whose build it has; None takes the active one.
            env_from: the release whose environment it has; None takes the active one.
            to_promote: it is to be promoted at once, so whoever may not do that makes no release either.

        Raises:
            NotFound: there is no such release, or no active one.
            Invalid: the release has no build.
        """
        caller = await self._may_change(caller, app, to_promote=to_promote)
        check_startable(self._why_not_startable)

        async def attempt() -> ComposedRelease:
            read = self._store.read
            build_id, env_id = await _source(read, app, build_from), await _source(read, app, env_from)
            build = await read.release_entry(app, build_id)
            env = await read.release(app, env_id)
            if build.build is None:
                raise Invalid(f"no build for release: {build.id}", hint="name a release that has one")
            async with self._store.transaction(delivery=caller.delivery) as tx:
                if (await _source(tx, app, build_from), await _source(tx, app, env_from)) != (
                    build_id,
                    env_id,
                ):
                    raise StaleRequest
                release = Release(
                    id=new_id("release"),
                    app=app,
                    sequence=await tx.next_sequence(app),
                    build=build.build,
                    environment=env.environment,
                    description=f"Created from build release: {build.id} and environment release: {env.id}",
                    created_at=tx.now,
                    created_by=caller.actor,
                )
                await tx.add_release(release)
                detail = {"app": app, "build_from": build.id, "env_from": env.id}
                await tx.audit(caller.actor, "release.compose", release.id, detail)
            return ComposedRelease(release=release, build_from=build.id, env_from=env.id)

        return await until_current(attempt)

    async def _may_change(self, caller: Caller, app: str, *, to_promote: bool) -> Caller:
        actor = await self._access.require(caller.actor, "env", app)
        if to_promote:
            await self._access.require(actor, "promote", app)
        return replace(caller, actor=actor)

    async def _change(
        self,
        caller: Caller,
        app: str,
        change: Callable[[Environment], Environment],
        action: str,
        keys: list[str],
        *,
        base: str | None,
        seen: str | None = None,
    ) -> ChangedEnvironment:
        check_startable(self._why_not_startable)

        async def attempt() -> ChangedEnvironment:
            fork = await read_fork(self._store.read, app, base)
            if seen not in {None, fork.base_id}:
                raise Conflict(
                    f"the environment has changed meanwhile: the newest release is {fork.base_id}, and you saw that of {seen}",
                    hint="nothing was set: ask for it anew",
                )
            after = change(fork.environment)
            check_size(after, [key for key in keys if key in after])
            changes = difference(fork.environment, after)
            if not changes:
                return ChangedEnvironment(release=None, base=fork.base_id)
            async with self._store.transaction(delivery=caller.delivery) as tx:
                await fork.check(tx)
                release = Release(
                    id=new_id("release"),
                    app=app,
                    sequence=await tx.next_sequence(app),
                    build=fork.base.build if fork.base else None,
                    environment=after,
                    description=f"env {changes}",
                    created_at=tx.now,
                    created_by=caller.actor,
                )
                await tx.add_release(release)
                named = {*keys, *changes.removed} if action != "env.unset" else set(keys)
                await tx.audit(caller.actor, action, release.id, {"app": app, "keys": sorted(named)})
            return ChangedEnvironment(release=release, base=fork.base_id, skipped=fork.skipped_note)

        return await until_current(attempt)


async def _source(read: StoreReader, app: str, release: str | None) -> str:
    """Return the release that is named, else the active one."""
    found = release or (await read.app(app)).active_release
    if found is None:
        raise NotFound(f"{app} has no active release", hint="name a release instead")
    return found

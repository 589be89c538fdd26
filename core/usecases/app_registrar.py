"""Use cases about apps themselves: making and locking them, their channel, their logins at registries."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.actor import Actor, Caller
from core.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Rejected,
    Unavailable,
    Unreachable,
    UserError,
)
from core.lifecycle.guards import busy_error
from core.lifecycle.startable import check_startable
from core.records.app import App, check_name, namespace_command
from core.records.claim import Claim
from core.records.git_account import GitAccount, check_git_host, usual_user
from core.records.registry_account import RegistryAccount, check_host
from core.sentence import CommandLine, Sentence
from core.usecases.record_use_case import RecordUseCase


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedApp:
    """A new app; `administrator_command` is the command for an administrator where the namespace could not be made."""

    app: App
    administrator_command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkResult:
    """A channel's new app, with what was taken from where: one channel an app, one app a channel.

    Attributes:
        app: as it is now.
        former_channel: the channel that it had before and that has no app now, or None.
        unlinked_app: the app that the channel had before and that has no channel now, or None.
    """

    app: App
    former_channel: str | None = None
    unlinked_app: str | None = None


class AppRegistrar(RecordUseCase):
    """Apps, the channel of each, its lock and its logins at registries."""

    async def create_app(self, caller: Caller, name: str) -> CreatedApp:
        """Make an app and, where the bot may, its namespace; link the caller's channel if it has no app yet.

        Raises:
            Conflict: there is an app of that name.
            Unavailable: the app is made, and the cluster could not be asked for its namespace.
        """
        actor = await self._access.require(caller.actor, "admin", name)
        check_startable(self._why_not_startable)
        check_name(name)
        channel = caller.channel
        async with self._store.transaction(delivery=caller.delivery) as tx:
            free = channel is not None and await tx.app_of_channel(channel) is None
            app = App(name=name, created_at=tx.now, created_by=actor)
            await tx.add_app(app)
            if free:
                await tx.link(name, channel)
            await tx.audit(actor, "app.create", name, {"channel": channel if free else None})
            app = await tx.app(name)
        try:
            return CreatedApp(app=app, administrator_command=await self._cluster.create_namespace(name) or "")
        except (Rejected, Unreachable) as error:
            raise Unavailable(
                f"{name} is created, but its namespace could not be made: {error}",
                hint=f"an administrator makes it with `{namespace_command(self._cluster.rack, name)}`",
            ) from error

    async def link(self, caller: Caller, name: str) -> LinkResult:
        """Link the caller's channel to the app; the app's former channel and the channel's former app are unlinked.

        Raises:
            Forbidden: it takes the right on both apps, since the channel's former one loses it.
            Conflict: the channel was given to another app meanwhile.
        """
        actor = await self._access.require(caller.actor, "admin", name)
        channel = _channel(caller)
        asked = await self._store.read.app_of_channel(channel)
        if asked is not None and asked.name != name:
            await self._may_unlink(actor, asked.name)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            left, other = (await tx.app(name)).channel, await tx.app_of_channel(channel)
            if other is not None and other.name not in {name, asked and asked.name}:
                raise Conflict(
                    f"this channel was linked to {other.name} just now", hint="look, and ask again"
                )
            await tx.link(name, channel)
            await tx.audit(actor, "app.link", name, {"channel": channel})
            return LinkResult(
                app=await tx.app(name),
                former_channel=left if left != channel else None,
                unlinked_app=other.name if other and other.name != name else None,
            )

    async def _may_unlink(self, actor: Actor, former: str) -> None:
        """Raise Forbidden where somebody may not take the channel from the app that has it."""
        try:
            await self._access.require(actor, "admin", former)
        except Forbidden as error:
            taken = f"this channel is linked to {former}, which would lose it: "
            raise Forbidden(Sentence.of(taken, error.sentence), hint=error.hint) from error

    async def unlink(self, caller: Caller, name: str) -> App:
        """Unlink the app from the caller's channel.

        Raises:
            Conflict: that channel is linked to no app, or to another one.
        """
        actor = await self._access.require(caller.actor, "admin", name)
        channel = _channel(caller)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            app = await tx.app_of_channel(channel)
            if app is None:
                raise Conflict(
                    "this channel is linked to no app", hint=Sentence.of(CommandLine("link APP"), " links it")
                )
            if app.name != name:
                raise Conflict(
                    f"this channel is linked to {app.name}, not to {name}",
                    hint="without -a it is this channel's app that is unlinked",
                )
            await tx.link(name, None)
            await tx.audit(actor, "app.unlink", name, {"channel": channel})
            return app

    async def lock(self, caller: Caller, name: str, *, locked: bool) -> None:
        """Lock an app against its deletion, or unlock it; one that is so already stays so."""
        actor = await self._access.require(caller.actor, "admin", name)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.lock_app(name, locked=locked)
            await tx.audit(actor, "app.lock" if locked else "app.unlock", name, {})

    async def add_registry(self, caller: Caller, app: str, *, host: str, user: str, password: str) -> str:
        """Keep a login at a registry, in place of the one that the app had there; the pods that pull with it have it at once.

        Raises:
            Unavailable: it is kept, and the cluster has not got it yet; the next promotion brings it.
            Invalid: that is no host, or there is no user or no password.
        """
        actor = await self._access.require(caller.actor, "env", app)
        check_startable(self._why_not_startable)
        host = check_host(host)
        if not (user and password):
            raise Invalid("a login has a user and a password")
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.app(app)
            login = RegistryAccount(
                app=app, host=host, user=user, secret=password, created_at=tx.now, created_by=actor
            )
            await tx.save_registry_login(login)
            await tx.audit(actor, "registry.add", app, {"host": host, "user": user})
        try:
            await self._renew_logins(app, await self._store.read.registry_logins(app))
        except (Rejected, Unreachable) as error:
            raise Unavailable(
                f"the login at {host} is kept, but the cluster has not got it: {error}",
                hint="pods pull with it from the next promotion on; or ask for it again",
            ) from error
        return host

    async def add_git_account(
        self, caller: Caller, app: str, *, host: str, user: str = "", token: str
    ) -> str:
        """Keep a token with which builds of the app clone from a host, in place of the one it had there; return the host.

        Args:
            caller: who asks.
            app: whose.
            host: as it stands in the address of a repository.
            user: "" for the one that this host takes with any token.
            token: or a password.

        Raises:
            NotFound: there is no such app.
            Invalid: that is no host, or there is no token.
        """
        actor = await self._access.require(caller.actor, "env", app)
        check_startable(self._why_not_startable)
        host = check_git_host(host)
        if not token:
            raise Invalid("there is no token, so nothing was kept")
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.app(app)
            account = GitAccount(
                app=app,
                host=host,
                user=user or usual_user(host),
                secret=token,
                created_at=tx.now,
                created_by=actor,
            )
            await tx.save_git_account(account)
            await tx.audit(actor, "git.add", app, {"host": host, "user": account.user})
        return host

    async def remove_git_account(self, caller: Caller, app: str, host: str) -> str:
        """Forget a token; a build that is cloning has it still. Return the host.

        Raises:
            NotFound: there is none.
        """
        actor = await self._access.require(caller.actor, "env", app)
        check_startable(self._why_not_startable)
        host = check_git_host(host)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            if not await tx.remove_git_account(app, host):
                raise NotFound(f"{app} has no token at {host}", hint=f"`git -a {app}` lists what it has")
            await tx.audit(actor, "git.remove", app, {"host": host})
        return host

    async def remove_registry(self, caller: Caller, app: str, host: str) -> str:
        """Forget a login at a registry, in the cluster first: what is forgotten here could not be taken away there; return the host.

        Raises:
            NotFound: there is none.
            Busy: a rollout would bring it back.
            Unavailable: the cluster could not be told, so it is kept.
        """
        actor = await self._access.require(caller.actor, "env", app)
        host = check_host(host)
        if (holder := await self._store.read.in_flight(app)) is not None:
            hint = "remove it when that has ended: what it sends holds the logins with which it has begun"
            raise Busy(busy_error(holder).sentence, hint=hint)
        left = [each for each in await self._store.read.registry_logins(app) if each.host != host]
        try:
            await self._renew_logins(app, left)
        except (Rejected, Unreachable) as error:
            raise Unavailable(
                f"nothing was removed, since the cluster still has it: {error}", hint="ask again"
            ) from error
        async with self._store.transaction(delivery=caller.delivery) as tx:
            await tx.app(app)
            if not await tx.remove_registry_login(app, host):
                raise NotFound(f"{app} has no login at {host}", hint=f"`registries -a {app}` lists them")
            await tx.audit(actor, "registry.remove", app, {"host": host})
        return host

    async def _renew_logins(self, app: str, logins: Sequence[RegistryAccount]) -> None:
        """Bring the app's logins to its pods, if any have some: under the number of the promotion that touched the cluster last.

        What starts after this brings those that are stored by then (engine rule 15).

        Raises:
            Rejected, Unreachable: the cluster has the old ones.
        """
        read = self._store.read
        found, last = await read.app(app), await read.last_touched(app)
        if last is None:
            return
        claim = Claim(
            installation=await read.installation(), token=last.token, promotion=last.id, touched=True
        )
        await self._cluster.check_anchor(found, claim)
        await self._cluster.renew_logins(found, logins, token=last.token)


def _channel(caller: Caller) -> str:
    if caller.channel is None:
        raise UserError("a channel can only be linked from Slack", hint="type it in the channel itself")
    return caller.channel

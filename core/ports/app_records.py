"""Apps, with what is kept of each beside its releases, as the core reads and writes them; part of the store."""

from datetime import datetime
from typing import Protocol

from core.records.app import App
from core.records.freeze import Freeze
from core.records.git_account import GitAccount
from core.records.registry_account import RegistryAccount


class AppReader(Protocol):
    """Read apps; what the store promises of every read holds here."""

    async def app(self, name: str) -> App:
        """Return the app, or raise NotFound(`app not found: NAME`)."""
        ...

    async def any_app(self, name: str) -> App:
        """Return the app, also one that was deleted, for what is still said and done of it; else as `app`."""
        ...

    async def apps(self) -> list[App]:
        """Return every app that was not deleted, by name."""
        ...

    async def app_of_channel(self, channel: str) -> App | None: ...

    async def freezes(self) -> list[Freeze]:
        """Return the freezes that people have called, also those that are over by themselves; one an app, and one of all."""
        ...

    async def git_accounts(self, app: str) -> list[GitAccount]:
        """Return the accounts of the app at hosts of git, by host."""
        ...

    async def token_revoked_since(self, name: str, at: datetime) -> bool:
        """Tell whether somebody has revoked the token of that name which was good at that moment."""
        ...

    async def registry_logins(self, app: str) -> list[RegistryAccount]:
        """Return the logins of the app at registries, by host."""
        ...


class AppWriter(Protocol):
    """Write apps; what the store promises of a transaction holds here."""

    async def add_app(self, app: App) -> None:
        """Make it, or make one anew that was deleted; raise Conflict(`app already exists: NAME`) where it does."""
        ...

    async def save_app(self, app: App) -> None: ...

    async def lock_app(self, name: str, *, locked: bool) -> None: ...

    async def delete_app(self, name: str) -> None:
        """Take the app out of all lists, with nothing active, and no release of it an automatic target any more; its records stay."""
        ...

    async def link(self, app: str, channel: str | None) -> None:
        """Link the channel to the app and to no other; None unlinks."""
        ...

    async def save_freeze(self, freeze: Freeze) -> None:
        """Keep a freeze, in place of the one that the app had."""
        ...

    async def remove_freeze(self, app: str) -> bool:
        """Forget a freeze; return False where there was none."""
        ...

    async def save_git_account(self, account: GitAccount) -> None:
        """Keep an account, in place of the one that the app had at that host."""
        ...

    async def remove_git_account(self, app: str, host: str) -> bool:
        """Return whether there was one to be forgotten."""
        ...

    async def save_registry_login(self, login: RegistryAccount) -> None:
        """Keep a login, in place of the one that the app had at that registry."""
        ...

    async def remove_registry_login(self, app: str, host: str) -> bool:
        """Forget a login; return False where there was none."""
        ...

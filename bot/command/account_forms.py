"""Accounts of an app at hosts of git and at registries: what nobody else may read is asked for by a form."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.command.commands import Command
from bot.command.forms import VALUE, Form, FormCommand, FormField
from core.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class AddGitAccount(FormCommand):
    """Attributes: user: "" for the one that the host takes with any token; token: None before anybody has entered it."""

    app: str
    host: str
    user: str = ""
    token: str | None = field(default=None, repr=False)

    @property
    def words(self) -> list[str]:
        return ["git", "add", "-a", self.app, "--", self.host, *([self.user] if self.user else [])]

    def form(self) -> Form:
        """Return what is asked for."""
        hint = "One that may read the repositories of this app, and nothing else. Nobody else sees it, and nobody is shown it again."
        token = FormField(name=VALUE, label=f"Token of {self.host}"[:150], kind="secret", hint=hint)
        return Form(title="Clone with a token", submit="Keep", fields=(token,))

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:  # noqa: ARG002 - a token is all of it
        token = entered.get(VALUE, "").strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise Invalid("a token is one word, and not empty")
        return replace(self, token=token)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRegistry(FormCommand):
    """Attributes: password: None before anybody has entered it."""

    app: str
    host: str
    user: str
    password: str | None = field(default=None, repr=False)

    @property
    def words(self) -> list[str]:
        return ["registries", "add", "-a", self.app, "--", self.host, self.user]

    def form(self) -> Form:
        """Return what is asked for."""
        hint = f"Or a token of {self.host}. Nobody else sees it, and nobody is shown it again."
        password = FormField(name=VALUE, label=f"Password of {self.user}", kind="secret", hint=hint)
        return Form(title="Log in at a registry", submit="Log in", fields=(password,))

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:  # noqa: ARG002 - a password is all of it
        password = entered.get(VALUE, "").strip()
        if not password or not password.isprintable():
            raise Invalid("a password is one line, and not empty")
        return replace(self, password=password)

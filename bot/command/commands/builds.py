"""Builds, what they are cloned with, and logins at the registries that their images come from."""

from dataclasses import dataclass

from bot.command.commands.command import ROWS, Command, limited


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBuilds(Command):
    app: str
    limit: int = ROWS

    @property
    def words(self) -> list[str]:
        return ["builds", "-a", self.app, *limited(self.limit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInfo(Command):
    app: str
    build: str

    @property
    def words(self) -> list[str]:
        return ["builds", "info", self.build, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLogs(Command):
    app: str
    build: str

    @property
    def words(self) -> list[str]:
        return ["builds", "logs", self.build, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBuild(Command):
    app: str
    build: str

    @property
    def words(self) -> list[str]:
        return ["builds", "cancel", self.build, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportImage(Command):
    """A build of the newest manifest with one image, of one service or of each that is built.

    Attributes:
        service: None for each.
        description: "" names the image.
    """

    app: str
    image: str
    service: str | None = None
    description: str = ""

    @property
    def words(self) -> list[str]:
        service = ["-s", self.service] if self.service else []
        description = [f"--description={self.description}"] if self.description else []
        return ["builds", "import-image", self.image, "-a", self.app, *service, *description]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildGit(Command):
    """A build of a git repository.

    Attributes:
        url: what is cloned.
        ref: a branch, a tag or a commit, "" for the branch that it shows first.
        manifest: where convox.yml lies, "" for where it usually does.
        description: "" for the commit's own.
        build_args: name and value, in the order of the names.
        promote: its release goes out once it is built (`deploy`).
    """

    app: str
    url: str
    ref: str = ""
    manifest: str = ""
    description: str = ""
    build_args: tuple[tuple[str, str], ...] = ()
    no_cache: bool = False
    only_newest: bool = False
    promote: bool = False

    @property
    def words(self) -> list[str]:
        texts = (("ref", self.ref), ("manifest", self.manifest), ("description", self.description))
        return [
            "deploy" if self.promote else "build",
            *("-a", self.app, f"--git={self.url}"),
            *(f"--{name}={text}" for name, text in texts if text),
            *(f"--build-args={name}={value}" for name, value in self.build_args),
            *(["--no-cache"] if self.no_cache else []),
            *(["--only-newest"] if self.only_newest else []),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListGitAccounts(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["git", "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveGitAccount(Command):
    app: str
    host: str

    @property
    def words(self) -> list[str]:
        return ["git", "remove", self.host, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBuild(Command):
    app: str
    build: str

    @property
    def words(self) -> list[str]:
        return ["builds", "retry", self.build, "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRegistries(Command):
    app: str

    @property
    def words(self) -> list[str]:
        return ["registries", "-a", self.app]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRegistry(Command):
    app: str
    host: str

    @property
    def words(self) -> list[str]:
        return ["registries", "rm", self.host, "-a", self.app]

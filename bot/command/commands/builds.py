"""Builds, and logins at the registries that their images come from."""

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

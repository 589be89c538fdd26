"""Variables: looked at and changed."""

from dataclasses import dataclass, field

from bot.command.commands.command import Command, of_release, switched


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(Command):
    """Attributes: release: whose environment; None takes the newest. with_id: the release's id is asked for, and nothing else."""

    app: str
    reveal: bool = False
    release: str | None = None
    with_id: bool = False

    @property
    def words(self) -> list[str]:
        switches = [*switched("--reveal", self.reveal), *switched("--id", self.with_id)]
        return ["env", "-a", self.app, *of_release(self.release), *switches]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvGet(Command):
    app: str
    key: str
    release: str | None = None

    @property
    def words(self) -> list[str]:
        return ["env", "get", self.key, "-a", self.app, *of_release(self.release)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvChange(Command):
    """A change of variables, which makes a release.

    Attributes:
        release: what is changed; None takes the newest release that is not on hold.
        overwrite: as of `Promote`, with which the new release goes out.
        with_id: a terminal wants nothing but the new release's id on its standard output.
    """

    app: str
    release: str | None = None
    promote: bool = False
    overwrite: bool = False
    with_id: bool = False

    @property
    def options(self) -> list[str]:
        switches = (("--promote", self.promote), ("--overwrite", self.overwrite), ("--id", self.with_id))
        given = [word for flag, on in switches for word in switched(flag, on)]
        return ["-a", self.app, *of_release(self.release), *given]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSet(EnvChange):
    """Attributes: pairs: key and value, the value verbatim and in no `repr`; replace: every other variable is gone."""

    pairs: tuple[tuple[str, str], ...] = field(repr=False)
    replace: bool = False

    @property
    def words(self) -> list[str]:
        pairs = [f"{key}={value}" for key, value in self.pairs]
        return ["env", "set", *pairs, *switched("--replace", self.replace), *self.options]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvUnset(EnvChange):
    keys: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return ["env", "unset", *self.keys, *self.options]

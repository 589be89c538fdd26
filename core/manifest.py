"""The manifest of a build: convox.yml, read strictly."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of a manifest."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A loaded convox.yml."""

    services: tuple[Service, ...] = ()
    environment: tuple[str, ...] = field(default_factory=tuple)

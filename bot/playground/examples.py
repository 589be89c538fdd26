"""The sample apps of `examples/`: read as a CI would send them, so that a newcomer finds something to promote."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from core.actor import Actor, Caller
from core.usecases.registrar import Registrar

# In a checkout the examples lie beside the packages; an installed wheel carries them here.
PLACES = (Path(__file__).parents[2] / "examples", Path(__file__).parent / "examples")
# As CI does it: with a token.
BUILDER = Actor("token", "examples", "examples")


class ExampleBuild(BaseModel):
    """One build of `examples/releases.yml`; see the comment at its head."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shows: str
    manifest: str
    description: str
    git_sha: str = Field(alias="git-sha")
    environment: Mapping[str, str] = Field(default_factory=dict)
    images: Mapping[str, str]

    @property
    def goes_out_well(self) -> bool:
        """Whether a promote of its release ends with `OK`."""
        return "rolls out well" in self.shows


def examples() -> Path:
    """Return the folder with the examples."""
    return next(place for place in PLACES if (place / "releases.yml").is_file())


def read_builds(folder: Path) -> dict[str, list[ExampleBuild]]:
    """Return app → builds, oldest first."""
    document: dict[str, Any] = yaml.safe_load((folder / "releases.yml").read_text(encoding="utf-8"))
    return {
        name: [ExampleBuild.model_validate(build) for build in app["builds"]]
        for name, app in document["apps"].items()
    }


async def register(registrar: Registrar, folder: Path, channels: Mapping[str, str]) -> None:
    """Create every app with its builds, then link it to its channel: what was there before anybody looked is not announced.

    Args:
        registrar: where to.
        folder: the examples.
        channels: app → channel id.
    """
    for app, builds in read_builds(folder).items():
        builder = Caller(actor=BUILDER, source="http")
        await registrar.create_app(builder, app)
        for build in builds:
            if build.environment:
                await registrar.set_environment(builder, app, list(build.environment.items()))
            await registrar.register_build(
                builder,
                app,
                manifest=(folder / build.manifest).read_text(encoding="utf-8"),
                images=build.images,
                description=build.description,
                git_sha=build.git_sha,
            )
        if app in channels:
            await registrar.link(replace(builder, channel=channels[app]), app)

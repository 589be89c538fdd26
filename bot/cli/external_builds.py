"""`convox-bot build --external`: the images are built and pushed by this machine, and registered by their digests."""

import os
import posixpath
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from bot.cli.image_builders import LocalBuild, find_image_builder
from bot.cli.output import say
from bot.cli.packaging.package import built_services
from bot.cli.rack_url import CliError
from core.errors import Invalid
from core.manifest.image_builds import ImageBuild, read_image_builds
from core.manifest.images import image_problem, registry_path
from core.records.environment import Environment

REGISTRY = "CONVOX_REGISTRY"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalBuild:
    """How this machine is to build.

    Attributes:
        builder: which program does, "" for the first that is there.
        registry: where it pushes; None for what the environment of the terminal says.
        build_args, no_cache: of each image.
    """

    builder: str = ""
    registry: str | None = None
    build_args: Mapping[str, str]
    no_cache: bool = False


def build_here(
    app: str, folder: Path, manifest: str, services: Sequence[str], asked: ExternalBuild, out: TextIO
) -> dict[str, str]:
    """Build and push the images of services, and return service → image, each by its digest.

    Args:
        app: whose they are.
        folder: what is built from.
        manifest: the text of its convox.yml.
        services: which, in the order of that.
        asked: how.
        out: where the program may write.

    Raises:
        CliError: something is missing, or the program failed; nothing is registered then.
    """
    repository = f"{_registry(asked.registry)}/{app.lower()}"
    suffix = _suffix()
    builds = [
        (image.services, _local(folder, repository, suffix, image, no_cache=asked.no_cache))
        for image in _images(app, manifest, services, asked.build_args)
    ]
    builder = find_image_builder(asked.builder)
    made: dict[str, str] = {}
    for names, build in builds:
        say(f"Building {', '.join(names)} with {builder.name}: {build.name}", out)
        digest = builder.push(build, out)
        made |= dict.fromkeys(names, f"{build.name}@{digest}")
    return made


def _registry(given: str | None) -> str:
    text = given if given is not None else os.environ.get(REGISTRY, "")
    hint = f"name it by --registry HOST/PATH, or by {REGISTRY} in the environment of this terminal"
    if not text:
        raise CliError("--external pushes to a registry, and none is named", hint=hint)
    if registry := registry_path(text):
        return registry
    raise CliError(f"{text[:80]!r} is no registry", hint=f"{hint}, such as registry.example:5000/apps")


def _suffix() -> str:
    """Return what no other build of the app has behind the name of its service: the time, and some chance."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _images(
    app: str, manifest: str, services: Sequence[str], build_args: Mapping[str, str]
) -> tuple[ImageBuild, ...]:
    """Return what is to be built, of a manifest whose variables only the bot knows."""
    found = built_services(manifest)
    unknown = [name for name in services if "${" in str(found[name])]
    if unknown:
        raise CliError(
            f"build of {', '.join(unknown)} says ${{…}}, and what stands for that are variables of {app}, which are not read here",
            hint="write it out, or hand it to the Dockerfile by --build-args; without --external the bot puts them in",
        )
    try:
        return read_image_builds(manifest, Environment(), services, build_args)
    except Invalid as error:
        raise CliError(str(error.sentence), hint=str(error.hint)) from None


def _local(folder: Path, repository: str, suffix: str, image: ImageBuild, *, no_cache: bool) -> LocalBuild:
    inside = (folder / image.path).resolve()
    build = LocalBuild(
        repository=repository,
        tag=f"{image.services[0]}.{suffix}",
        folder=inside,
        dockerfile=inside / image.dockerfile,
        args=image.args,
        no_cache=no_cache,
    )
    if why := image_problem(build.name):
        raise CliError(
            f"nothing can be pushed as {build.name[:80]!r}: {why}", hint="is the app's name right?"
        )
    if not build.dockerfile.is_file():
        named = posixpath.normpath(f"{image.path}/{image.dockerfile}")
        raise CliError(
            f"{', '.join(image.services)} cannot be built: there is no {named} in {folder}",
            hint="`build:` in convox.yml says where it is",
        )
    return build

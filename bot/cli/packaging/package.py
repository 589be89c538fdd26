"""A folder with its convox.yml becomes one archive, as `convox build` packages it."""

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from bot.cli.files import read_file
from bot.cli.packaging.archive import Archive, write_archive
from bot.cli.packaging.ignore_file import IGNORE_FILE, read_ignore_file
from bot.cli.packaging.tree import walk
from bot.cli.rack_url import CliError


def package(folder: Path, manifest: str, text: str, into: BinaryIO) -> Archive:
    """Write the archive of a folder.

    Args:
        folder: what is built from.
        manifest: its convox.yml, by the path from there.
        text: what is in that.
        into: a file.

    Raises:
        CliError: it is no folder, nothing of it is left, or something of it cannot be taken; the sentence names it.
    """
    if not folder.is_dir():
        raise CliError(
            f"{folder} is no folder", hint="name the folder that is built from: convox-bot build -a APP DIR"
        )
    ignored = folder / IGNORE_FILE
    found = list(dockerfiles(text))
    # A Dockerfile may have an ignore file of its own beside it, which BuildKit looks for.
    beside = [f"{each}{IGNORE_FILE}" for each in found]
    always = [IGNORE_FILE, posixpath.normpath(manifest), *found, *beside]
    rules = read_ignore_file(read_file(ignored) if ignored.is_file() else "", always=always)
    return write_archive(walk(folder, rules), into)


def built_services(manifest: str) -> Mapping[str, Any]:
    """Return each service without an image of its own, with what it says of `build`; raises nothing, as `service_names`."""
    return {
        name: service.get("build") or "."
        for name, service in _services(manifest).items()
        if isinstance(service, dict) and not service.get("image")
    }


def service_names(manifest: str) -> tuple[str, ...]:
    """Return the services, as far as they can be known here.

    The bot reads the manifest strictly and with the variables of the app; here nothing is judged, and what cannot be read, or
    has the name of a service out of a variable, names none.
    """
    names = tuple(_services(manifest))
    return () if any("${" in name for name in names) else names


def _services(manifest: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(manifest)
    except yaml.YAMLError:
        return {}
    services = document.get("services") if isinstance(document, dict) else None
    return {str(name): said for name, said in services.items()} if isinstance(services, dict) else {}


def dockerfiles(manifest: str) -> Iterator[str]:
    """Yield the Dockerfile of each service that is built, by its path from the folder."""
    for build in built_services(manifest).values():
        yield _dockerfile(build)


def _dockerfile(build: Any) -> str:
    given = build if isinstance(build, dict) else {"path": build}
    path, name = given.get("path") or ".", given.get("manifest") or "Dockerfile"
    return posixpath.normpath(posixpath.join(str(path), str(name)))

"""The programs of this machine that build images and push them: docker with buildx or without, buildx alone, podman.

Each is asked as its documentation has it: https://docs.docker.com/reference/cli/docker/buildx/build/ (`--metadata-file`),
https://docs.docker.com/reference/cli/docker/image/push/, https://docs.podman.io/en/latest/markdown/podman-push.1.html
(`--digestfile`).
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from bot.cli.programs import answer_of, run_program
from bot.cli.pushed_digests import metadata_digest, repository_digest
from bot.cli.rack_url import CliError
from core.manifest.images import DIGEST

NOTHING = "nothing was registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalBuild:
    """One image that this machine builds.

    Attributes:
        repository, tag: what it is pushed as.
        folder, dockerfile: what it is built from, and how.
        args: name → value, for the Dockerfile.
        no_cache: each step is run anew.
    """

    repository: str
    tag: str
    folder: Path
    dockerfile: Path
    args: tuple[tuple[str, str], ...] = ()
    no_cache: bool = False

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def host(self) -> str:
        return self.repository.partition("/")[0]

    def flags(self) -> list[str]:
        """Return what every one of the programs takes behind `build`, the folder at the end."""
        args = [word for key, value in self.args for word in ("--build-arg", f"{key}={value}")]
        anew = ["--no-cache"] if self.no_cache else []
        return [
            *("--tag", self.name, "--file", str(self.dockerfile)),
            *args,
            *anew,
            str(self.folder),
        ]


class ImageBuilder(Protocol):
    """Builds an image and pushes it."""

    name: str

    def push(self, build: LocalBuild, out: TextIO) -> str:
        """Build and push, with the program's own output on `out`, and return the digest under which the registry has it.

        Raises:
            CliError: the program failed, or said no digest.
        """
        ...


class _Buildx:
    """docker with buildx, or buildx alone: builds and pushes in one."""

    def __init__(self, *program: str) -> None:
        self._program = program
        self.name = " ".join(Path(word).name for word in program)

    def push(self, build: LocalBuild, out: TextIO) -> str:
        with tempfile.TemporaryDirectory() as scratch:
            said = Path(scratch, "metadata.json")
            command = [*self._program, "build", "--push", "--metadata-file", str(said), *build.flags()]
            run_program(
                command, f"{self.name} could not build and push {build.name}", out, _login("docker", build)
            )
            return _digest(self.name, build, metadata_digest(_text(said)))


class _Docker:
    """docker without buildx."""

    name = "docker"

    def __init__(self, program: str) -> None:
        self._program = program

    def push(self, build: LocalBuild, out: TextIO) -> str:
        run_program(
            [self._program, "build", *build.flags()], f"docker could not build {build.name}", out, NOTHING
        )
        run_program(
            [self._program, "push", build.name],
            f"docker could not push {build.name}",
            out,
            _login("docker", build),
        )
        look = [self._program, "image", "inspect", "--format", "{{json .RepoDigests}}", build.name]
        return _digest(self.name, build, repository_digest(answer_of(look), build.repository))


class _Podman:
    """podman, which also answers to the name of docker where that package is installed."""

    name = "podman"

    def __init__(self, program: str) -> None:
        self._program = program

    def push(self, build: LocalBuild, out: TextIO) -> str:
        run_program(
            [self._program, "build", *build.flags()], f"podman could not build {build.name}", out, NOTHING
        )
        with tempfile.TemporaryDirectory() as scratch:
            said = Path(scratch, "digest")
            command = [self._program, "push", "--digestfile", str(said), build.name]
            run_program(command, f"podman could not push {build.name}", out, _login("podman", build))
            return _digest(self.name, build, _text(said).strip())


def find_image_builder(wanted: str) -> ImageBuilder:
    """Return what builds here.

    Args:
        wanted: one of `FINDERS`, or "" for the first that is there.

    Raises:
        CliError: it is not there, or none is.
    """
    for name in [wanted] if wanted else FINDERS:
        if found := FINDERS[name]():
            return found
    missing = f"{wanted} is not" if wanted else "neither docker, buildx nor podman is"
    raise CliError(
        f"{missing} among the programs of this machine",
        hint="install it, or look at PATH; without --external the bot builds in its cluster",
    )


def _find_docker() -> ImageBuilder | None:
    program = shutil.which("docker")
    if program is None:
        return None
    if "podman" in answer_of([program, "--version"]).lower():
        return _Podman(program)
    return _Buildx(program, "buildx") if answer_of([program, "buildx", "version"]) else _Docker(program)


def _find_buildx() -> ImageBuilder | None:
    docker = _find_docker()
    if isinstance(docker, _Buildx):
        return docker
    program = shutil.which("buildx")
    return _Buildx(program) if program else None


def _find_podman() -> ImageBuilder | None:
    program = shutil.which("podman")
    return _Podman(program) if program else None


FINDERS: Mapping[str, Callable[[], ImageBuilder | None]] = {
    "docker": _find_docker,
    "buildx": _find_buildx,
    "podman": _find_podman,
}


def _login(program: str, build: LocalBuild) -> str:
    return f"where the push was refused: `{program} login {build.host}`; {NOTHING}"


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _digest(program: str, build: LocalBuild, digest: str) -> str:
    """Return the digest; raise CliError where it is none: a tag alone could be another image tomorrow."""
    if DIGEST.fullmatch(digest):
        return digest
    raise CliError(
        f"{program} pushed {build.name} and did not say its digest",
        hint=f"{NOTHING}; a newer {program} may say it, or register the image with --image",
    )

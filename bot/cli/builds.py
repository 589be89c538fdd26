"""`convox-bot build` and `convox-bot deploy`: from a folder to a build and its release, and to production (contract 4)."""

import http.client
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from bot.cli.client import RackClient
from bot.cli.external_builds import ExternalBuild, build_here
from bot.cli.files import read_file
from bot.cli.git import origin, remote
from bot.cli.live_line import live_line
from bot.cli.output import notice, prints_json, say, show_document, write
from bot.cli.packaging.package import built_services, service_names
from bot.cli.rack_url import CliError
from bot.cli.screen import harmless
from bot.cli.source_builds import GOOD, BuildLogReader, start_build, upload_folder
from bot.cli.steps import Steps
from bot.cli.terminal import EXIT_OK, complain, do, rack_of_environment
from bot.cli.uploads import UploadedSource
from core.records.repository import repository_url


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What a build was asked for with.

    Attributes:
        folder: what is built; the manifest lies in it.
        manifest: by the path from there.
        images: service → image that exists already.
        description, git_sha, repository: None for what git says of the manifest's repository.
        build_args: name → value, for each Dockerfile.
        no_cache: each of its steps is run anew.
        only_newest: builds of the app that still wait are called off.
        external: this machine builds, with the program of that name, or the first that is there where it is "".
        registry: where this machine pushes; None for what its environment says.
        git: a repository that the cluster clones and builds in place of the folder, and its branch, tag or commit as `ref`.
    """

    app: str
    folder: Path
    manifest: Path
    images: Mapping[str, str]
    description: str | None = None
    git_sha: str | None = None
    repository: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    no_cache: bool = False
    only_newest: bool = False
    external: str | None = None
    registry: str | None = None
    git: str = ""
    ref: str = ""

    def only_built(self) -> Mapping[str, Any]:
        """What is said of builds that the bot makes, by the names of the API; it refuses them where it makes none."""
        return {
            "build-args": dict(self.build_args),
            "no-cache": self.no_cache,
            "only-newest": self.only_newest,
        }


def build(options: BuildOptions, *, only_id: bool = False) -> int:
    """Build a folder, or register what was built elsewhere where every service has its image.

    Args:
        options: of what.
        only_id: standard output is for a script, which wants the id of the release and nothing else, as in Convox.

    Returns:
        0, with `Build: B…` and `Release: R…` on stdout, or as a document alone; 1 with the sentence on stderr.
    """
    out = sys.stderr if only_id or prints_json() else sys.stdout
    try:
        made = _made(options, out)
    except CliError as error:
        return complain(error)
    if prints_json():
        _show(options.app, made)
        return EXIT_OK
    say(f"Build: {made.id}\nRelease: {made.release}", out)
    if only_id:
        write(harmless(made.release, sys.stdout), sys.stdout, end="")
    return EXIT_OK


def deploy(options: BuildOptions, *, wait: bool = True, force: bool = False) -> int:
    """Build as `build` does and promote the release; whoever may not promote makes neither.

    Args:
        options: of what.
        wait: stay until the verdict.
        force: what is rolling out is taken over.

    Returns:
        what `do releases promote` returns; 1 where there was no build.
    """
    try:
        made = _made(options, sys.stderr if prints_json() else sys.stdout, promote=True)
    except CliError as error:
        return complain(error)
    if prints_json():
        _show(options.app, made)
    words = ["releases", "promote", made.release, "-a", options.app]
    return do([*words, "--force"] if force else words, wait=wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """A build that is complete, and its release."""

    id: str
    release: str


def _show(app: str, made: BuildResult) -> None:
    show_document({"id": made.id, "app": app, "release": made.release, "status": GOOD})


def _made(options: BuildOptions, out: TextIO, *, promote: bool = False) -> BuildResult:
    """Return what the bot has made; `promote`: that the release is promoted next."""
    if options.git:
        return _built_of_git(options, out, promote=promote)
    manifest = options.folder / options.manifest
    text = read_file(manifest, hint="-m names another manifest")
    document: dict[str, Any] = {
        "manifest": text,
        "images": dict(options.images),
        **origin(manifest, options.description, options.git_sha),
    }
    came_from = options.repository if options.repository is not None else remote(manifest)
    if address := repository_url(came_from):
        document["repository"] = address
    if promote:
        document["promote"] = True
    rack = RackClient(rack_of_environment())
    wanted = [name for name in built_services(text) if name not in options.images]
    if wanted:
        _check_images(service_names(text), options.images)
    if wanted and options.external is not None:
        document["images"] |= _pushed(options, text, wanted, out)
    else:
        document |= {key: value for key, value in options.only_built().items() if value}
        if wanted:
            if options.images:
                notice(
                    f"no --image is given of {', '.join(wanted)}, so the rack is asked to build the folder"
                )
            return _built(rack, options, document, out)
    made = rack.register(options.app, document)
    _note(made)
    return BuildResult(id=made["id"], release=made["release"])


def _check_images(services: Sequence[str], images: Mapping[str, str]) -> None:
    """Raise CliError where an image is of no service: the bot would say so, but only once all is uploaded or pushed."""
    unknown = [repr(name[:63]) for name in images if name not in services]
    if services and unknown:
        raise CliError(
            f"no such service: {', '.join(unknown)}",
            hint=f"the manifest has {', '.join(services)}; nothing was built",
        )


def _pushed(options: BuildOptions, manifest: str, services: Sequence[str], out: TextIO) -> dict[str, str]:
    """Let this machine build services and push them, and return their images."""
    asked = ExternalBuild(
        builder=options.external or "",
        registry=options.registry,
        build_args=options.build_args,
        no_cache=options.no_cache,
    )
    with _when_interrupted("nothing was registered; what was pushed so far stays in the registry"):
        return build_here(options.app, options.folder, manifest, services, asked, out)


def _built(rack: RackClient, options: BuildOptions, document: dict[str, Any], out: TextIO) -> BuildResult:
    """Let the bot build the folder, and print its log."""
    steps, path = Steps(out), options.manifest.as_posix()

    def upload() -> UploadedSource:
        with _when_interrupted("nothing was built; the same command goes on with the upload where it was"):
            return upload_folder(
                rack, options.app, options.folder, (path, document["manifest"]), steps, notice
            )

    document["manifest-path"] = path
    source = upload()
    try:
        return _run(rack, options.app, document | {"source": source.id}, out)
    except CliError as refused:
        # A source makes one build, and the same folder in two jobs of CI at once is one source while it is on its way.
        if refused.status != http.client.CONFLICT or not source.shared:
            raise
        notice(f"{refused.sentence}: another command uploaded the same, so this one uploads it once more")
    return _run(rack, options.app, document | {"source": upload().id}, out)


def _built_of_git(options: BuildOptions, out: TextIO, *, promote: bool) -> BuildResult:
    """Let the bot clone and build a repository, and print its log."""
    rack, path = RackClient(rack_of_environment()), options.manifest.as_posix()
    said: dict[str, Any] = {
        "ref": options.ref,
        "images": dict(options.images),
        "description": options.description or "",
        "promote": promote,
        "manifest-path": path,
        **options.only_built(),
    }
    document = {"git": options.git} | {key: value for key, value in said.items() if value}
    return _run(rack, options.app, document, out)


def _run(rack: RackClient, app: str, document: Mapping[str, Any], out: TextIO) -> BuildResult:
    """Start a build, print its log until it has ended, and return what it has made."""
    with _when_interrupted(
        f"it may have been started all the same: `convox-bot do builds -a {app}` shows it"
    ):
        started = start_build(rack, app, document, Steps(out))
    _note(started)
    if ahead := started.get("ahead"):
        notice(f"{ahead} of {app}'s builds come before {started['id']}")
    followed = BuildLogReader(rack, app, started["id"], notice)
    with _when_interrupted(_goes_on(started["id"], app)), live_line(out) as show:
        for line in followed.lines(show):
            say(line, out)
    return BuildResult(id=started["id"], release=followed.release)


def _goes_on(build: str, app: str) -> str:
    return (
        f"{build} goes on without this terminal: `convox-bot do builds info {build} -a {app}` shows it,"
        f" `convox-bot do builds cancel {build} -a {app}` stops it"
    )


@contextmanager
def _when_interrupted(sentence: str) -> Generator[None]:
    """Say what becomes of it where somebody types Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        notice(sentence)
        raise


def _note(made: Mapping[str, Any]) -> None:
    for note in (*([made["note"]] if "note" in made else []), *made.get("notes", ())):
        notice(str(note))

"""`build` and `deploy` as they are typed: their options, what is wrong between them, and what they start."""

# ruff: noqa: PLC0415 - `do` must not wait for what only these need

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.operator import NewCommand
from bot.cli.output import fail
from core.manifest.images import image_problem

if TYPE_CHECKING:
    from bot.cli.builds import BuildOptions

NO_WAIT = "--no-wait"
EXTERNAL = ("docker", "buildx", "podman")


def add_build_commands(command: NewCommand) -> None:
    """Add them to the parser; `command` takes a name, what it does, and what runs it."""
    build = command(
        "build", "build a folder, or register its images, with the bot of RACK_URL: a release", _build
    )
    _add_build(build)
    build.add_argument("--id", action="store_true", help="print the id of the release and nothing else")
    _add_deploy(command("deploy", "build, and promote the release, as `do` does", _deploy))


def _add_deploy(parser: argparse.ArgumentParser) -> None:
    _add_build(parser)
    parser.add_argument("--force", action="store_true", help="take over from what is rolling out")
    parser.add_argument(NO_WAIT, action="store_true", help="return once the promotion is asked for")


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder of the app (default: %(default)s)",
    )
    parser.add_argument("-a", "--app", required=True, metavar="APP", help="the app that the build is of")
    parser.add_argument(
        "-m",
        "--manifest",
        type=Path,
        default=Path("convox.yml"),
        metavar="FILE",
        help="the app's manifest, by its path from DIR (default: %(default)s)",
    )
    parser.add_argument(
        "--image",
        action="append",
        type=_image,
        default=[],
        metavar="SERVICE=REF",
        help="what is not to be built, since it was elsewhere; pin it as REPOSITORY@sha256:…",
    )
    parser.add_argument(
        "-d",
        "--description",
        metavar="TEXT",
        help="what people read in lists (default: build, the commit's sha and subject, from git)",
    )
    parser.add_argument(
        "--build-args",
        action="append",
        type=variable,
        default=[],
        metavar="KEY=VALUE",
        help="an argument for each Dockerfile; as often as wanted",
    )
    parser.add_argument("--no-cache", action="store_true", help="run each step of the Dockerfiles anew")
    parser.add_argument("--only-newest", action="store_true", help="call off builds of APP that still wait")
    parser.add_argument("--git", metavar="URL", help="have the cluster clone and build this repository")
    parser.add_argument("--ref", metavar="REF", help="its branch, tag or commit")
    _add_external(parser)
    parser.add_argument(
        "--git-sha", metavar="SHA", help="the commit (default: HEAD of the manifest's repository)"
    )
    parser.add_argument(
        "--repository",
        metavar="URL",
        help="where the commit lies, for links (default: its remote `origin`, without credentials)",
    )


def _add_external(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--external",
        action="store_const",
        const="",
        help="build and push on this machine, with docker, buildx or podman; "
        "--external=podman (docker, buildx) says which (default: the first that is there)",
    )
    # Each in one word, since argparse would take the DIR behind a bare `--external` for its value.
    for name in EXTERNAL:
        parser.add_argument(
            f"--external={name}",
            action="store_const",
            const=name,
            dest="external",
            help=argparse.SUPPRESS,
        )
    parser.add_argument(
        "--registry",
        metavar="HOST/PATH",
        help="where --external pushes (default: CONVOX_REGISTRY of the environment)",
    )


def _image(text: str) -> tuple[str, str]:
    service, equals, reference = text.partition("=")
    if not (service and equals and reference):
        raise argparse.ArgumentTypeError(f"not SERVICE=REF: {text}")
    return service, reference


def variable(text: str) -> tuple[str, str]:
    """Return what `KEY=VALUE` says, for argparse."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"not KEY=VALUE: {key}")
    return key, value


def _build(arguments: argparse.Namespace) -> int:
    from bot.cli.builds import build

    if wrong := build_problem(arguments) or reference_problem(arguments):
        return fail([f"convox-bot build: {wrong}"])
    return build(_build_options(arguments), only_id=arguments.id)


def _deploy(arguments: argparse.Namespace) -> int:
    from bot.cli.builds import deploy

    if wrong := build_problem(arguments) or reference_problem(arguments):
        return fail([f"convox-bot deploy: {wrong}"])
    return deploy(_build_options(arguments), wait=not arguments.no_wait, force=arguments.force)


def build_problem(arguments: argparse.Namespace) -> str:
    """Return what is wrong between the flags of a build, "" where nothing is."""
    if len(dict(arguments.image)) < len(arguments.image):
        return "--image names a service twice"
    if arguments.registry is not None and arguments.external is None:
        return "--registry says where --external pushes, and that is not given"
    if arguments.git is None:
        if arguments.ref is not None:
            return "--ref is a branch, a tag or a commit of --git, and that is not given"
    elif said := _git_problem(arguments):
        return said
    if arguments.only_newest and arguments.external is not None:
        return "--only-newest is of builds that wait for the cluster, and with --external none waits"
    return ""


def reference_problem(arguments: argparse.Namespace) -> str:
    """Return which image is none, "" where all are: said before a folder is packed and sent; what a tag names only the bot can tell."""
    for service, reference in arguments.image:
        if why := image_problem(reference):
            return f"image of {service} is no image reference ({why}): {reference[:80]!r}"
    return ""


def _git_problem(arguments: argparse.Namespace) -> str:
    """Return what is wrong with `--git` and beside it, "" where nothing is."""
    if not arguments.git:  # else the folder would be built in its place
        return "--git is empty and is the address of a repository: is a variable not set?"
    said = _beside_git(arguments)
    return f"{said}: of --git the cluster builds what it clones" if said else ""


def _beside_git(arguments: argparse.Namespace) -> str:
    """Return which flags say of a folder what a repository says itself."""
    flags = {
        "DIR": arguments.folder != Path(),
        "--git-sha": arguments.git_sha is not None,
        "--repository": arguments.repository is not None,
        "--external": arguments.external is not None,
    }
    return ", ".join(name for name, given in flags.items() if given)


def _build_options(arguments: argparse.Namespace) -> "BuildOptions":
    """Return what the flags of a build say."""
    from bot.cli.builds import BuildOptions

    return BuildOptions(
        app=arguments.app,
        folder=arguments.folder,
        manifest=arguments.manifest,
        images=dict(arguments.image),
        description=arguments.description,
        git_sha=arguments.git_sha,
        repository=arguments.repository,
        build_args=dict(arguments.build_args),
        no_cache=arguments.no_cache,
        only_newest=arguments.only_newest,
        external=arguments.external,
        registry=arguments.registry,
        git=arguments.git or "",
        ref=arguments.ref or "",
    )

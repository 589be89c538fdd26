"""`convox-bot build` and `convox-bot deploy`: from a folder to a build and its release, and to production (contract 4)."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.cli.client import RackClient
from bot.cli.files import read_file
from bot.cli.rack_url import CliError
from bot.cli.terminal import EXIT_OK, complain, do, rack_of_environment, say
from core.records.repository import repository_url

# Git answers from the disk; a repository on a dead network share must not hang a pipeline.
GIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What a build was asked for with.

    Attributes:
        folder: what is built; the manifest lies in it.
        manifest: by the path from there.
        images: service → image that exists already.
        description, git_sha, repository: None for what git says of the manifest's repository.
    """

    app: str
    folder: Path
    manifest: Path
    images: Mapping[str, str]
    description: str | None = None
    git_sha: str | None = None
    repository: str | None = None


def build(options: BuildOptions, *, only_id: bool = False) -> int:
    """Register a build.

    Args:
        options: of what.
        only_id: standard output is for a script, which wants the id of the release and nothing else, as in Convox.

    Returns:
        0, with `Build: B…` and `Release: R…` on stdout; 1 with the sentence on stderr.
    """
    try:
        made = _registered(options)
    except CliError as error:
        return complain(error)
    say(f"Build: {made['id']}\nRelease: {made['release']}", sys.stderr if only_id else None)
    if only_id:
        sys.stdout.write(made["release"])
        sys.stdout.flush()
    return EXIT_OK


def deploy(options: BuildOptions, *, wait: bool = True, force: bool = False) -> int:
    """Register a build and promote its release; whoever may not promote makes neither.

    Args:
        options: of what.
        wait: stay until the verdict.
        force: what is rolling out is taken over.

    Returns:
        what `do releases promote` returns; 1 where there was no build.
    """
    try:
        made = _registered(options, promote=True)
    except CliError as error:
        return complain(error)
    words = ["releases", "promote", made["release"], "-a", options.app]
    return do([*words, "--force"] if force else words, wait=wait)


def _registered(options: BuildOptions, *, promote: bool = False) -> dict[str, Any]:
    """Return what the bot has made, and say what it notes; `promote`: that the release is promoted next."""
    manifest = options.folder / options.manifest
    document: dict[str, Any] = {
        "manifest": read_file(manifest, hint="-m names another manifest"),
        "images": dict(options.images),
        **_origin(manifest, options.description, options.git_sha),
    }
    remote = options.repository if options.repository is not None else _remote(manifest)
    if address := repository_url(remote):
        document["repository"] = address
    if promote:
        document["promote"] = True
    made = RackClient(rack_of_environment()).register(options.app, document)
    for note in (*([made["note"]] if "note" in made else []), *made.get("notes", ())):
        say(f"Note: {note}", sys.stderr)
    return made


def _origin(manifest: Path, description: str | None, git_sha: str | None) -> dict[str, str]:
    """Return description and git-sha; an empty description is filled with the time by the bot."""
    folder = manifest.parent
    commit = _git(folder, "log", "-1", "--format=%H%n%s", "--end-of-options", git_sha or "HEAD", "--")
    sha, _, subject = (commit or "").partition("\n")
    if description is None:
        # As Convox: what is not committed is not described by a commit. Untracked files do not count.
        clean = bool(sha) and _git(folder, "diff", "--quiet", "--no-ext-diff") is not None
        description = f"build {sha[:10]} {subject}".strip() if clean else ""
    return {"description": description, "git-sha": git_sha if git_sha is not None else sha}


def _remote(manifest: Path) -> str:
    """Return where the repository of the manifest was cloned from; a path on this machine is nowhere for anybody else."""
    remote = _git(manifest.parent, "remote", "get-url", "origin") or ""
    return remote if repository_url(remote).startswith("https://") else ""


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, or None where it fails, is missing, or there is no repository."""
    command = ["git", "-C", str(folder), "-c", "log.showSignature=false", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            command, capture_output=True, check=True, timeout=GIT_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()

"""What git knows of the folder that is built: which commit it is, and where it came from."""

import subprocess
from pathlib import Path

from core.records.repository import repository_url

# Git answers from the disk; a repository on a dead network share must not hang a pipeline.
GIT_SECONDS = 20.0


def origin(manifest: Path, description: str | None, git_sha: str | None) -> dict[str, str]:
    """Return description and git-sha, and when that was committed; an empty description is filled with the time by the bot."""
    folder = manifest.parent
    commit = _git(folder, "log", "-1", "--format=%H %cI%n%s", "--end-of-options", git_sha or "HEAD", "--")
    told, _, subject = (commit or "").partition("\n")
    sha, _, committed_at = told.partition(" ")
    if description is None:
        # As Convox: what is not committed is not described by a commit. Untracked files do not count.
        clean = bool(sha) and _git(folder, "diff", "--quiet", "--no-ext-diff") is not None
        description = f"build {sha[:10]} {subject}".strip() if clean else ""
    when = {"committed-at": committed_at} if committed_at else {}
    return {"description": description, "git-sha": git_sha if git_sha is not None else sha, **when}


def remote(manifest: Path) -> str:
    """Return where the repository of the manifest was cloned from; a path on this machine is nowhere for anybody else."""
    address = _git(manifest.parent, "remote", "get-url", "origin") or ""
    return address if repository_url(address).startswith("https://") else ""


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

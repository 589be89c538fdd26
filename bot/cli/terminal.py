"""`convox-bot do` and `convox-bot build`: what Slack can do, from a shell and from CI (contract 4 and 5)."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from bot.cli.client import Rack, Told
from bot.cli.rack_url import RackUrl, Refused
from core.promotion import Phase

DONE, REFUSED, AWAITING, INTERRUPTED = 0, 1, 3, 130
# Git answers from the disk; a repository on a dead network share must not hang a pipeline.
GIT_SECONDS = 20.0


def do(words: Sequence[str], *, wait: bool = True, pause: Callable[[float], None] = time.sleep) -> int:
    """Carry out a command and, where it asks for a promotion, follow that to its verdict.

    Args:
        words: as typed; each reaches the bot exactly.
        wait: stay until the verdict; without it, return once the promotion is asked for.
        pause: how to wait before a lost connection is tried again.

    Returns:
        0 for an answer and for `OK`, 1 for `ERROR:`; without `wait` 3 where an approval is awaited.
    """
    try:
        rack = Rack(_url(), pause=pause)
        answer = rack.command(_joined(words))
        _say(answer.text)
        if answer.promotion is None:
            return DONE
        if not wait:
            return AWAITING if answer.phase == Phase.AWAITING_APPROVAL else DONE
        return _follow(rack, answer)
    except Refused as refused:
        return _complain(refused)


def _url() -> RackUrl:
    return RackUrl.read(os.environ.get("RACK_URL", ""))


def _joined(words: Sequence[str]) -> str:
    text = shlex.join(words)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(
            "what you typed is not UTF-8 text", hint="values are text; encode others, with base64"
        ) from None
    return text


def _follow(rack: Rack, answer: Told) -> int:
    assert answer.promotion is not None
    last = ""
    try:
        for last in rack.follow(answer.promotion, lambda loss: _say(f"Note: {loss}", sys.stderr)):
            _say(last)
    except KeyboardInterrupt:
        _say(
            f"\n{answer.promotion} goes on without this terminal; `convox-bot do apps cancel APP` stops it",
            sys.stderr,
        )
        return INTERRUPTED
    return REFUSED if last.startswith("ERROR:") else DONE


def build(
    app: str,
    *,
    manifest: Path,
    images: Mapping[str, str],
    description: str | None = None,
    git_sha: str | None = None,
) -> int:
    """Register a build; what is not given comes from the git repository of the manifest, where there is one.

    Returns:
        0, with `Build: B…` and `Release: R…` on stdout; 1 with the sentence on stderr.
    """
    try:
        document = {
            "manifest": _read(manifest),
            "images": dict(images),
            **_origin(manifest, description, git_sha),
        }
        made = Rack(_url()).register(app, document)
    except Refused as refused:
        return _complain(refused)
    if "note" in made:
        _say(f"Note: {made['note']}", sys.stderr)
    _say(f"Build: {made['id']}\nRelease: {made['release']}")
    return DONE


def _read(manifest: Path) -> str:
    try:
        return manifest.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(
            f"{manifest} cannot be read: {error.strerror}", hint="-m names another manifest"
        ) from None
    except UnicodeDecodeError:
        raise Refused(f"{manifest} is not UTF-8 text") from None


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


def _complain(refused: Refused) -> int:
    if refused.text:
        _say(refused.text)
    _say(f"ERROR: {refused.sentence}", sys.stderr)
    if refused.hint:
        _say(refused.hint, sys.stderr)
    return REFUSED


def _say(text: str, stream: TextIO | None = None) -> None:
    """Write now, since whoever watches a rollout through a pipe wants each line when it comes."""
    out = stream or sys.stdout
    out.write(text + "\n")
    out.flush()

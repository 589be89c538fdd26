"""Why a build failed, as its log tells: BuildKit's own words, and what mends it where that is known.

The words are those of BuildKit v0.34, RootlessKit and containerd's client of registries, all seen in `tests/builders`.
"""

import re
from collections.abc import Sequence

# How BuildKit, its client and the script of a build begin the line that says what went wrong, the plainest first.
CAUSES = ("error: failed to solve: ", "ERROR: failed to solve: ", "error: ", "ERROR: ")
LONGEST_CAUSE = 300  # characters; the log has the rest
# What BuildKit's client says after its daemon has not come up; what that has written follows.
_NO_DAEMON = re.compile(r"could not connect to unix://\S+ after \d+ trials")
_DAEMON = re.compile(r"(?:\[rootlesskit:[a-z]+\] error|buildkitd): (.+)")
# Names of BuildKit's own for what it looks through.
_NOISE = re.compile(r"failed to compute cache key: failed to calculate checksum of ref \S+: ")
_LOGIN = "does the registry take CONVOX_REGISTRY_USER and CONVOX_REGISTRY_PASSWORD, and may that account push there?"
_NETWORK = "is the registry up, and does the NetworkPolicy of deploy/builds.yaml let builds reach it?"
_USERS = (
    "the nodes must let an ordinary user make user namespaces, as deploy/builds.yaml says at its beginning"
)
_DISK = "CONVOX_BUILD_DISK gives it more"
_FULL = "the disk of the registry is full: delete images there, or give it more room; CONVOX_BUILD_DISK does not help"
# What stands in the words of BuildKit, all of it, the narrowest first → what a person may do. A registry that keeps blobs in files
# answers with the error number of its disk: 28 is ENOSPC (errno(3)).
_HINTS = (
    (("failed to push ", "401 Unauthorized"), _LOGIN),
    (("failed to push ", "403 Forbidden"), _LOGIN),
    (("failed to push ", "authorization failed"), _LOGIN),
    (("failed to push ", "insufficient_scope"), _LOGIN),
    (("failed to push ", "dial tcp"), _NETWORK),
    (("failed to push ", "i/o timeout"), _NETWORK),
    (("no space left on device", "/.local/share/buildkit/"), _DISK),
    (("no space left on device", "/var/lib/buildkit/"), _DISK),
    (("failed to push ", "no space left on device"), _FULL),
    (("failed to push ", '"Err":28'), _FULL),
    (("failed to push ", "507 Insufficient Storage"), _FULL),
    (
        ("failed to push ", "500 Internal Server Error"),
        "the registry has failed, and its own log says why: is its disk full?",
    ),
    (("no space left on device",), _DISK),
    (
        ("exit code: 137",),
        "137 is a process that was killed, mostly for its memory: CONVOX_BUILD_MEMORY gives it more",
    ),
    (('": not found',), "it is not in the source, or .dockerignore keeps it out"),
    (
        ("failed to resolve source metadata",),
        "is its name right, and has the app a login there (`registries add`)?",
    ),
)


def cause_in(lines: Sequence[str]) -> str:
    """Return what says why a build failed, without what every such line begins with, or ""."""
    for beginning in CAUSES:
        for line in reversed(lines):
            if line.startswith(beginning):
                return _with_hint(line.removeprefix(beginning).strip())
    return _daemon(lines)


def _with_hint(said: str) -> str:
    said = _NOISE.sub("", said)
    hint = next((hint for words, hint in _HINTS if all(word in said for word in words)), "")
    short = said if len(said) <= LONGEST_CAUSE else f"{said[:LONGEST_CAUSE]}…"
    return f"{short}; {hint}" if hint else short


def _daemon(lines: Sequence[str]) -> str:
    """Return why BuildKit itself did not start, or "": its own log follows, the cause at its end."""
    at = next((at for at, line in enumerate(lines) if _NO_DAEMON.fullmatch(line)), None)
    if at is None:
        return ""
    told = [found[1] for line in lines[at:] if (found := _DAEMON.fullmatch(line))]
    said = f"BuildKit did not start: {told[-1] if told else 'its log says why'}"[:LONGEST_CAUSE]
    return f"{said}; {_USERS}" if "operation not permitted" in said.lower() else said

"""Named places at which a test may end the process, so that every crash is tried and not imagined.

In production `failpoint()` does nothing. The crash-point sweep arms one name and the process dies there.
"""

from collections.abc import Callable

NAMES = (
    "request.before_commit",
    "request.after_commit",
    "approve.before_commit",
    "approve.after_commit",
    "cancel.before_commit",
    "cancel.after_commit",
    "takeover.before_commit",
    "start.after_look",
    "start.after_preflight",
    "start.after_intent",
    "step.after_sent",
    "step.after_effect",
    "step.after_done",
    "applied.before_commit",
    "applied.after_commit",
    "verify.after_lines",
    "verified.after_commit",
    "broken.after_evidence",
    "broken.after_commit",
    "countdown.before_commit",
    "countdown.after_commit",
    "back.after_apply",
    "back.after_commit",
    "settle.before_commit",
    "settle.after_commit",
    "prune.after_suspend",
    "prune.after_remove",
    "scale.after_request",
    "scale.after_effect",
    "outbox.after_sending",
    "outbox.after_post",
)

# Those of builds, which no promotion passes; the sweep has queues of them for these. Only what is cloned passes `after_clone`.
BUILD_NAMES = (
    "build.before_secret",
    "build.after_clone",
    "build.after_start",
    "build.after_job",
    "build.after_log",
    "build.after_release",
    "build.after_failure",
    "build.after_removal",
)

_hook: Callable[[str], None] | None = None


def arm(hook: Callable[[str], None] | None) -> None:
    """Call `hook` with the name of every failpoint passed from now on; None disarms."""
    global _hook  # noqa: PLW0603 - the one switch of a process, thrown by tests only
    _hook = hook


def failpoint(name: str) -> None:
    """Mark a place between two effects; `name` is one of NAMES or BUILD_NAMES."""
    if _hook is not None:
        assert name in NAMES or name in BUILD_NAMES, name
        _hook(name)

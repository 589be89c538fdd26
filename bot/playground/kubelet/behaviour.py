"""What a container of the playground does once it is started, chosen by words in its image's name."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum


class Pull(StrEnum):
    """How pulling the image ends."""

    OK = "ok"
    NOT_FOUND = "notfound"
    UNAUTHORISED = "unauthorised"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFailure:
    """What a lifecycle hook that fails ends with: its exit code, and all that it wrote."""

    exit_code: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One kind of container: how its pull ends and what each of its runs does.

    Attributes:
        pull: how pulling its image ends.
        pull_takes: seconds until an image has come.
        exits_after: seconds from the start of a run to its end; `None` runs for ever.
        exit_code: what it ends with.
        reason: the reason of the terminated state.
        runs_that_exit: how many runs end like this before one stays; `None` is every one.
        listens_after: seconds until it answers on its port.
        ready: whether its readiness probe ever passes.
        alive: whether its liveness probe passes.
        ignores_sigterm: it ends only when its grace period does.
        last_words: all that is logged of a run, in place of what a program of ours says.
        message: what it writes into the file of its last words.
        post_start: how its postStart hook fails, if it has one; `pre_stop`: its preStop hook.
    """

    pull: Pull = Pull.OK
    pull_takes: float = 0.15
    exits_after: float | None = None
    exit_code: int = 0
    reason: str = "Completed"
    runs_that_exit: int | None = None
    listens_after: float = 0.0
    ready: bool = True
    alive: bool = True
    ignores_sigterm: bool = False
    last_words: str = ""
    message: str = ""
    post_start: HookFailure | None = None
    pre_stop: HookFailure | None = None

    def listens(self, restarts: int) -> bool:
        """Say whether the run after that many restarts lives long enough to answer on its port."""
        return not self.run_exits(restarts) or (self.exits_after or 0.0) > 1.0

    def run_exits(self, restarts: int) -> bool:
        """Say whether the run after that many restarts ends by itself."""
        if self.exits_after is None:
            return False
        return self.runs_that_exit is None or restarts < self.runs_that_exit


GOOD = Behaviour()
# How long what runs to its end takes for it, before what its image's name adds to that.
TASK_SECONDS = 2.0
# The first word that is found wins, so the longer ones stand before their beginnings.
BY_WORD: tuple[tuple[str, Behaviour], ...] = (
    ("notfound", Behaviour(pull=Pull.NOT_FOUND)),
    ("unauthorised", Behaviour(pull=Pull.UNAUTHORISED)),
    ("crash-late", Behaviour(exits_after=15.0, exit_code=1, reason="Error")),
    (
        "crash-twice",
        Behaviour(exits_after=0.4, exit_code=1, reason="Error", runs_that_exit=2),
    ),
    ("crash", Behaviour(exits_after=0.4, exit_code=1, reason="Error")),
    ("oom", Behaviour(exits_after=4.0, exit_code=137, reason="OOMKilled")),
    ("neverready", Behaviour(ready=False)),
    ("slow", Behaviour(listens_after=20.0)),
    ("huge", Behaviour(pull_takes=100.0)),
    ("exit-zero", Behaviour(exits_after=0.9, exit_code=0, reason="Completed")),
    ("liveness", Behaviour(alive=False)),
    ("deaf", Behaviour(ignores_sigterm=True)),
    # The runtime starts it, and the kernel cannot: only the log tells why (kubelet 1.37 with runc 1.5).
    (
        "arm64",
        Behaviour(
            exits_after=0.05,
            exit_code=255,
            reason="Error",
            last_words="exec /app/arm64: exec format error\n",
        ),
    ),
    ("poststart", Behaviour(post_start=HookFailure(exit_code=3, output="no table to warm\n"))),
    # Nothing else tells it to end, so it stays until its grace period is over.
    (
        "prestop",
        Behaviour(pre_stop=HookFailure(exit_code=4, output="nobody to hand over to\n"), ignores_sigterm=True),
    ),
)


def to_its_end(behaviour: Behaviour) -> Behaviour:
    """Return what a container does that is not started again: a process that serves for ever would never end."""
    lasts = behaviour.exits_after or TASK_SECONDS + behaviour.listens_after
    return replace(behaviour, exits_after=lasts, runs_that_exit=None)


def behaviour_of(image: str) -> Behaviour:
    """Return what a container of this image does.

    A word counts between characters that are not lower-case letters: `shop/web:crash2` crashes, `shop/oomph`
    does not run out of memory. The registry's host is not looked at.
    """
    host, slash, path = image.partition("/")
    name = path if slash and ("." in host or ":" in host or host == "localhost") else image
    for word, behaviour in BY_WORD:
        if re.search(rf"(?<![a-z]){word}(?![a-z])", name):
            return behaviour
    return GOOD

"""Who is told of a build in Slack: whether it has a card and where, what its card compares, and what stands in its thread."""

import re
from collections.abc import Sequence
from datetime import datetime

from core.actor import Caller
from core.build_run import BuildRun
from core.policy.authorization import Policy
from core.ports.store import StoreReader
from core.records.app import App
from core.records.build import BuildEntry, BuildStatus
from core.records.line import Line

# Of BuildKit's plain log what names a step, and what says that one has failed; what a step writes has its time in front.
_STEP = re.compile(
    r"#\d{1,6} (?P<said>\[(?!internal\]|auth\])[^\]]{1,200}\] .{1,2000}|ERROR: .{1,2000})", re.DOTALL
)

# Lines of one log in a thread: a minute of what Slack takes of one channel, at the size of its messages.
MOST_THREAD_LINES = 2_000


def card_channel(caller: Caller, app: App, policy: Policy, *, to_promote: bool) -> str | None:
    """Return the channel of a build's card, None where it has none.

    Who asks in Slack sees a card, as of a promotion, and a push is seen by everybody in the app's channel; of what a terminal or CI asks for a channel hears only where builds are
    announced, it is not quiet, and the build is not to be promoted at once (contract 9.4).
    """
    rules = policy.rules(app.name)
    channel = app.channel or rules.channel or caller.channel
    if channel is None or caller.source == "slack" or caller.actor.kind == "webhook":
        return channel
    loud = rules.announce_builds and policy.verbosity(app.name, channel) != "quiet"
    return channel if loud and not to_promote else None


def step_lines(lines: Sequence[str], at: datetime) -> list[Line]:
    """Return the steps that lines of a log name, for the thread; a step that several images share is one."""
    found = (_STEP.fullmatch(line) for line in lines)
    return [
        Line(at=at, object="build", text=each["said"], key=each["said"], kind="step")
        for each in found
        if each
    ]


def log_lines(lines: Sequence[str], at: datetime, *, last: int) -> list[Line]:
    """Return lines of a log as they are, for a thread that has all of it; beyond so many one that says no more is there.

    `last`: the number of the last of them in the log.
    """
    first = last - len(lines) + 1
    told = [
        Line(at=at, object="build", text=text, key=f"log {number}", kind="log")
        for number, text in enumerate(lines, start=first)
        if number <= MOST_THREAD_LINES and text.strip()
    ]
    if last > MOST_THREAD_LINES:
        said = f"[the thread has the first {MOST_THREAD_LINES:,} lines; `builds logs` has the rest]"
        told.append(Line(at=at, object="build", text=said, key="log cut", kind="log"))
    return told


async def active_build(read: StoreReader, app: str) -> BuildEntry | None:
    """Return the build that an app runs now, with which a new one is compared."""
    active = (await read.any_app(app)).active_release
    build = (await read.release_entry(app, active)).build if active else None
    return await read.build_entry(app, build) if build else None


def going_builds(app: str, runs: Sequence[BuildRun]) -> list[BuildRun]:
    """Return which of these builds of an app run or wait, in the order of their turns."""
    return [run for run in runs if run.app == app and not run.ended]


async def builds_ahead(read: StoreReader, run: BuildRun) -> int:
    """Return how many builds of its app come before one that waits."""
    if run.status is not BuildStatus.CREATED:
        return 0
    going = [each.id for each in going_builds(run.app, await read.open_builds())]
    return going.index(run.id) if run.id in going else 0

"""How a build ends, whoever finds out: what drives it, what takes what its clone tells, or whoever stops it."""

from datetime import datetime

from core.actor import Actor
from core.build_run import BuildRun
from core.lifecycle.build_telling import going_builds
from core.ports.store import Transaction
from core.records.build import BuildStatus
from core.records.line import Line
from core.sentence import Sentence

# Lines of the log that stand in the thread of a build that has failed: BuildKit quotes the Dockerfile after the cause.
EVIDENCE_LINES = 30


async def end_build(tx: Transaction, ended: BuildRun, *, was: BuildStatus) -> None:
    """Store a build that has ended, and ask for the last message of its thread where it has one.

    Raises:
        Conflict: it no longer is what it `was`.
    """
    await tx.save_build_run(ended, was=was)
    if await tx.card(ended.id) is None:
        return
    if ended.status is BuildStatus.FAILED:
        last = await tx.last_build_line(ended.id)
        lines = await tx.build_lines(ended.id, max(0, last - EVIDENCE_LINES))
        await tx.add_lines(
            ended.id, [_evidence(ended.id, [text for _, text in lines], tx.now)] if lines else []
        )
    await tx.add_terminal(ended.id)


async def cancel_builds(tx: Transaction, app: str, actor: Actor) -> None:
    """End all builds of an app that goes: one that went on would make a release of whatever takes its name."""
    for run in going_builds(app, await tx.open_builds()):
        reason = Sentence.of(f"{app} was deleted by ", actor)
        await end_build(tx, run.cancelled(reason, tx.now), was=run.status)
        await tx.audit(actor, "build.cancel", run.id, {"app": app})


async def fail_build(tx: Transaction, run: BuildRun, reason: Sentence) -> None:
    """End a build with the sentence that says why, which its log has as its last line.

    Raises:
        Conflict: it has ended meanwhile.
    """
    await end_build(tx, run.failed(reason, tx.now), was=run.status)
    await tx.add_build_lines(run.id, [f"ERROR: {reason}"])
    await tx.audit(run.created_by, "build.fail", run.id, {"app": run.app})


def _evidence(build_id: str, lines: list[str], at: datetime) -> Line:
    told = "\n".join((f"the last lines of {build_id}:", *lines))
    return Line(at=at, object="build", text=told, key="evidence", kind="evidence")

"""How a build fails, whoever finds out: what drives it, or what takes what its clone tells."""

from core.build_run import BuildRun
from core.ports.store import Transaction
from core.sentence import Sentence


async def fail_build(tx: Transaction, run: BuildRun, reason: Sentence) -> None:
    """End a build with the sentence that says why, which its log has as its last line.

    Raises:
        Conflict: it has ended meanwhile.
    """
    await tx.save_build_run(run.failed(reason, tx.now), was=run.status)
    await tx.add_build_lines(run.id, [f"ERROR: {reason}"])
    await tx.audit(run.created_by, "build.fail", run.id, {"app": run.app})

"""What people are told of a rollout that nobody can see: after ten minutes on its card, after an hour in a message (engine rule 13)."""

from dataclasses import replace
from datetime import datetime

from core.ports.store import Transaction
from core.promotion import Promotion
from core.records.progress import Progress
from core.sentence import CommandLine, Sentence

# Engine rule 13. What is said in tens of minutes is edited six times an hour.
SAID_AFTER, ASKED_AFTER = 600.0, 3600.0
# A process that was away looks for so long itself before it calls anybody: a first look sees nothing until its watches have synced.
LOOKED_FOR = 120.0


def with_sight(progress: Progress, *, seen: bool, now: datetime) -> Progress:
    """Note since when nobody sees a rollout, and let its card say so; a look that sees ends it.

    Args:
        progress: after a look, with what is awaited.
        seen: whether the look saw everything that it should.
        now: of the look, by our own clock on the wall: a restart meanwhile sees no more.
    """
    if seen:
        return (
            progress
            if progress.blind_since is None
            else replace(progress, blind_since=None, blind_asked=False)
        )
    since = progress.blind_since or now
    blind = (now - since).total_seconds()
    waiting = progress.waiting
    if blind >= SAID_AFTER:
        minutes = int(blind // SAID_AFTER * SAID_AFTER // 60)
        waiting = f"not seen for {minutes} minutes, so nobody knows what became of it: {waiting}"
    return replace(progress, blind_since=since, waiting=waiting)


def asks(progress: Progress, now: datetime, looked: float) -> bool:
    """Tell whether a person is to be asked now: once for each time that it is out of sight.

    Args:
        progress: with since when.
        now: of the look, by our own clock on the wall, which a stop or a leap of that clock moves on by an hour as well.
        looked: for how many seconds this very process has looked and not seen it.
    """
    since = progress.blind_since
    if since is None or progress.blind_asked or looked < LOOKED_FOR:
        return False
    return (now - since).total_seconds() >= ASKED_AFTER


async def ask(tx: Transaction, promotion: Promotion) -> None:
    """Write the message in the thread of its card that calls those who wanted it: who asked, and who approved."""
    if promotion.channel is None:
        return
    approvers = [each.actor for each in await tx.approvals(promotion.id) if each.decision == "approve"]
    people = (promotion.requested_by, *approvers)
    said = Sentence.of(
        f"{promotion.release} of {promotion.app} was not seen for an hour: the cluster does not tell what becomes of it. Nothing is"
        " decided and nothing goes back until it does. Look at the cluster and at the network between; then it goes on by itself, and"
        " this stops it: ",
        CommandLine(f"apps cancel {promotion.app}"),
    )
    whom = tuple(dict.fromkeys(each.id for each in people if each.kind == "slack"))
    await tx.add_notice(promotion.channel, said, kind="blind", promotion=promotion.id, whom=whom)

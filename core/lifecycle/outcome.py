"""How a promotion ended, in one line (contract 7); without it Slack and a terminal would tell two stories."""

from collections.abc import Callable, Sequence

from core.promotion import Phase, Promotion
from core.records.progress import Progress
from core.sentence import Sentence


def ending(promotion: Promotion) -> Sentence:
    """Return the first line of the terminal message: it begins with `OK` or `ERROR:`.

    Raises:
        ValueError: it has not ended, so nobody may say how it did.
    """
    if promotion.phase is Phase.RUNNING:
        return Sentence.of("OK (not verified: nothing ran)" if promotion.nothing_ran else "OK")
    return Sentence.of("ERROR: ", _outcome(promotion)).in_one_line()


def idle_services(progress: Progress) -> list[str]:
    """Return the services of which no pod was asked for at the last look."""
    return sorted(name for name, (_, wanted) in progress.services.items() if wanted == 0)


def unproved(idle: Sequence[str], release: str, *, nothing_ran: bool) -> str:
    """Say of services that are scaled to 0 that nothing has proved them (engine rule 35)."""
    names = " and ".join(filter(None, (", ".join(idle[:-1]), idle[-1])))
    named = f"{names} {'is' if len(idle) == 1 else 'are'} scaled to 0"
    if not nothing_ran:
        return f"not proved: {named}, nothing of it ran"
    return (
        f"nothing was proved: {named}, so no pod of {release} ran. It is active and not verified, and no rollback goes to it;"
        " its first pods are judged when they start, and its card says what becomes of them"
    )


def _outcome(promotion: Promotion) -> Sentence:
    """Return what happened, with what was said about it."""
    if promotion.cancelled_by and promotion.phase in _CANCELLED:
        done = _CANCELLED[promotion.phase](promotion)
        return Sentence.of("cancelled by ", promotion.cancelled_by, f", {done}")
    settled = _SETTLED.get(promotion.phase)
    if settled is None:
        raise ValueError(f"{promotion.id} is {promotion.phase} and has not ended")
    return settled(promotion)


def _with(happened: str | Sentence, said: Sentence) -> Sentence:
    return Sentence.of(happened, ": ", said) if said else Sentence.of(happened)


def _back(promotion: Promotion) -> str:
    if promotion.removed or promotion.back_to is None:
        return "removed, there was no release to go back to"
    return f"rolled back to {promotion.back_to}"


_CANCELLED: dict[Phase, Callable[[Promotion], str]] = {
    Phase.REVERTED: _back,
    Phase.FAILURE: lambda _: "not rolled back, a person is needed",
    Phase.REFUSED: lambda _: "nothing was changed",
}
_SETTLED: dict[Phase, Callable[[Promotion], Sentence]] = {
    Phase.REVERTED: lambda p: _with(_back(p), p.cause),
    Phase.FAILURE: lambda p: _with("rollback failed, a person is needed", p.cause),
    Phase.STOPPED: lambda p: _with(
        Sentence.of("stopped by ", p.stopped_by or "somebody", ", not rolled back, a person is needed"),
        p.cause,
    ),
    Phase.REFUSED: lambda p: _with("refused, nothing was changed", p.reason or p.cause),
    Phase.SUPERSEDED: lambda p: (
        Sentence.of(f"superseded by {p.superseded_by}")
        if p.superseded_by
        else _with("superseded, nothing more was changed", p.cause)
    ),
    Phase.DECLINED: lambda p: _with(Sentence.of("declined by ", p.declined_by or "somebody"), p.reason),
    Phase.EXPIRED: lambda _: Sentence.of("approval expired"),
}

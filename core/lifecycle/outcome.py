"""How a promotion ended, in one line (contract 7); without it Slack and a terminal would tell two stories."""

from collections.abc import Callable

from core.actor import Actor
from core.promotion import Phase, Promotion


def _verbatim(text: str) -> str:
    return text


def ending(
    promotion: Promotion, name: Callable[[Actor], str], quote: Callable[[str], str] = _verbatim
) -> str:
    """Return the first line of the terminal message: it begins with `OK` or `ERROR:`.

    Args:
        promotion: One that has settled.
        name: How people are shown: as a mention in Slack, by their plain name over HTTP.
        quote: What to do with words of others (a cause, a reason) before they are shown, such as escaping.

    Raises:
        ValueError: it has not ended, so nobody may say how it did.
    """
    if promotion.phase is Phase.RUNNING:
        return "OK (not verified: nothing ran)" if promotion.nothing_ran else "OK"
    text, said = _outcome(promotion, name)
    said = " ".join(said.split())
    return f"ERROR: {text}: {quote(said)}" if said else f"ERROR: {text}"


def _outcome(promotion: Promotion, name: Callable[[Actor], str]) -> tuple[str, str]:
    """Return what happened, and what was said about it."""
    if promotion.cancelled_by and promotion.phase in _CANCELLED:
        return f"cancelled by {name(promotion.cancelled_by)}, {_CANCELLED[promotion.phase](promotion)}", ""
    settled = _SETTLED.get(promotion.phase)
    if settled is None:
        raise ValueError(f"{promotion.id} is {promotion.phase} and has not ended")
    return settled(promotion, name)


def _declined(promotion: Promotion, name: Callable[[Actor], str]) -> tuple[str, str]:
    by = name(promotion.declined_by) if promotion.declined_by else "somebody"
    return f"declined by {by}", promotion.reason


def _back(promotion: Promotion) -> str:
    if promotion.removed or promotion.back_to is None:
        return "removed, there was no release to go back to"
    return f"rolled back to {promotion.back_to}"


_CANCELLED: dict[Phase, Callable[[Promotion], str]] = {
    Phase.REVERTED: _back,
    Phase.FAILURE: lambda _: "not rolled back, a person is needed",
    Phase.REFUSED: lambda _: "nothing was changed",
}
_SETTLED: dict[Phase, Callable[[Promotion, Callable[[Actor], str]], tuple[str, str]]] = {
    Phase.REVERTED: lambda p, _: (_back(p), p.cause),
    Phase.FAILURE: lambda p, _: ("rollback failed, a person is needed", p.cause),
    Phase.REFUSED: lambda p, _: ("refused, nothing was changed", p.reason or p.cause),
    Phase.SUPERSEDED: lambda p, _: (f"superseded by {p.superseded_by}", ""),
    Phase.DECLINED: _declined,
    Phase.EXPIRED: lambda _p, _: ("approval expired", ""),
}

"""What a card that waits says of what is to come: objects, what is removed, addresses, and how it went last time."""

from collections.abc import Iterator, Sequence

from bot.views.mrkdwn import clip, date, inline
from bot.views.times import spoken
from core.lifecycle.outlook import Outlook
from core.promotion import WAITING, Phase, Promotion

# Names that one line holds; more are counted, and the button Diff shows all.
MOST_NAMED = 4
_MOST_CAUSE = 200


def outlook_lines(promotion: Promotion, outlook: Outlook) -> Iterator[str]:
    """Yield a line for each, most important first; nothing once it has begun."""
    if promotion.phase not in WAITING or promotion.restarts:
        return
    yield from _objects(outlook)
    if promotion.binding and (pruned := promotion.binding.prune):
        yield f"then removed: {clip(listed([str(ref) for ref in pruned], MOST_NAMED), 300)}"
    if outlook.opened:
        yield f"opens to the outside: {clip(listed(outlook.opened, MOST_NAMED), 300)}"
    if outlook.closed:
        yield f"no longer reached: {clip(listed(outlook.closed, MOST_NAMED), 300)}"
    if outlook.earlier:
        yield _earlier(promotion, outlook.earlier)


def listed(names: Sequence[str], most: int) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _objects(outlook: Outlook) -> Iterator[str]:
    if outlook.objects is None:
        return
    counts = {"changed": len(outlook.objects.changed), "new": len(outlook.objects.added)}
    said = [f"{count} {what}" for what, count in counts.items() if count]
    if said:
        yield f"objects: {', '.join(said)} (Diff names them)"


def _earlier(promotion: Promotion, earlier: Promotion) -> str:
    """Say how the rollout before went: with this very release, or with the one that came before it."""
    when = f" {date(earlier.settled_at)}" if earlier.settled_at else ""
    took = ""
    if earlier.settled_at and earlier.started_at:
        took = f" after {spoken((earlier.settled_at - earlier.started_at).total_seconds())}"
    why = f": {clip(earlier.cause, _MOST_CAUSE)}" if earlier.cause else ""
    what = f"{_ended(earlier)}{when}{took}{why}"
    if earlier.release == promotion.release and earlier.phase is not Phase.RUNNING:
        return f"*tried before*: {inline(earlier.release)} {what}"
    return f"last rollout: {inline(earlier.release)} {what}"


def _ended(earlier: Promotion) -> str:
    if earlier.phase is Phase.RUNNING:
        return "went live"
    if earlier.phase is Phase.REVERTED:
        return "was removed" if earlier.removed or not earlier.back_to else "was rolled back"
    return "was stopped by hand" if earlier.phase is Phase.STOPPED else "failed and was not rolled back"

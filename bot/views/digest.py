"""The one message that tells of all rollouts of a channel, where very many run at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bot.views.fitting import fitted
from bot.views.states import LIVE, MOVES, NEEDS_A_PERSON, NEVER_RAN, WAITS, WENT_BACK, state, symbol
from core.ports.digests import MOST_ROLLOUTS
from core.promotion import Promotion

# Whoever must act is seen first, and what went well last.
_ORDER = (NEEDS_A_PERSON, WENT_BACK, MOVES, WAITS, NEVER_RAN, LIVE)
_WORDS = {
    NEEDS_A_PERSON: "waiting for a person",
    WENT_BACK: "rolled back",
    MOVES: "under way",
    WAITS: "not started",
    NEVER_RAN: "never started",
    LIVE: "live",
}
WHY = (
    f"More than {MOST_ROLLOUTS} run in this channel at once, so this message keeps the state of them all. Each card is there, with its "
    "buttons; it changes with its phase only, and its thread has no single steps."
)
# Slack shows about 4,000 characters of a text whole, takes 3,000 in a section, and 50 blocks. What a text has no room for no block
# shows either: nobody is told less by a screen reader.
MOST_TEXT, MOST_SECTION, ROWS_A_SECTION = 3800, 2900, 10


def digest(promotions: Sequence[tuple[Promotion, str]]) -> dict[str, Any]:
    """Return the payload of the message.

    Args:
        promotions: each with the address of its card, "" where that is not known.
    """
    ordered = sorted(promotions, key=lambda each: (_ORDER.index(symbol(each[0])), each[0].app))
    head = _head([promotion for promotion, _ in ordered])
    under_way = any(promotion.in_flight for promotion, _ in ordered)
    why = [WHY] if under_way else []
    room = MOST_TEXT - sum(len(line) + 1 for line in (head, *why))
    rows = fitted([_row(promotion, promotion.app) for promotion, _ in ordered], room)
    whole = len(rows) - 1 if rows[-1].startswith("and ") else len(rows)
    linked = [_row(promotion, _linked(promotion.app, url)) for promotion, url in ordered[:whole]]
    return {
        "text": "\n".join([head, *why, *rows]),
        "blocks": _blocks(head, why, [*linked, *rows[whole:]]),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _blocks(head: str, why: Sequence[str], rows: Sequence[str]) -> list[dict[str, Any]]:
    first, _, counts = head.partition(": ")
    mark, _, words = first.partition(" ")
    parts = [[f"{mark} *{words}*: {counts}", *why]]
    parts += [list(rows[at : at + ROWS_A_SECTION]) for at in range(0, len(rows), ROWS_A_SECTION)]
    return [_section("\n".join(fitted(part, MOST_SECTION))) for part in parts]


def _head(promotions: Sequence[Promotion]) -> str:
    """Say how many there are and what has become of them, worst first."""
    counted = Counter(symbol(promotion) for promotion in promotions)
    under_way = any(promotion.in_flight for promotion in promotions)
    mark = MOVES if under_way else next(each for each in _ORDER if counted[each])
    what = "rollouts at once" if under_way else "rollouts, all over"
    said = ", ".join(f"{counted[each]} {_WORDS[each]}" for each in _ORDER if counted[each])
    return f"{mark} {len(promotions)} {what}: {said}"


def _row(promotion: Promotion, app: str) -> str:
    services = promotion.progress.services.values()
    ready = sum(1 for ready, wanted in services if ready >= wanted)
    so_far = f" · {ready}/{len(services)} services ready" if promotion.in_flight and services else ""
    return f"{symbol(promotion)} {state(promotion, ())} · {app} · {promotion.release}{so_far}"


def _linked(app: str, url: str) -> str:
    return f"<{url}|{app}>" if url else app


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}

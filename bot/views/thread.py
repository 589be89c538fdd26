"""What stands under a card: lines, the evidence of a failure, and the terminal message."""

from collections.abc import Sequence
from typing import Any

from bot.views.answers import clip_row
from bot.views.card_text import after, any_way_back, proof, way_back
from bot.views.mrkdwn import clip, escape, fence, mention
from bot.views.times import spoken
from core.lifecycle.outcome import ending
from core.lifecycle.transition import ATOM
from core.policy.rules import Verbosity
from core.promotion import Phase, Promotion
from core.records.line import Line

# Slack advises 4 000 characters and folds what is longer than about 40 rows.
MOST_CHARS, MOST_ROWS = 3000, 37
# A cause may quote whatever a cluster says; what is useful to know must fit below it.
MOST_ENDING_CHARS = 1600
MOST_FENCED_CHARS = MOST_CHARS - len(fence(""))
# What a channel is told in all of its length, it must be able to pass over.
MOST_BROADCAST_ROWS = 15
LAST_LINES = "last lines:"
ALARMING = frozenset({Phase.REVERTED, Phase.FAILURE})
_CUT = " [cut: the rest is too long for Slack]"
_EARLIER = "[cut: earlier rows do not fit]"


def fitting(lines: Sequence[Line], *, most_chars: int = MOST_CHARS, most_rows: int = MOST_ROWS) -> int:
    """Return how many of the lines go into one message, at least one.

    All lines of a message are of one kind, so that a block of evidence stands alone. A first line that is too long by
    itself goes alone, and is cut where it is shown.
    """
    chars = rows = 0
    for count, line in enumerate(lines):
        text = escape(str(line))
        chars += len(text) + 1
        rows += text.count("\n") + 1
        if count and (line.kind != lines[0].kind or chars > most_chars or rows > most_rows):
            return count
    return len(lines)


def is_shown(line: Line, verbosity: Verbosity, *, digested: bool = False) -> bool:
    """Tell whether a line stands in its thread: a quiet one has the verdict and what proves it, no steps.

    `digested`: so many roll out in the channel that a thread has milestones only: what is said of the app (engine rule 39).
    """
    if line.kind == "evidence":
        return True
    return verbosity != "quiet" and (not digested or line.object == ATOM)


def message(lines: Sequence[Line]) -> dict[str, Any]:
    """Return the payload of one message with all of these lines."""
    return _payload(_block(lines))


def terminal(
    promotion: Promotion,
    lines: Sequence[Line] = (),
    *,
    spares_build: bool = False,
    verbosity: Verbosity = "normal",
) -> dict[str, Any]:
    """Return the payload of the last message: the ending in its first line, then what is useful to know, then the last lines.

    The lines were there before the ending; they stand below it so that whoever is told of the message reads the ending.
    `spares_build`: what holds the release says nothing of its build.
    """
    rows = [clip(ending(promotion), MOST_ENDING_CHARS), *_rows_after(promotion, spares_build)]
    payload = _payload("\n".join([*rows, LAST_LINES, _block(lines)] if lines else rows))
    # At most one broadcast, at the end, and only where the channel must know: something went back or needs
    # a person: channels should stay quiet.
    return {**payload, "reply_broadcast": True} if _broadcast(promotion, verbosity) else payload


def _broadcast(promotion: Promotion, verbosity: Verbosity) -> bool:
    if verbosity == "verbose":
        return True
    return promotion.phase is Phase.FAILURE if verbosity == "quiet" else promotion.phase in ALARMING


def fits_beside_ending(
    promotion: Promotion,
    lines: Sequence[Line],
    *,
    spares_build: bool = False,
    verbosity: Verbosity = "normal",
) -> bool:
    """Tell whether lines go into one message with the ending; evidence never does, for it is a block of its own."""
    rows = MOST_BROADCAST_ROWS if _broadcast(promotion, verbosity) else MOST_ROWS
    if any(line.kind != "line" for line in lines):
        return False
    text = terminal(promotion, lines, spares_build=spares_build)["text"]
    return not lines or (len(text) <= MOST_CHARS and text.count("\n") < rows)


def _rows_after(p: Promotion, spares_build: bool) -> list[str]:
    """Say how long it took and what it leaves behind."""
    lines = []
    if p.phase is Phase.RUNNING and p.started_at and p.settled_at:
        lines.append(
            f"{p.app} {'was restarted with' if p.restarts else 'runs'} {p.release}, after {spoken((p.settled_at - p.started_at).total_seconds())}"
        )
        lines += [*proof(p), *([back] if (back := way_back(p)) else [])]
    if p.phase in {Phase.REVERTED, Phase.FAILURE} and p.cancelled_by and p.cause:
        lines.append(f"cause: {clip(p.cause, 500)}")
    if p.phase is Phase.FAILURE and p.kind == "rollback":
        lines.append(
            "a rollback is never rolled back by itself: look at the app, then roll back to another release"
        )
    if p.phase is Phase.SUPERSEDED and not p.superseded_by:
        lines.append(any_way_back(p))
    return lines + list(after(p, spares_build=spares_build)) + _told(p)


def _told(p: Promotion) -> list[str]:
    """Mention whoever asked, once: they are told how it ended, and nobody else is (contract 9.4)."""
    person = mention(p.requested_by)
    named = p.requested_by.kind == "slack" and person not in clip(ending(p), MOST_ENDING_CHARS)
    return [f"asked for by {person}"] if named else []


def _block(lines: Sequence[Line]) -> str:
    return fence("\n".join(_shown(line) for line in lines))


def _shown(line: Line) -> str:
    """Return one line, escaped, of a size that Slack shows whole."""
    if line.kind == "evidence":
        return _tail(escape(str(line)).split("\n"))
    # A line is one row, whatever a container's message holds.
    text = escape(" ".join(str(line).split("\n")))
    return text if len(text) <= MOST_FENCED_CHARS else clip_row(text, MOST_FENCED_CHARS - len(_CUT)) + _CUT


def _tail(rows: list[str]) -> str:
    """Keep the first row, which names the pod, and as many of the last as fit: the end of a log is the proof."""
    title, rows = clip_row(rows[0], 200) if len(rows[0]) > 200 else rows[0], rows[1:]
    kept: list[str] = []
    left = MOST_FENCED_CHARS - len(title) - len(_EARLIER) - 2
    for row in reversed(rows[-(MOST_ROWS - 2) :]):
        shown = row if len(row) <= 1000 else clip_row(row, 1000)
        if len(shown) + 1 > left:
            break
        kept.insert(0, shown)
        left -= len(shown) + 1
    cut = [_EARLIER] if len(kept) < len(rows) else []
    return "\n".join([title, *cut, *kept])


def _payload(text: str) -> dict[str, Any]:
    return {"text": text, "unfurl_links": False, "unfurl_media": False}

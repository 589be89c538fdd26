"""How a rollout went, in words and as what is drawn: the words tell all that the picture tells, to whoever cannot see it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.views.states import state
from bot.views.times import spoken
from core.lifecycle.timeline import Span, Timeline, Track
from core.promotion import Phase, Promotion
from core.records.pod_sample import ServicePods

# Slack's limit of `alt_txt` (files.getUploadURLExternal).
MOST_ALT = 1000


_STAGES = {"forward": "rolling out", "countdown": "failed, waiting", "back": "going back"}


def drawing(promotion: Promotion, timeline: Timeline) -> Mapping[str, Any]:
    """Return the values of which `bot.pictures` draws a picture; all of it can be written as JSON."""
    return {
        "title": title(promotion),
        "seconds": timeline.seconds,
        "spans": [
            {"name": _STAGES[span.stage], "start": span.start, "end": span.end} for span in timeline.spans
        ],
        "mark": None
        if timeline.failed_at is None
        else {"at": timeline.failed_at, "text": f"failed after {spoken(timeline.failed_at)}"},
        "services": [_service(track) for track in timeline.tracks],
        "left_out": _left_out(timeline),
    }


def title(promotion: Promotion) -> str:
    """Return what the picture is about, in a few words."""
    if promotion.phase is Phase.RUNNING:
        return f"{promotion.app} {promotion.release}: live, slower than usual"
    return f"{promotion.app} {promotion.release}: {state(promotion, ()).lower()}"


def alt_text(promotion: Promotion, timeline: Timeline) -> str:
    """Return the words of the picture, all of them where they have room, else the changes that matter most."""
    beginning = f"Pods over time. {title(promotion)}. {_way(timeline)}."
    full, brief = (
        [_said(track, few, timeline.failed_at) for track in timeline.tracks] for few in (False, True)
    )
    rest = timeline.left_out
    for said in (full, brief):
        text = _joined(beginning, said, rest)
        if len(text) <= MOST_ALT:
            return text
    while brief and len(_joined(beginning, brief, rest)) > MOST_ALT:
        brief, rest = brief[:-1], rest + 1
    return _joined(beginning, brief, rest)


def _joined(beginning: str, said: Sequence[str], rest: int) -> str:
    return " ".join([beginning, *said, *([f"{_more(rest)}."] if rest else [])])


def _left_out(timeline: Timeline) -> str:
    return _more(timeline.left_out) if timeline.left_out else ""


def _more(count: int) -> str:
    return f"and {count} more service{'' if count == 1 else 's'}"


def _way(timeline: Timeline) -> str:
    spans = [_spanned(span, timeline.failed_at) for span in timeline.spans]
    return ", then ".join(spans)


def _spanned(span: Span, failed_at: float | None) -> str:
    said = f"{_STAGES[span.stage]} from {spoken(span.start)} to {spoken(span.end)}"
    failed = failed_at is not None and span.stage == "forward"
    return f"{said}, failed after {spoken(failed_at or 0.0)}" if failed else said


def _service(track: Track) -> dict[str, Any]:
    points = [[at, c.new, c.new_ready, c.old_ready, c.wanted] for at, c in track.points]
    return {"name": track.service, "points": points}


def _said(track: Track, few: bool, failed_at: float | None) -> str:
    """Say one service: what was wanted, and each of its counts with its changes."""
    points = track.points
    if few:
        points = _few(track, failed_at)
    counts = [
        ("new pods ready", lambda c: c.new_ready),
        ("new pods not ready", lambda c: max(0, c.new - c.new_ready)),
        ("old pods ready", lambda c: c.old_ready),
    ]
    wanted = _changes(points, lambda c: c.wanted)
    told = "; ".join(f"{name} {_changes(points, count)}" for name, count in counts)
    return f"{track.service}, wanted {wanted}: {told}."


def _few(track: Track, failed_at: float | None) -> tuple[tuple[float, ServicePods], ...]:
    """Return the beginning, the moment of the failure, and the end."""
    first, last = track.points[0], track.points[-1]
    middle = [(failed_at, track.at(failed_at))] if failed_at is not None else []
    return (first, *middle, last)


def _changes(points: Sequence[tuple[float, ServicePods]], count: Callable[[ServicePods], int]) -> str:
    """Return `0, 1 from 12 s, 2 from 20 s`: a count as it was at first, and each change with its time."""
    said, before = [str(count(points[0][1]))], count(points[0][1])
    for at, counts in points[1:]:
        if count(counts) != before:
            before = count(counts)
            said.append(f"{before} from {spoken(at)}")
    return ", ".join(said)

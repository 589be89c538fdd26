"""Draws the generated parts of docs/promotion.md, so that the document cannot say other than core/promotion.py does.

Run it after a change of the tables: `.venv/bin/python -m docs.draw_promotion`. A test fails while the file is stale.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from core.promotion import GOING_BACK, IN_FLIGHT, SETTLED, SILENT, TRANSITIONS, UNTOUCHED, WAITING, PromotionEvent, Phase

PAGE = Path(__file__).with_name("promotion.md")
PART = re.compile(r"(<!-- drawn: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)

PHASES = {
    Phase.AWAITING_APPROVAL: "people must approve first; nothing runs",
    Phase.SCHEDULED: "it waits for a time, for the app to be free, or for a freeze to end; nothing runs",
    Phase.PENDING: "started; the last checks, the first look, then object by object",
    Phase.UPDATING: "what serves was accepted; its pods are watched, and what follows their verdict is applied",
    Phase.RUNNING: "the release is active, and verified unless nothing of it ran",
    Phase.COUNTDOWN: "it failed, and goes back unless a person takes it in hand meanwhile",
    Phase.ERROR: "it cannot become healthy; the way back begins",
    Phase.DEADLINE: "it took too long; the way back begins",
    Phase.CANCELLED: "a person stopped it; the way back begins",
    Phase.ROLLBACK: "every object of the way back was accepted; its pods are watched",
    Phase.REVERTED: "the way back is verified",
    Phase.FAILURE: "there is no way back, or it failed: a person is needed",
    Phase.STOPPED: "a person took it in hand after it had failed: nothing goes back by itself",
    Phase.REFUSED: "it ended before anything was touched",
    Phase.SUPERSEDED: "a newer promotion took its place, or somebody who rolled out something else by hand",
    Phase.DECLINED: "an approver said no",
    Phase.EXPIRED: "nobody approved in time",
}
EVENTS = {
    PromotionEvent.APPROVED: "the last approval that was missing",
    PromotionEvent.SCHEDULED: "the last approval that was missing, and what it waits for besides has not come",
    PromotionEvent.DUE: "what it waited for has come: it starts; the countdown is over, or a person did not wait for that: it goes back",
    PromotionEvent.DECLINED: "an approver said no",
    PromotionEvent.EXPIRED: "the time for approvals is over",
    PromotionEvent.SUPERSEDED: "a newer request, a take-over, or somebody who rolls out something else by hand",
    PromotionEvent.REFUSED: "the policy, the binding or the cluster said no before anything was touched",
    PromotionEvent.APPLIED: "every object of the release was accepted, but for what follows a verdict",
    PromotionEvent.VERIFIED: "complete, and it stayed so through the settle window; what follows that was accepted too",
    PromotionEvent.BROKEN: "it cannot become healthy, or the cluster refused an object for good",
    PromotionEvent.FAILING: "broken or overdue, and the policy gives people time before it goes back (`rollback_after`)",
    PromotionEvent.STOPPED: "a person took it in hand: nothing goes back by itself",
    PromotionEvent.OVERDUE: "a deadline of the promotion has passed",
    PromotionEvent.CANCELLED: "a person stopped it",
    PromotionEvent.ROLLED_BACK: "every object of the way back was accepted",
    PromotionEvent.STUCK: "there is no way back, or the cluster refuses it",
}


def diagram() -> str:
    """Return the tables as a Mermaid state diagram; arrows between the same two phases are one."""
    arrows = [f"{a} --> {b}: {', '.join(events)}" for (a, b), events in _arrows(TRANSITIONS).items()]
    untouched = _arrows({cell: to for cell, to in UNTOUCHED.items() if TRANSITIONS.get(cell) is not to})
    arrows += [f"{a} --> {b}: {', '.join(events)} (untouched)" for (a, b), events in untouched.items()]
    starts = [
        f"[*] --> {Phase.AWAITING_APPROVAL}: approvals needed",
        f"[*] --> {Phase.SCHEDULED}: none needed, but it waits for something",
        f"[*] --> {Phase.PENDING}: none needed",
    ]
    ends = [f"{phase} --> [*]" for phase in Phase if phase in SETTLED]
    return "\n".join(
        ["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in [*starts, *arrows, *ends]), "```"]
    )


def _arrows(table: dict[tuple[Phase, PromotionEvent], Phase]) -> dict[tuple[Phase, Phase], list[str]]:
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for (phase, event), after in table.items():
        arrows.setdefault((phase, after), []).append(event)
    return arrows


def cells() -> str:
    """Return the table of phase × event; an empty cell is refused with a sentence that names both."""
    rows = [
        [f"**{phase}**", *(_cell(phase, event) for event in PromotionEvent)] for phase in Phase if phase not in SETTLED
    ]
    return _table(["", *PromotionEvent], rows)


def _cell(phase: Phase, event: PromotionEvent) -> str:
    after, untouched = TRANSITIONS.get((phase, event)), UNTOUCHED.get((phase, event))
    return " · ".join([*([after] if after else []), *([f"untouched: {untouched}"] if untouched else [])])


def phases() -> str:
    """Return what each phase means, and the sets that it belongs to."""
    kinds: tuple[tuple[str, Iterable[Phase]], ...] = (
        ("waiting", WAITING), ("in flight", IN_FLIGHT), ("going back", GOING_BACK), ("settled", SETTLED), ("no line", SILENT),
    )  # fmt: skip
    rows = [
        [f"`{phase}`", PHASES[phase], ", ".join(name for name, members in kinds if phase in members)]
        for phase in Phase
    ]
    return _table(["phase", "means", "is"], rows)


def events() -> str:
    """Return what each event means."""
    return _table(["event", "means"], [[f"`{event}`", EVENTS[event]] for event in PromotionEvent])


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


PARTS: dict[str, Callable[[], str]] = {"diagram": diagram, "cells": cells, "phases": phases, "events": events}


def drawn(page: str) -> str:
    """Return the page with its parts drawn anew."""
    return PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}\n{found[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

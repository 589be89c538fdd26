"""The two columns of a card: who asked, what is new, how many pods are ready, and when; short enough for a phone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.views.card_text import CardContext
from bot.views.mrkdwn import clip, date, inline
from bot.views.times import spoken
from core.promotion import Phase, Promotion
from core.records.repository import compared
from core.sentence import EMPTY_SENTENCE, Sentence

_MOST_DESCRIPTION = 300
# The longest address of a comparison has room, since a link is shown whole or not at all; a field takes 2,000.
_MOST_COMMITS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CardField:
    """One field of a card.

    Attributes:
        label: what it is, in bold above it.
        rows: what is said of it.
        in_plan: the plan of the card shows the same.
    """

    label: str
    rows: Sequence[str]
    in_plan: bool = False

    @property
    def shown(self) -> dict[str, Any]:
        """It as a field of a section."""
        title = self.label[0].upper() + self.label[1:]
        return {"type": "mrkdwn", "text": "\n".join((f"*{title}*", *self.rows)), "verbatim": True}

    @property
    def said(self) -> list[str]:
        """It as lines of text; the label begins the first."""
        return [f"{self.label} {self.rows[0]}", *self.rows[1:]]


def fields(context: CardContext) -> list[CardField]:
    """Return what stands in the two columns, in the order in which it is read."""
    return [*_asked(context), *_build(context), *_services(context.promotion), *_time(context)]


def _asked(context: CardContext) -> Iterator[CardField]:
    p = context.promotion
    what = f"restart of {clip(', '.join(p.restarts), 200)} " if p.restarts else ""
    what = "rollback " if p.kind == "rollback" else what
    yield CardField(
        label=f"{what}asked for by", rows=(f"{context.name(p.requested_by)} {date(p.requested_at)}",)
    )


def _build(context: CardContext) -> Iterator[CardField]:
    """Say what replaces what, and how it was described; of a rollback, what the release was that it goes back to."""
    new = context.release.build
    old = context.previous.build if context.previous else None
    rows = []
    if new:
        rows.append(f"{inline(old)} → {inline(new)}" if old and old != new else inline(new))
    if context.release.description:
        rows.append(f"“{clip(context.release.description, _MOST_DESCRIPTION)}”")
    if context.source and context.source.description:
        said = clip(context.source.description, _MOST_DESCRIPTION)
        rows.append(f"{inline(context.source.id)} is “{said}”")
    if commits := _commits(context):
        rows.append(clip(commits, _MOST_COMMITS))
    if rows:
        yield CardField(label="build" if new else "release", rows=rows)


def _commits(context: CardContext) -> Sentence:
    """Say what changed in the source; of a build that goes on running nothing did."""
    same = context.previous is not None and context.previous.build == context.release.build
    return EMPTY_SENTENCE if same else compared(context.old_build, context.build)


def _services(p: Promotion) -> Iterator[CardField]:
    counts = [
        f"{service} {ready}/{wanted}" for service, (ready, wanted) in sorted(p.progress.services.items())
    ]
    if counts and p.phase not in {Phase.REFUSED, Phase.SUPERSEDED}:
        yield CardField(label="services ready", rows=(clip(" · ".join(counts), 400),), in_plan=True)


def _time(context: CardContext) -> Iterator[CardField]:
    p = context.promotion
    if p.phase is Phase.AWAITING_APPROVAL and p.expires_at:
        yield CardField(label="expires", rows=(date(p.expires_at),))
    elif p.in_flight and p.started_at:
        yield CardField(label="started", rows=(date(p.started_at),))
    elif p.settled_at:
        took = p.touched_at and p.started_at and spoken((p.settled_at - p.started_at).total_seconds())
        yield CardField(label="ended", rows=(date(p.settled_at), *([f"took {took}"] if took else [])))

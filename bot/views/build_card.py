"""The card of a build: its one parent message in a channel, always at the latest state, and the last message under it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.command.commands import BuildLogs, Command, Promote, RetryBuild
from bot.prefixes import typed
from bot.views import rich_text
from bot.views.build_buttons import build_buttons, shown_of
from bot.views.card_fields import CardField
from bot.views.fitting import fitted
from bot.views.mrkdwn import clip, date, inline, literal, mention, prose
from bot.views.states import LIVE, MOVES, NEEDS_A_PERSON, NEVER_RAN, WAITS
from bot.views.times import spoken
from core.actor import Actor
from core.build_run import BuildRun
from core.records.build import BuildEntry, BuildStatus
from core.records.repository import compared
from core.sentence import EMPTY_SENTENCE, Hyperlink, Sentence

# As of a promotion's card (slack.md 1.4): what cannot be cut leaves room for these.
MOST_TEXT, MOST_ABOVE, MOST_CAUSE, MOST_IMAGE = 3900, 1700, 500, 150
MOST_DESCRIPTION, MOST_AUTHOR, MOST_COMMITS = 300, 100, 1000
MOST_IMAGES = 8
_SYMBOLS = {
    BuildStatus.CREATED: WAITS,
    BuildStatus.RUNNING: MOVES,
    BuildStatus.COMPLETE: LIVE,
    BuildStatus.FAILED: NEEDS_A_PERSON,
    BuildStatus.CANCELLED: NEVER_RAN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCardContext:
    """Everything that the card of a build is told from.

    Attributes:
        ahead: of one that waits, how many of its app come before it.
        images: service → image of what it has made.
        old_build: the build that the app runs, with whose commit its own is compared.
        closed: why it is told here and no longer in its channel, if so.
    """

    run: BuildRun
    ahead: int = 0
    images: Mapping[str, str] = field(default_factory=dict)
    old_build: BuildEntry | None = None
    closed: Sentence = EMPTY_SENTENCE


def build_word(run: BuildRun, ahead: int = 0) -> str:
    """Return the state in words, such as `Queued, 2 ahead`, `Building` or `Built`."""
    match run.status:
        case BuildStatus.CREATED:
            return f"Queued, {ahead} ahead" if ahead else "Queued, next"
        case BuildStatus.RUNNING:
            return "Building"
        case BuildStatus.COMPLETE:
            return "Built"
        case BuildStatus.FAILED:
            return "Build failed"
        case BuildStatus.CANCELLED:
            return "Build cancelled"


def build_card(context: BuildCardContext) -> dict[str, Any]:
    """Return the payload of the card, for posting and for editing alike."""
    return {
        "text": _text(context),
        "blocks": list(_blocks(context)),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def build_ending(run: BuildRun, *, broadcast: bool = False) -> dict[str, Any]:
    """Return the payload of the last message of its thread: how it ended first, then what is useful, and whoever asked for it."""
    rows = [_ending(run)]
    if run.started_at and run.ended_at:
        rows.append(f"after {spoken((run.ended_at - run.started_at).total_seconds())}")
    rows += _typed_lines(run)
    person = mention(run.created_by)
    # They are told how it ended, once, and nobody else is (contract 9.4).
    if run.created_by.kind == "slack" and person not in rows[0]:
        rows.append(f"asked for by {person}")
    payload = {"text": "\n".join(rows), "unfurl_links": False, "unfurl_media": False}
    return {**payload, "reply_broadcast": True} if broadcast else payload


def people_of(run: BuildRun) -> list[Actor]:
    """Return the people whom the records of a build name."""
    return [run.created_by, *(part for part in run.reason.parts if isinstance(part, Actor))]


def _ending(run: BuildRun) -> str:
    if run.status is BuildStatus.COMPLETE:
        return f"OK, build {inline(run.id)} of {run.app}\nRelease: {inline(run.release)}"
    return f"ERROR: build {inline(run.id)} of {run.app} {_HOW[run.status]}: {clip(run.reason, MOST_CAUSE)}"


_HOW = {BuildStatus.FAILED: "failed", BuildStatus.CANCELLED: "was stopped"}


# What becomes of a release after its build, and how a person does it who cannot wait for that.
_NEXT = {
    "never": "to promote it: ",
    "ask": "its promotion is asked for next, with approvals; by hand: ",
    "automatic": "it is promoted next; by hand: ",
}


def _typed_lines(run: BuildRun) -> list[str]:
    """Say how to do without buttons what may be done next."""
    match run.status:
        case BuildStatus.COMPLETE:
            return [f"{_NEXT[run.request.promote_after]}{_line(Promote(app=run.app, release=run.release))}"]
        case BuildStatus.FAILED:
            logs, again = BuildLogs(app=run.app, build=run.id), RetryBuild(app=run.app, build=run.id)
            return [f"its log: {_line(logs)} · once more: {_line(again)}"]
        case _:
            return []


def _line(command: Command) -> str:
    return inline(typed(command.typed, "slack"))


def _cause(run: BuildRun) -> Sentence:
    return run.reason if run.status is BuildStatus.FAILED else EMPTY_SENTENCE


def _above(context: BuildCardContext) -> list[str]:
    run = context.run
    rows = []
    if run.status is BuildStatus.COMPLETE:
        rows.append(f"It made release {inline(run.release)}")
        shown = sorted(context.images.items())
        rows += [f"{literal(service)}: {inline(_short(image))}" for service, image in shown[:MOST_IMAGES]]
        if (more := len(shown) - MOST_IMAGES) > 0:
            rows.append(f"and {more} more image{'s' if more > 1 else ''}")
    if run.waits:
        rows.append(clip(f"waiting: {run.waits}", MOST_CAUSE))
    if run.status is BuildStatus.CANCELLED and run.reason:
        rows.append(clip(run.reason, MOST_CAUSE))
    if context.closed:
        rows.append(prose(context.closed))
    return fitted(rows, MOST_ABOVE)


def _short(image: str) -> str:
    """Return an image with so much of its digest as tells it from others; `builds info` has all of it."""
    name, at, digest = image.partition("@sha256:")
    short = f"{name}@sha256:{digest[:12]}…" if at else name
    return short if len(short) <= MOST_IMAGE else f"{short[: MOST_IMAGE - 1]}…"


def _fields(context: BuildCardContext) -> Iterator[CardField]:
    run, request = context.run, context.run.request
    yield CardField(label="asked for by", rows=(f"{mention(run.created_by)} {date(run.created_at)}",))
    rows = [f"“{clip(request.title, MOST_DESCRIPTION)}”"]
    if commits := compared(context.old_build, run.entry()):
        rows.append(clip(commits, MOST_COMMITS))
    if request.compare:
        rows.append(clip(Sentence.of(Hyperlink(request.compare, "what was pushed")), MOST_COMMITS))
    if request.author:
        rows.append(f"by {clip(request.author, MOST_AUTHOR)}")
    yield CardField(label="source", rows=rows)
    yield from _time(run.started_at, run.ended_at)


def _time(started: datetime | None, ended: datetime | None) -> Iterator[CardField]:
    if ended:
        took = [f"took {spoken((ended - started).total_seconds())}"] if started else []
        yield CardField(label="ended", rows=(date(ended), *took))
    elif started:
        yield CardField(label="started", rows=(date(started),))


def _blocks(context: BuildCardContext) -> Iterator[dict[str, Any]]:
    run = context.run
    yield _section(
        [f"{_SYMBOLS[run.status]} *{build_word(run, context.ahead)}* · {run.app} · {inline(run.id)}"]
    )
    if cause := _cause(run):
        yield rich_text.rich_text(rich_text.section(cause, MOST_CAUSE, bold=True))
    if above := _above(context):
        yield _section(above)
    yield {"type": "section", "fields": [each.shown for each in _fields(context)]}
    if actions := build_buttons(run):
        yield actions
    if lines := _typed_lines(run):
        yield {"type": "context", "elements": [_mrkdwn("\n".join(lines))]}


def _text(context: BuildCardContext) -> str:
    """Return everything that the blocks tell: a screen reader reads nothing else."""
    run = context.run
    cause = _cause(run)
    top = [f"{_SYMBOLS[run.status]} {build_word(run, context.ahead)} · {run.app} · {run.id}"]
    top += [f"cause: {clip(cause, MOST_CAUSE)}"] if cause else []
    said = [line for each in _fields(context) for line in each.said]
    labels = [button.label for button in shown_of(run)]
    deeds = [*([f"Buttons: {', '.join(labels)}."] if labels else []), *_typed_lines(run)]
    room = MOST_TEXT - sum(len(line) + 1 for line in (*top, *said, *deeds))
    return "\n".join([*top, *fitted(_above(context), room), *said, *deeds])


def _section(lines: Sequence[str]) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn("\n".join(lines))}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}

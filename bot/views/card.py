"""The card of a promotion: its one parent message in a channel, always at the latest state."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.views import rich_text
from bot.views.buttons import ButtonContext, buttons, shown
from bot.views.card_fields import fields
from bot.views.card_plan import card_plan
from bot.views.card_text import CardContext, above, below, cause, changes, commands, seats_left
from bot.views.fitting import fitted
from bot.views.mrkdwn import clip, inline, mention, prose
from bot.views.states import state, symbol
from core.actor import Actor
from core.lifecycle.outlook import NO_OUTLOOK, Outlook
from core.policy.authorization import Rules
from core.promotion import Promotion
from core.records.app import App
from core.records.approval import Approval
from core.records.build import Build, BuildEntry
from core.records.release import Release, ReleaseEntry
from core.sentence import EMPTY_SENTENCE, Sentence

# `chat.update` refuses a text of more than 4,000 characters, and all blocks together of about 13,000 (slack.md 1.4), of which
# what cannot be cut (the first line, the columns, the buttons) may take half.
MOST_TEXT, MOST_ABOVE, MOST_BELOW = 3900, 1500, 2400
MOST_CAUSE, MOST_LOG_ROW = 500, 300
NO_GROUPS: Mapping[str, frozenset[str]] = {}


def card(
    promotion: Promotion,
    *,
    app: App,
    release: Release,
    build: Build | None,
    approvals: Sequence[Approval],
    rules: Rules,
    now: datetime,
    name: Callable[[Actor], str] = mention,
    previous: Release | None = None,
    old_build: BuildEntry | None = None,
    source: ReleaseEntry | None = None,
    notes: Sequence[str] = (),
    outlook: Outlook = NO_OUTLOOK,
    closed: Sentence = EMPTY_SENTENCE,
    last_log: str = "",
    spares_build: bool = False,
    plans: bool = False,
    groups: Mapping[str, frozenset[str]] = NO_GROUPS,
) -> dict[str, Any]:
    """Return the payload of a card, for posting and for editing alike.

    Args:
        promotion: What is told.
        app: Its app.
        release: The release that is promoted.
        build: That release's build.
        approvals: What was decided so far.
        rules: The policy's rules for the app today.
        now: This moment.
        name: How people are shown.
        previous: The release to compare with: the app's active one, or the one that it was; None says nothing of changes.
        old_build: That release's build.
        source: Of a rollback, the release that it goes back to.
        notes: Of which keys of its manifest nothing comes.
        outlook: What promoting it will come to, of a card that waits.
        closed: Why it is told here and no longer in its channel, if so.
        last_log: The row of the failed pod's log that tells most.
        spares_build: What holds the release says nothing of its build.
        groups: Who is in the groups that the policy names; what is not known counts for nobody.
        plans: The workspace takes plans: progress is one, else it is said in words.
    """
    context = CardContext(
        promotion=promotion, release=release, build=build, previous=previous, approvals=approvals, rules=rules,
        now=now, name=name, old_build=old_build, source=source, notes=notes, outlook=outlook, last_log=last_log,
        spares_build=spares_build, live=app.active_release == release.id, active=app.active_release,
        groups=groups,
    )  # fmt: skip
    plan = card_plan(promotion) if plans else None
    return _Card(context, state(promotion, approvals, seats_left(context)[0]), closed, plan).payload


class _Card:
    """The parts of one card, each once: the blocks and the text are made of the same."""

    def __init__(
        self, context: CardContext, word: str, closed: Sentence, plan: dict[str, Any] | None
    ) -> None:
        p = context.promotion
        self._word = word
        self._plan = plan
        self._context = context
        self._cause = cause(context)
        self._log = context.last_log if self._cause else ""
        self._above = fitted(above(context), MOST_ABOVE)
        self._fields = fields(context)
        self._below = fitted([*below(context), *([prose(closed)] if closed else [])], MOST_BELOW)
        self._deeds = ButtonContext(
            promotion=p,
            changes=changes(context),
            live=context.live,
            active=context.active,
            source=context.source,
        )
        self._typed = commands(context)

    @property
    def payload(self) -> dict[str, Any]:
        return {
            "text": self._text(),
            "blocks": list(self._blocks()),
            "unfurl_links": False,
            "unfurl_media": False,
        }

    def _blocks(self) -> Iterator[dict[str, Any]]:
        p = self._context.promotion
        yield _section([f"{symbol(p)} *{self._word}* · {p.app} · {inline(p.release)}"])
        if self._cause:
            yield rich_text.rich_text(*self._failure())
        if self._above:
            yield _section(self._above)
        # What the plan shows is not said twice.
        columns = [field.shown for field in self._fields if not (self._plan and field.in_plan)]
        yield {"type": "section", "fields": columns}
        if self._plan:
            yield self._plan
        if self._below:
            yield _section(self._below)
        if actions := buttons(self._deeds):
            yield actions
        if self._typed:
            yield {"type": "context", "elements": [_mrkdwn("\n".join(self._typed))]}

    def _failure(self) -> Iterator[dict[str, Any]]:
        """Show the cause in bold, and below it the row of the log that proves it."""
        yield rich_text.section(self._cause, MOST_CAUSE, bold=True)
        if self._log:
            yield rich_text.preformatted(self._log, MOST_LOG_ROW)

    def _text(self) -> str:
        """Return everything that the blocks tell: a screen reader reads nothing else."""
        p = self._context.promotion
        failure = [f"cause: {clip(self._cause, MOST_CAUSE)}"] if self._cause else []
        failure += [f"last log line: {clip(self._log, MOST_LOG_ROW)}"] if self._log else []
        top = [f"{symbol(p)} {self._word} · {p.app} · {p.release}", *failure, *self._above]
        columns = [line for field in self._fields for line in field.said]
        labels = [button.label(self._deeds) for button in shown(self._deeds)]
        deeds = [f"Buttons: {', '.join(labels)}.", *self._typed] if labels else self._typed
        room = MOST_TEXT - sum(len(line) + 1 for line in (*top, *columns, *deeds))
        return "\n".join([*top, *columns, *fitted(self._below, room), *deeds])


def _section(lines: Sequence[str]) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn("\n".join(lines))}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}

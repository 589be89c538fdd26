"""The card of a promotion: its one parent message in a channel, always at the latest state."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from bot.views.buttons import buttons, shown
from bot.views.card_text import CardContext, body, changes, commands, head
from bot.views.mrkdwn import inline, mention, prose
from bot.views.states import state
from core.actor import Actor
from core.policy.authorization import Rules
from core.promotion import Promotion
from core.records.app import App
from core.records.approval import Approval
from core.records.build import Build
from core.records.release import Release, ReleaseEntry
from core.sentence import EMPTY_SENTENCE, Sentence


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
    source: ReleaseEntry | None = None,
    notes: Sequence[str] = (),
    closed: Sentence = EMPTY_SENTENCE,
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
        previous: The release to compare with, usually the app's active one; None says nothing of changes.
        source: Of a rollback, the release that it goes back to.
        notes: Of which keys of its manifest nothing comes.
        closed: Why it is told here and no longer in its channel, if so.
    """
    context = CardContext(
        promotion=promotion, release=release, build=build, previous=previous, approvals=approvals, rules=rules,
        now=now, name=name, source=source, notes=notes,
    )  # fmt: skip
    word = state(promotion, approvals)
    top, rest, typed = head(context), body(context), commands(context)
    if closed:
        rest = [*rest, prose(closed)]
    blocks = [_section([f"*{word}* · {app.name} · {inline(release.id)}", *top])]
    if rest:
        blocks.append(_section(rest))
    actions = buttons(promotion, changes(context))
    if actions:
        blocks.append(actions)
    if typed:
        blocks.append({"type": "context", "elements": [_mrkdwn("\n".join(typed))]})
    plain = [f"{word} · {app.name} · {release.id}", *top, *rest, *_spoken_buttons(promotion), *typed]
    return {"text": "\n".join(plain), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _spoken_buttons(promotion: Promotion) -> list[str]:
    """Name the buttons in the text, which is all that a screen reader reads."""
    labels = [button.label for button in shown(promotion)]
    return [f"Buttons: {', '.join(labels)}."] if labels else []


def _section(lines: Sequence[str]) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn("\n".join(lines))}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}

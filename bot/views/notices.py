"""What people are told beside cards and threads: an announced build, a request in another channel, a reminder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.command.button_value import value_of
from bot.command.commands import Cancel, Command, DiffReleases, Promote, Remind
from bot.prefixes import typed
from bot.views.mrkdwn import approver, clip, inline, sentence_text
from bot.views.pings import quiet
from core.actor import Actor
from core.policy.authorization import named
from core.ports.notices import Notice, NoticeKind
from core.sentence import Hyperlink, Sentence

SNOOZE_SECONDS = 3600
# A section takes 3,000 (slack.md 1.4), with those who are called.
MOST_CHARS = 2000
# Of the message shortcut "Promote this build": manifest.yml has it.
PROMOTE_SHORTCUT = "promote_build"
_BLOCK = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeButton:
    """A button under such a message: a typed command, as those of a card are.

    Attributes:
        question: what its dialog asks; "" asks nothing, since it only looks or puts off.
    """

    action_id: str
    label: str
    spoken: Callable[[Notice], str]
    command: Callable[[Notice], Command]
    question: Callable[[Notice], str] = lambda _: ""


BUTTONS: Mapping[NoticeKind, tuple[NoticeButton, ...]] = {
    "build": (
        NoticeButton(
            action_id="build.promote",
            label="Promote",
            spoken=lambda n: f"Promote {n.release} of {n.app}",
            command=lambda n: Promote(app=n.app, release=n.release),
            question=lambda n: f"{n.release} is rolled out to {n.app}, or asks for its approvals first.",
        ),
        NoticeButton(
            action_id="build.diff",
            label="Diff",
            spoken=lambda n: f"Diff of {n.release}: show what it changes",
            command=lambda n: DiffReleases(app=n.app, release=n.release),
        ),
    ),
    "soon": (
        NoticeButton(
            action_id="soon.cancel",
            label="Cancel",
            spoken=lambda _: "Cancel: call the promotion off",
            command=lambda n: Cancel(promotion=n.promotion or ""),
            question=lambda _: "Nothing was changed so far, and nothing will be.",
        ),
    ),
    "reminder": (
        NoticeButton(
            action_id="reminder.snooze",
            label="Snooze 1 h",
            spoken=lambda _: "Snooze 1 h: remind again in an hour",
            command=lambda n: Remind(promotion=n.promotion or "", after=SNOOZE_SECONDS),
        ),
    ),
}
NOTICE_ACTION_IDS = tuple(button.action_id for buttons in BUTTONS.values() for button in buttons)


def notice(due: Notice, link: Callable[[str, str], str] = lambda _channel, _ts: "") -> dict[str, Any]:
    """Return the payload of such a message; nobody is called by it but those whom it is for.

    Args:
        due: the message.
        link: returns the address of a message by its channel and ts, "" while that is not known.
    """
    calls = [approver(named(who)) for who in due.whom]
    url = link(due.card_channel, due.card) if due.kind == "ask" and due.card else ""
    said = Sentence.of(due.said, ": ", Hyperlink(url, "open its card")) if url else due.said
    words = " ".join([*calls, _cut(said)])
    buttons = BUTTONS.get(due.kind, ())
    text = "\n".join([words, *_spoken(due, buttons)])
    payload: dict[str, Any] = {"text": text, "unfurl_links": False, "unfurl_media": False}
    if buttons:
        payload["blocks"] = [
            {"type": "section", "text": {"type": "mrkdwn", "text": words, "verbatim": True}},
            {
                "type": "actions",
                "block_id": f"{_BLOCK}:{due.id}",
                "elements": [_element(button, due) for button in buttons],
            },
        ]
    people = [part for part in due.said.parts if isinstance(part, Actor)]
    return quiet(payload, people, frozenset(calls))


def _cut(said: Sentence) -> str:
    """Return the sentence, cut where somebody has written more into it than a section of Slack's takes."""
    shown = sentence_text(said)
    return shown if len(shown) <= MOST_CHARS else clip(said, MOST_CHARS)


def notice_of(block_id: str) -> int | None:
    """Return whose buttons a block holds, whatever they mean; None where they are of no notice."""
    kind, _, number = block_id.partition(":")
    return (
        int(number)
        if kind == _BLOCK and number.isascii() and number.isdecimal() and len(number) < 19
        else None
    )


def _spoken(due: Notice, buttons: tuple[NoticeButton, ...]) -> list[str]:
    """Name the buttons in the text, which is all that a screen reader reads, and how the same is typed."""
    if not buttons:
        return []
    each = [f"{button.label} ({inline(typed(button.command(due).typed, 'slack'))})" for button in buttons]
    return [f"Buttons: {', '.join(each)}."]


def _element(button: NoticeButton, due: Notice) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "button",
        "action_id": button.action_id,
        "text": _plain(button.label),
        "value": value_of(button.command(due), 0),
        "accessibility_label": button.spoken(due)[:75],
    }
    if question := button.question(due):
        element["confirm"] = {
            "title": _plain(f"{button.spoken(due)}?"[:100]),
            "text": _plain(question[:300]),
            "confirm": _plain(button.label),
            "deny": _plain("Not now"),
        }
    return element


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}

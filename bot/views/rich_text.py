"""Text that Slack shows literally, as rich text: without it an asterisk in a cause would end its bold, and a log line its block.

Unlike mrkdwn, nothing in it is parsed, so nothing is escaped; who and what a sentence names is an element of its own.
"""

import re
from datetime import UTC, datetime
from typing import Any

from bot.prefixes import typed
from bot.views.mrkdwn import ELLIPSIS, visible
from core.actor import Actor
from core.sentence import Channel, CommandLine, Part, Sentence, plain

Element = dict[str, Any]

_PERSON = re.compile(r"[UW][A-Z0-9]+")
_CHANNEL = re.compile(r"[CG][A-Z0-9]+")


def rich_text(*parts: Element) -> Element:
    """Return the block that these stand in."""
    return {"type": "rich_text", "elements": list(parts)}


def section(sentence: str | Sentence, most: int, *, bold: bool = False) -> Element:
    """Return one line of it, at most so many characters of text, and no more than a sentence has."""
    style = {"style": {"bold": True}} if bold else {}
    return {"type": "rich_text_section", "elements": [e | style for e in _elements(sentence, most)]}


def preformatted(text: str, most: int) -> Element:
    """Return a text as a block of code; a longer one is cut with an ellipsis."""
    return {"type": "rich_text_preformatted", "elements": [_text(cut(text, most))]}


def until(at: datetime) -> Element:
    """Return a line that says until when, in the reader's own zone."""
    utc = at.astimezone(UTC)
    moment = {
        "type": "date",
        "timestamp": int(utc.timestamp()),
        "format": "{time_secs}",
        "fallback": f"{utc:%H:%M:%S} UTC",
    }
    return {"type": "rich_text_section", "elements": [_text("until "), moment]}


def cut(text: str, most: int) -> str:
    """Return the text with hidden characters spelled out, of at most so many characters."""
    shown = visible(text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + ELLIPSIS


def _elements(sentence: str | Sentence, most: int) -> list[Element]:
    elements: list[Element] = []
    left = most
    for part in Sentence.of(sentence).in_one_line().parts:
        if left <= 0:
            break
        element = _element(part, left)
        left -= len(str(element.get("text", "")))
        elements.append(element)
    return elements or [_text("-")]


def _element(part: Part, most: int) -> Element:
    match part:
        case Actor(kind="slack", id=person) if _PERSON.fullmatch(person):
            return {"type": "user", "user_id": person}
        case Channel(id=channel) if _CHANNEL.fullmatch(channel):
            return {"type": "channel", "channel_id": channel}
        case CommandLine():
            return _text(cut(typed(part.words, "slack"), most)) | {"style": {"code": True}}
        case _:
            return _text(cut(plain(part), most))


def _text(text: str) -> Element:
    # Slack refuses an element without a character.
    return {"type": "text", "text": text or "-"}

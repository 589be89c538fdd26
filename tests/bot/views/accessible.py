"""The checklist of slack.md 7, as a function from a payload to what would keep somebody from reading or using it."""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
MOST_TEXT, MOST_LABEL_SHOWN, MOST_SPOKEN = 4000, 30, 75
# Slack's screen readers read a word, a number, a name; marks and pictures are left out.
WORD = re.compile(r"[^\W_]+(?:[.\-/:=_][^\W_]+)*")
NAMED = re.compile(r"<(?:!date\^[^|>]*\|([^>]*)|([^|>]*)\|([^>]*)|([^>]*))>")
# Emoji, and whatever else stands for a state without being a word.
SYMBOL = re.compile("[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]\ufe0f?")
# Bars and frames that a screen reader spells out, one by one.
DRAWN = re.compile("[\u2500-\u259f\u25a0-\u25ff\u2800-\u28ff]{2,}")
# What stands for a mark of Slack's where strangers wrote it (bot/views/mrkdwn.py): read as that mark, and no letter of a word.
ALIKE = str.maketrans({"\u02cb": "`", "\u02cd": "_", "\u2217": "*", "\u223c": "~", "\u2236": ":"})
VAGUE = {"here", "click here", "link", "this", "more", "details"}
LOUD = re.compile(r"<!(?:channel|here|everyone)\b")


def barriers(payload: Json) -> list[str]:
    """Return what is wrong for somebody who cannot see, or cannot point, in a message of ours."""
    text, blocks = str(payload.get("text") or ""), payload.get("blocks") or []
    return [*_of_text(text), *_unsaid(text, blocks), *(each for block in blocks for each in _of_block(block))]


def _of_text(text: str) -> Iterator[str]:
    if not WORD.search(text):
        yield "there is no text, and a screen reader reads nothing else"
    if len(text) > MOST_TEXT:
        yield f"{len(text)} characters of text"
    if found := LOUD.search(text):
        yield f"it calls everybody: {found[0]}"
    if found := DRAWN.search(text):
        yield f"it is drawn and not said: {found[0]}"
    for line in text.split("\n"):
        if SYMBOL.search(line) and not WORD.search(line):
            yield f"a symbol without a word: {line}"
    for date, target, label, _bare in NAMED.findall(text):
        if date and "UTC" not in date:
            yield f"a moment whose fallback has no zone: {date}"
        if target and label.strip().lower() in VAGUE:
            yield f"a link that says nothing: {label}"


def _unsaid(text: str, blocks: list[Json]) -> Iterator[str]:
    """Yield the facts of the blocks that the text does not have."""
    said = {word.casefold() for word in _words(text)}
    for shown in (each for block in blocks for each in _shown(block)):
        if unsaid := [word for word in _words(shown) if word.casefold() not in said]:
            yield f"shown and not said: {' '.join(unsaid)} (of {shown!r})"


def _words(text: str) -> list[str]:
    # Of a link its words are read, and of what has none what it is.
    plain = NAMED.sub(lambda match: match[1] or match[3] or match[2] or match[4] or "", text)
    return WORD.findall(re.sub(r"&(amp|lt|gt);", " ", plain.translate(ALIKE)))


def _shown(thing: Any) -> Iterator[str]:
    """Yield what a block shows, but for its dialogs, ids and values.

    Of a plan only what stands under its tasks: where it is, which the tasks draw, the text says in its first line.
    """
    if isinstance(thing, dict) and thing.get("type") == "plan":
        for task in thing.get("tasks", []):
            yield from _shown([task.get("details"), task.get("output")])
    elif isinstance(thing, list):
        for each in thing:
            yield from _shown(each)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            if key in {"text", "title", "alt_text"} and isinstance(value, str):
                yield value
            elif key == "user_id":
                yield f"<@{value}>"
            elif key != "confirm" and isinstance(value, dict | list):
                yield from _shown(value)


def _of_block(block: Json) -> Iterator[str]:
    for item in [*(block.get("elements") or []), block.get("accessory") or {}]:
        if item.get("type") == "button":
            yield from _of_button(item)
        if item.get("type") == "image" and not WORD.search(item.get("alt_text", "")):
            yield "a picture without words"
    if block.get("type") == "image" and not WORD.search(block.get("alt_text", "")):
        yield "a picture without words"
    if block.get("type") == "input" and not WORD.search(block.get("label", {}).get("text", "")):
        yield "a field without a label"


def _of_button(button: Json) -> Iterator[str]:
    label, spoken = button["text"]["text"], button.get("accessibility_label", "")
    if not WORD.search(label):
        yield f"a button without a word: {label}"
    if len(label) > MOST_LABEL_SHOWN:
        yield f"a label of which Slack shows the beginning: {label}"
    # Whoever speaks to their computer says what they see (WCAG 2.5.3).
    if spoken and not spoken.startswith(label):
        yield f"it is spoken of otherwise than it is labelled: {label} / {spoken}"
    if not spoken or len(spoken) > MOST_SPOKEN:
        yield f"a button that does not say what it is done to: {label} / {spoken}"


def barriers_in_modal(view: Json) -> list[str]:
    """Return what is wrong in a modal: each field has a label, and a title says what it is for."""
    found = [] if WORD.search(view.get("title", {}).get("text", "")) else ["a modal without a title"]
    return found + [each for block in view["blocks"] for each in _of_block(block)]

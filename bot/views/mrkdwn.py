"""Text that is safe in Slack: without it a commit message could ping a channel or a log line break a card.

Slack decodes `&`, `<` and `>` only, and those three are what must be escaped. For what else it gives a meaning to (backticks,
asterisks, names of emoji) there is no escape, so what strangers wrote shows another character that looks the same:

* `escape` is for a block of code, where Slack makes nothing of asterisks, and what is copied out of it is what it was;
* `literal` is for a message's own prose, where nothing is to become bold, an emoji or a quotation;
* `plain` is for text objects of the kind plain_text, which Slack shows as they are, but for emoji.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bot.prefixes import typed
from core.actor import Actor
from core.sentence import Channel, CommandLine, Hyperlink, Part, Sentence, UserGroup

# Colours and cursor movements of terminals: noise in a log line.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# What joins letters or parts of an emoji, and has a meaning only there.
_JOINERS = "\u200c\u200d"
# Control characters, those that reverse the direction of what stands around them, and those that nobody can see, by which
# two names that look the same differ.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
    f"|(?<![^\x00-\x7f])[{_JOINERS}]|[{_JOINERS}](?![^\x00-\x7f])"
)
# Marks that could begin or end a style: each stands at the edge of a word. `_` within one is a part of it, as in DB__HOST.
_MARK = re.compile(r"(?<![^\W_ˋ])[*~]+(?=\S)|(?<=\S)[*~]+(?![^\W_ˋ])|(?<![^\Wˋ])_+(?=\S)|(?<=\S)_+(?![^\Wˋ])")
# `:name:`; a time of day has only digits there, and two emoji have.
_EMOJI = re.compile(r":(?![0-9]+:)(?=[a-z0-9_+'-]{1,100}:)|:(?=(?:100|1234):)", re.IGNORECASE)
_QUOTE = re.compile(r"^(?:>|&gt;)", re.MULTILINE)
_CODE = re.compile(r"(`[^`\n]+`)")
_ALIKE = str.maketrans({"*": "\u2217", "_": "\u02cd", "~": "\u223c"})
_LONE = re.compile("[\ud800-\udfff]")
_FENCE = re.compile(r"`{3,}")
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_CHANNEL = re.compile(r"[CG][A-Z0-9]+")
_GROUP = re.compile(r"S[A-Z0-9]+")
_PARTIAL = re.compile(r"&[a-z]{0,3}$")
_UNCLOSED = re.compile(r"<[^<>]*$")
ELLIPSIS = "…"


def visible(text: str) -> str:
    """Return the text with hidden characters spelled out, so that it shows what it is."""
    text = _ANSI.sub("", text.replace("\r\n", "\n"))
    text = _HIDDEN.sub(lambda match: _spelled(ord(match[0])), text)
    return _LONE.sub("\ufffd", text)


def _spelled(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def escape(text: str) -> str:
    """Return the text for a block of code; runs of backticks that would close it are broken up."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _unfenced(shown)


def _unfenced(text: str) -> str:
    return _FENCE.sub(lambda match: "\u200b".join(match[0]), text)


def literal(text: str) -> str:
    """Return the text for a message's own prose: nothing in it becomes bold, an emoji, a quotation or code."""
    return _unstyled(escape(text).replace("`", "ˋ"))


def unstyled(escaped: str) -> str:
    """Return escaped text without what Slack would make a style or a picture of; code within it stays as it is."""
    parts = _CODE.split(escaped)
    parts[::2] = [_unstyled(part) for part in parts[::2]]
    return "".join(parts)


def _unstyled(text: str) -> str:
    text = _MARK.sub(lambda match: match[0].translate(_ALIKE), text)
    return _QUOTE.sub("\uff1e", _EMOJI.sub("\u2236", text))


def plain(text: str, most: int) -> dict[str, Any]:
    """Return a text object of the kind plain_text, of at most so many characters, cut with an ellipsis."""
    shown = visible(text)
    shown = shown if len(shown) <= most else shown[: most - 1] + ELLIPSIS
    return {"type": "plain_text", "text": shown, "emoji": False}


def sentence_text(sentence: str | Sentence, *, code: bool = False) -> str:
    """Return a sentence as Slack must be given it: text escaped, people and channels by what Slack makes a name of.

    A group is named as the policy has it, since whoever names it to Slack calls everybody in it.

    Args:
        sentence: what is said; what stands between single backticks in it is code.
        code: it goes into a block of code.
    """
    shown = Sentence.of(sentence).shown(lambda part: _shown(part, escape if code else _said))
    return _unfenced(shown)


def _said(text: str) -> str:
    return unstyled(escape(text))


def prose(sentence: str | Sentence) -> str:
    """Return what was said within a sentence of ours: one line, and no backtick that could swallow the rest."""
    return "".join(_in_prose(part) for part in Sentence.of(sentence).in_one_line().parts)


def clip(sentence: str | Sentence, most: int) -> str:
    """Return it as prose of at most so many characters, cut with an ellipsis; whoever is named is so whole or not."""
    whole = Sentence.of(sentence)
    # Escaping never shortens, so more than the limit need not be looked at.
    near = whole.with_text(lambda text: text[: most * 2 + 1])
    flat = prose(near)
    return flat if len(flat) <= most and near == whole else _cut(near.in_one_line(), most - 1) + ELLIPSIS


def shortened(shown: str, most: int) -> str:
    """Return what Slack is to be given already, of at most so many characters: no escape, name or link of it is cut in two."""
    if len(shown) <= most:
        return shown
    return _PARTIAL.sub("", _UNCLOSED.sub("", shown[: most - 1])) + ELLIPSIS


def _cut(sentence: Sentence, most: int) -> str:
    kept = ""
    for part in sentence.parts:
        shown, left = _in_prose(part), most - len(kept)
        if len(shown) > left:
            return kept + _PARTIAL.sub("", shown[:left]) if isinstance(part, str) else kept
        kept += shown
    return kept


def _in_prose(part: Part) -> str:
    return _shown(part, literal)


def _shown(part: Part, quote: Callable[[str], str]) -> str:
    match part:
        case Actor():
            return mention(part)
        case Channel(id=channel) if _CHANNEL.fullmatch(channel):
            return f"<#{channel}>"
        case Hyperlink():
            return f"<{part.url}|{quote(part.words).replace('|', '¦')}>"
        case CommandLine():
            return inline(typed(part.words, "slack"))
        case _:
            return quote(str(part))


def inline(text: str) -> str:
    """Return an id, a name or a command as code within a sentence."""
    return f"`{escape(' '.join(text.split())).replace('`', 'ˋ')}`"


def fence(text: str) -> str:
    """Return escaped text as a block of code."""
    return f"```\n{text}\n```"


def mention(actor: Actor) -> str:
    """Return how Slack shows an actor: by mention for people, by name for tokens and the bot."""
    person = actor.kind == "slack" and _PERSON.fullmatch(actor.id)
    return f"<@{actor.id}>" if person else clip(actor.plain, 80)


def date(at: datetime) -> str:
    """Return a moment in the reader's own zone, with UTC where a client cannot tell."""
    utc = at.astimezone(UTC)
    return f"<!date^{int(utc.timestamp())}^{{date_short_pretty}} {{time}}|{utc:%Y-%m-%d %H:%M} UTC>"


def time_of_day(at: datetime) -> str:
    """Return a moment of the next minutes in the reader's own zone, to the second; it stays true while nobody edits it."""
    utc = at.astimezone(UTC)
    return f"<!date^{int(utc.timestamp())}^{{time_secs}}|{utc:%H:%M:%S} UTC>"


def approver(who: Actor | UserGroup) -> str:
    """Return how somebody whom a rule asks for is shown: a group is called together."""
    if isinstance(who, Actor):
        return mention(who)
    return f"<!subteam^{who.id}>" if _GROUP.fullmatch(who.id) else clip(str(who), 80)

"""Text that is safe in Slack: without it a commit message could ping a channel or a log line break a card.

Slack gives a meaning to `&`, `<` and `>` only, and those three are what must be escaped; there is no escape for
backticks and asterisks.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from bot.prefixes import typed
from core.actor import Actor
from core.sentence import Channel, CommandLine, Part, Sentence, UserGroup

# Colours and cursor movements of terminals: noise in a log line.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Control characters, and those that reverse the direction of what stands around them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_LONE = re.compile("[\ud800-\udfff]")
_FENCE = re.compile(r"`{3,}")
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_CHANNEL = re.compile(r"[CG][A-Z0-9]+")
_GROUP = re.compile(r"S[A-Z0-9]+")
_PARTIAL = re.compile(r"&[a-z]{0,3}$")
ELLIPSIS = "…"


def visible(text: str) -> str:
    """Return the text with hidden characters spelled out, so that it shows what it is."""
    text = _ANSI.sub("", text.replace("\r\n", "\n"))
    text = _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return _LONE.sub("\ufffd", text)


def escape(text: str) -> str:
    """Return the text as Slack must be given it; runs of backticks that would open a block are broken up."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _unfenced(shown)


def _unfenced(text: str) -> str:
    return _FENCE.sub(lambda match: "\u200b".join(match[0]), text)


def sentence_text(sentence: str | Sentence) -> str:
    """Return a sentence as Slack must be given it: text escaped, people and channels by what Slack makes a name of.

    A group is named as the policy has it, since whoever names it to Slack calls everybody in it.
    """
    return _unfenced(Sentence.of(sentence).shown(lambda part: _shown(part, escape)))


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


def _cut(sentence: Sentence, most: int) -> str:
    kept = ""
    for part in sentence.parts:
        shown, left = _in_prose(part), most - len(kept)
        if len(shown) > left:
            return kept + _PARTIAL.sub("", shown[:left]) if isinstance(part, str) else kept
        kept += shown
    return kept


def _in_prose(part: Part) -> str:
    return _shown(part, lambda text: escape(text).replace("`", "ˋ"))


def _shown(part: Part, quote: Callable[[str], str]) -> str:
    match part:
        case Actor():
            return mention(part)
        case Channel(id=channel) if _CHANNEL.fullmatch(channel):
            return f"<#{channel}>"
        case CommandLine():
            return inline(typed(part.words, "slack"))
        case _:
            return quote(str(part))


def inline(text: str) -> str:
    """Return an id, a name or a command as code within a sentence."""
    return f"`{prose(text)}`"


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


def approver(who: Actor | UserGroup) -> str:
    """Return how somebody whom a rule asks for is shown: a group is called together."""
    if isinstance(who, Actor):
        return mention(who)
    return f"<!subteam^{who.id}>" if _GROUP.fullmatch(who.id) else clip(str(who), 80)

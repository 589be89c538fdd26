"""Text that is safe in Slack: without it a commit message could ping a channel or a log line break a card.

Slack gives a meaning to `&`, `<` and `>` only, and those three are what must be escaped; there is no escape for
backticks and asterisks.
"""

import re
from datetime import UTC, datetime

from core.actor import Actor

# Colours and cursor movements of terminals: noise in a log line.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Control characters, and those that reverse the direction of what stands around them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_LONE = re.compile("[\ud800-\udfff]")
_FENCE = re.compile(r"`{3,}")
_PERSON = re.compile(r"[UW][A-Z0-9]+")
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
    return _FENCE.sub(lambda match: "\u200b".join(match[0]), shown)


def prose(text: str) -> str:
    """Return words of others for a sentence of ours: one line, and no backtick that could swallow the rest."""
    return escape(" ".join(text.split())).replace("`", "ˋ")


def clip(text: str, most: int) -> str:
    """Return the text as prose of at most so many characters, cut with an ellipsis."""
    # Escaping never shortens, so more than the limit need not be looked at.
    flat = prose(text[: most * 2 + 1])
    if len(flat) <= most and len(text) <= most * 2:
        return flat
    return _PARTIAL.sub("", flat[: most - 1]) + ELLIPSIS


def inline(text: str) -> str:
    """Return an id, a name or a command as code within a sentence."""
    return f"`{prose(text)}`"


def fence(text: str) -> str:
    """Return escaped text as a block of code."""
    return f"```\n{text}\n```"


def mention(actor: Actor) -> str:
    """Return how Slack shows an actor: by mention for people, by name for tokens and the bot."""
    return actor.mention if actor.kind == "slack" and _PERSON.fullmatch(actor.id) else clip(actor.plain, 80)


def date(at: datetime) -> str:
    """Return a moment in the reader's own zone, with UTC where a client cannot tell."""
    utc = at.astimezone(UTC)
    return f"<!date^{int(utc.timestamp())}^{{date_short_pretty}} {{time}}|{utc:%Y-%m-%d %H:%M} UTC>"


def approver(who: str) -> str:
    """Return how a rule's `U…` or `group:S…` is shown."""
    group = who.removeprefix("group:")
    if group != who:
        return f"<!subteam^{group}>" if re.fullmatch(r"S[A-Z0-9]+", group) else clip(who, 80)
    return f"<@{who}>" if _PERSON.fullmatch(who) else clip(who, 80)

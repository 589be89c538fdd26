"""What no payload for Slack may hold, whoever wrote into it: every view's tests ask it."""

import re
from typing import Any

from bot.playground.slack.limits import problems

# What Slack gives a meaning to, as far as we make it ourselves.
OURS = re.compile(
    r"<(@[UW][A-Z0-9]+|#[CG][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!date\^\d+\^(?:\{date_short_pretty\} \{time\}|\{time_secs\})\|[0-9: -]+ UTC)>"
)
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NASTY = [
    "<!channel>",
    "<!subteam^S01>",
    "<@U0EVIL>",
    "<https://evil.host|click>",
    "`" * 3,
    "`" * 7,
    "```\n<!here>",
    "\u202egnp.exe",
    "\x1b[31mred\x1b[0m",
    "\x00\x07",
    "&amp;&lt;",
    "x" * 10_240,
    "&" * 10_240,
    "`" * 10_240,
    "<" * 10_240,
    "a\nb\r\nc",
    "\ud800",
    "*bold* _italic_ ~struck~ `*code*`",
    "(*b*) _*both*_ *~x~* __all__ *",
    ":fire: :+1: :100:",
    "> quoted\n>>> all of it",
    "pay\u200bload \u2060\u00ad\U000e0041",
    "x" * 100_000,
    "* " * 50_000,
]
# What Slack would make a style or a picture of, as far as it is known: a mark at a word's edge, and its like at the next.
STYLED = re.compile(
    r"(?<![^\W_])([*_~])(?=\S)(?!\1)[^\n]*?(?<=\S)\1(?![^\W_])|:(?:[a-z][a-z0-9_-]*|\+1|100):|^(?:>|&gt;)",
    re.MULTILINE,
)
# Where Slack shows a text as it is: no name, no style and no link is made of it.
AS_IT_IS = {"plain_text", "raw_text", "text", "plan", "task_card"}


def texts(payload: Any) -> list[str]:
    """Every string of a payload."""
    return [text for text, _ in _strings(payload)]


def _strings(payload: Any, *, as_it_is: bool = False) -> list[tuple[str, bool]]:
    """Every string of a payload, and whether Slack shows it as it is."""
    if isinstance(payload, str):
        return [(payload, as_it_is)]
    if isinstance(payload, dict):
        literal = payload.get("type") in AS_IT_IS
        return [each for part in payload.values() for each in _strings(part, as_it_is=literal)]
    if isinstance(payload, list):
        return [each for part in payload for each in _strings(part)]
    return []


def outside_of_code(text: str) -> str:
    """The text without its blocks and spans of code, in which Slack makes nothing of marks."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def assert_harmless(payload: dict[str, Any], *, method: str = "chat.update") -> None:
    """Nothing of it calls people, leads elsewhere, hides or breaks anything, or is refused by Slack."""
    for text, as_it_is in _strings(payload):
        assert not any(char in text for char in BIDI + "\x00\x07\x1b")
        text.encode()
        rest = "" if as_it_is else OURS.sub("", text)
        assert "<" not in rest
        assert ">" not in rest
        assert re.fullmatch(r"(&(?:amp|lt|gt);|[^&])*", rest, re.DOTALL)
    assert problems(payload, method=method) == []

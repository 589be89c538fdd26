"""No text of a stranger, however it is put together, is more than linear work: everybody else would have to wait."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from bot.api.formats import rows_of
from bot.command.lexer import decode, oddities, plain, split
from bot.command.parser import parse
from bot.slack.http_endpoint import delivery_of
from bot.views.answers import Answer, fit, slack_answer
from bot.views.mrkdwn import clip, escape, prose
from bot.views.thread import message
from core.cluster.evidence import printable
from core.errors import UserError
from core.ids import normalise
from core.manifest.convox_yml import parse_manifest
from core.manifest.images import image_problem
from core.records.environment import Environment
from core.records.line import Line
from core.redaction import Redactor
from core.sentence import Sentence
from core.yaml.source import LARGEST_FILE
from tests.growth import FACTOR, MOST_GROWTH, growth
from tests.patterns import Found, found, hostile

PATTERNS = list(found())


def asked(pattern: re.Pattern[str], way: str) -> Callable[[str], object]:
    """Return the work of a pattern; what is looked for once is looked for everywhere, which is no less."""
    if way in {"search", "findall", "finditer", "split", "sub", "subn"}:
        return lambda text: sum(1 for _ in pattern.finditer(text))
    return getattr(pattern, way)


def text_of(before: str, repeated: str, after: str) -> Callable[[int], str]:
    """Return what makes a text of about so many characters."""
    return lambda size: before + repeated * (size // len(repeated)) + after


def test_the_patterns_of_ours_are_found():
    assert len(PATTERNS) > 80
    assert {one.place.partition("/")[0] for one in PATTERNS} == {"bot", "core", "storage"}


@pytest.mark.parametrize("one", PATTERNS, ids=[one.place for one in PATTERNS])
def test_a_pattern_is_linear_in_its_text(one: Found):
    slow = {}
    for parts in hostile(one.pattern):
        for way in one.ways:
            grown = growth(asked(one.pattern, way), text_of(*parts), 1_000)
            if grown > MOST_GROWTH:
                slow[way, *parts] = grown
    assert not slow, (
        f"{one.pattern.pattern!r}: work grows by more than {MOST_GROWTH} where the text grows by {FACTOR}"
    )


@pytest.mark.parametrize(
    "pattern", [r"\$\{([^}]*)\}", r"(a+)+b", r'"([^":]+)[^"]*": (.+)$', r"x\s*\s*y", r"a.*b.*c"]
)
def test_a_pattern_that_is_not_linear_would_be_found_out(pattern: str):
    compiled = re.compile(pattern)
    work = asked(compiled, "search")

    assert any(growth(work, text_of(*parts), 1_000) > MOST_GROWTH for parts in hostile(compiled))


SECRETS = Redactor(
    [f"a secret value {number}" for number in range(50)] + ["a" * 40, "=" * 9, "x\ny\nz\nvalue"]
)
ENVIRONMENT = Environment((("A", "1"), ("B", "x" * 100)))
AT = datetime(2026, 1, 1, tzinfo=UTC)
WORK: dict[str, Callable[[str], object]] = {
    "words of a command": split,
    "what Slack has encoded": decode,
    "a name without markers": plain,
    "oddities of a value": oddities,
    "a command": parse,
    "a value that is set": lambda text: parse(f"env set A={text} -a myapp"),
    "an id": lambda text: normalise("release", text),
    "text for Slack": escape,
    "text within a sentence": prose,
    "a sentence in one line": lambda text: Sentence.of(text).in_one_line(),
    "text that is cut": lambda text: clip(text, 300),
    "an answer that is cut": fit,
    "an answer": lambda text: slack_answer(Answer(text=text, hint=text, warnings=(text, text))),
    "lines of a thread": lambda text: message([Line(AT, "web", row, row) for row in text.split("\n")]),
    "lines of a terminal": lambda text: rows_of(Line(AT, "web", text, "k")),
    "a log": printable,
    "redaction": SECRETS,
    "redaction of what was cut": SECRETS.torn,
    "a reference of an image": image_problem,
    "convox.yml": lambda text: parse_manifest(text[:LARGEST_FILE], ENVIRONMENT),
    "convox.yml of a service": lambda text: parse_manifest(
        f"services:\n  web:\n    command: {text}", ENVIRONMENT
    ),
    "a delivery": lambda text: delivery_of(
        text.encode(errors="replace"), "application/x-www-form-urlencoded"
    ),
    "a delivery in JSON": lambda text: delivery_of(text.encode(errors="replace"), "application/json"),
}
UNITS = [
    *("a", "ab ", " ", "\t", "\n", "\r\n", "\r", "x\n", "\x1b", "\x1b[", "\x1b]", "\x1b]a\x07", "\x1b[31m"),
    *(
        '"',
        "'",
        "a'",
        "' '",
        "“",
        "”",
        "‘a",
        "’ ",
        "“a” ",
        '"a" ',
        "\\",
        '\\"',
        "=",
        "A=",
        "A=b ",
        "a=b&",
        "%41",
    ),
    *("-", "--", "--x ", "-a b ", "—", "&", "&amp;", "&a", "<", "<a|", "<a>", "<@U1> ", "`", "```", "*", "_"),
    *("\u200b", "\ufeff", "\u202e", "\u00ad", "\ud800", "é", "…"),
    *(
        "${",
        "${A}",
        "}",
        "{",
        "[",
        "[[",
        "{a: ",
        "- ",
        "-\n",
        "a: b\n",
        "? ",
        ": ",
        "&a ",
        "*a ",
        "#",
        "|\n",
        "!",
        "%",
    ),
    *("a secret value ", "a secret value 1", "a/", "a:", "a.", "a-", "@"),
]


@pytest.mark.parametrize("name", WORK)
def test_what_is_done_with_text_from_outside_is_linear(name: str):
    def work(text: str) -> None:
        with suppress(UserError, ValueError):
            WORK[name](text)

    grown = {unit: growth(work, text_of("", unit, ""), 1_000) for unit in UNITS}
    slow = {unit: factor for unit, factor in grown.items() if factor > MOST_GROWTH}
    assert not slow, f"work grows by more than {MOST_GROWTH} where the text grows by {FACTOR}"

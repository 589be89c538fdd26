"""A value is found whatever stands in it or was put into it, whatever it was wrapped or quoted with, and in linear time."""

import base64
import html
import re
import shlex
import sys
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from core.redaction import Redactor
from core.redaction.redactor import AT_ONCE, BLOCK
from core.redaction.visible import spans_in, visible

SECRET = "pa$$ word/with:everything+1"
PLAIN = "hunter2hunter2"
LONG = "".join(chr(33 + n * 7 % 90) for n in range(5 * BLOCK + 7))

INTRUDERS = {
    "BOM": "\ufeff",
    "zero-width space": "\u200b",
    "word joiner": "\u2060",
    "soft hyphen": "\xad",
    "reversed writing": "\u202e",
    "isolate": "\u2066",
    "NUL": "\0",
    "bell": "\x07",
    "CR": "\r",
    "CR LF": "\r\n",
    "next line": "\x85",
    "line separator": "\u2028",
    "variation selector": "\ufe0f",
    "tag": "\U000e0041",
    "lost byte": "\ufffd",
    "colour": "\x1b[31m",
    "link": "\x1b]8;;https://x.example\x1b\\",
    "line end": "\n    ",
    "shell continuation": "\\\n  ",
}


@pytest.mark.parametrize("intruder", INTRUDERS.values(), ids=INTRUDERS)
@pytest.mark.parametrize("where", ["value", "text", "both"])
@pytest.mark.parametrize("at", [0, 5, len(PLAIN)])
def test_what_nobody_sees_hides_nothing(intruder: str, where: str, at: int):
    disturbed = PLAIN[:at] + intruder + PLAIN[at:]
    value = PLAIN if where == "text" else disturbed
    text = PLAIN if where == "value" else disturbed
    told = Redactor([value])(f"before {text} after")
    assert "hunter" not in told
    assert told.startswith("before ")
    assert told.endswith(" after")


def test_every_character_that_is_cleaned_away_is_no_part_of_what_is_compared():
    unseen = [
        chr(n)
        for n in range(sys.maxunicode + 1)
        if unicodedata.category(chr(n)) in {"Cc", "Cf", "Zl", "Zp", "Zs"}
    ]
    assert [hex(ord(c)) for c in unseen if visible(c)] == []
    assert [c for c in map(chr, range(128)) if not visible(c)] == [
        c for c in map(chr, range(128)) if not visible(f"{c}ä")[:-1]
    ]


def test_a_value_inside_of_what_a_terminal_obeys_is_found_too():
    assert PLAIN not in Redactor([PLAIN])(f"\x1b]8;;https://u:{PLAIN}@x.example\x1b\\a link\x1b]8;;\x1b\\")


def test_seven_characters_and_an_invisible_one_are_eight_before_anything_is_cleaned_away():
    assert Redactor(["\ufeffsecret7"])("key \ufeffsecret7!") == "key ****!"
    assert Redactor(["a b c d e"])("key a b c d e, and abcde") == "key ****, and abcde"


def in_the_midst(value: str, before: int) -> str:
    return base64.b64encode(b"user:"[:before] + value.encode() + b":end").decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "shlex": shlex.quote,
    "bash": lambda v: "'" + v.replace("'", "'\\''") + "'",
    "printf %q": lambda v: "".join(c if c.isalnum() else f"\\{c}" for c in v),
    "JSON in JSON": lambda v: (
        v.replace("\\", "\\\\").replace('"', '\\"').replace("\\", "\\\\").replace('"', '\\"')
    ),
    "PHP's JSON": lambda v: v.replace("/", "\\/"),
    "HTML": html.escape,
    "HTML of Go": lambda v: html.escape(v, quote=False).replace('"', "&#34;").replace("'", "&#39;"),
    "URL, lower case": lambda v: re.sub("%..", lambda code: code[0].lower(), quote(v)),
    "a path of Go": lambda v: quote(v, safe="$&+:=@"),
    "wrapped base64": lambda v: "\n".join(re.findall(".{1,9}", base64.b64encode(v.encode()).decode())),
    "base64 of more, 1": lambda v: in_the_midst(v, 1),
    "base64 of more, 2": lambda v: in_the_midst(v, 2),
    "base64 of more, 3": lambda v: in_the_midst(v, 3),
    "hexadecimal": lambda v: v.encode().hex(),
    "HEXADECIMAL": lambda v: v.encode().hex().upper(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("value", [SECRET, 'it\'s "q" & <more> \\ than/that', LONG])
def test_a_value_is_found_as_programs_spell_it(spelling: str, value: str):
    spelled = SPELLINGS[spelling](value)
    told = Redactor([value])(f"<{spelled}>")
    # In the midst of more, the letters at both ends tell of what stands beside it too.
    assert "****" in told
    assert len(told.replace("****", "")) <= 18


def test_the_password_of_a_url_is_a_value_by_itself():
    redact = Redactor(["postgres://app:S3cret%2Fpass@db.internal:5432/app"])
    assert (
        redact("password S3cret/pass of app at db.internal is wrong")
        == "password **** of app at db.internal is wrong"
    )
    assert redact("tried S3cret%2Fpass") == "tried ****"


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 5])
def test_a_value_of_any_length_is_one_mask(size: int):
    value = LONG[:size]
    assert Redactor([value])(f"exec {value}!") == "exec ****!"


@pytest.mark.parametrize("kept", [4, BLOCK - 1, BLOCK, BLOCK + 9, 3 * BLOCK])
def test_of_a_value_that_was_cut_nothing_is_left_on_either_side(kept: int):
    redact = Redactor([LONG])
    assert redact(f"exec {LONG[:kept]}… and") == "exec ****… and"
    assert redact(f"it said …{LONG[-kept:]} and") == "it said …**** and"
    assert redact.torn(f"{LONG[-kept:]}\nfailed\n{LONG[:kept]}") == "****\nfailed\n****"


def test_values_that_overlap_are_one():
    assert Redactor(["abcdefghij", "ghijklmnop"])("<abcdefghijklmnop>") == "<****>"


def test_what_is_found_is_put_back_where_it_stands():
    text = 'ä \x1b[1mbold\x1b[0m "x" y'
    for escapes in (False, True):
        seen = visible(text, escapes=escapes)
        for begin in range(len(seen)):
            [(first, end)] = spans_in(text, [(begin, begin + 1)], escapes=escapes)
            assert text[first:end] == seen[begin]


@pytest.mark.parametrize(
    "text",
    ["a" * 64, "postgres://", "post…", "\x1b]", "\x1b[0", "a" * (BLOCK - 1) + "…", '\\"\\"', "\ufeff\n"],
    ids=[
        "one letter",
        "a beginning",
        "cuts",
        "open escapes",
        "open colours",
        "long cuts",
        "quotes",
        "unseen",
    ],
)
def test_the_work_grows_with_the_text_and_not_with_the_values(text: str, monkeypatch: pytest.MonkeyPatch):
    """Counted, not timed: how many sets are asked, and how many words, for a character."""
    asked = [0]

    class Asked(frozenset):
        def __contains__(self, item: object) -> bool:
            asked[0] += 1
            return super().__contains__(item)

    few = Redactor(["a" * n for n in range(8, 20)])
    many = Redactor(
        [f"postgres://user:{'a' * (n % 40)}{n}@db/{n}" for n in range(500)] + ["a" * n for n in range(8, 508)]
    )
    for redact in (few, many):
        monkeypatch.setattr(redact, "_pieces", Asked(redact._pieces))
        for beginnings in (redact._heads, redact._ends):
            monkeypatch.setattr(beginnings, "_firsts", Asked(beginnings._firsts))
        asked[0] = 0
        redact(text * (4000 // len(text)))
        assert asked[0] <= 4000 * 2 * BLOCK


async def test_a_long_text_is_looked_through_beside_the_loop(monkeypatch: pytest.MonkeyPatch):
    import asyncio

    threads = []

    async def noticed(work, *args):
        threads.append(work)
        return work(*args)

    monkeypatch.setattr(asyncio, "to_thread", noticed)
    redact = Redactor([PLAIN])
    assert await redact.long(f"{PLAIN}, " * 9) == "****, " * 9
    assert not threads
    told = await redact.long("x " * AT_ONCE + PLAIN)
    assert told[-6:] == "x ****"
    assert len(threads) == 1
    assert (await redact.long(PLAIN[5:], torn=True)) == "****"


def test_a_value_that_is_a_whole_file_is_found_as_the_usual_libraries_spell_it_in_a_url():
    """Of such only the two usual ways are looked for, since no URL holds it; the value itself is always found."""
    value = "a file/with spaces " * 300
    redact = Redactor([value])
    for spelled in (value, quote(value), quote_plus(value)):
        assert "with" not in redact(f"before {spelled} after")

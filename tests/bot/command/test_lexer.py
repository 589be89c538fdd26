"""What Slack and keyboards do to a typed text, undone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.lexer import INVISIBLE, decode, oddities, plain, split

UNSEEN = str.maketrans("", "", INVISIBLE)


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("&amp;lt;", "&lt;"),
        ("<https://x.host/y>", "https://x.host/y"),
        ("<http://x.host|x.host>", "x.host"),
        ("<https://x/?a=1&amp;b=2>", "https://x/?a=1&b=2"),
        ("<mailto:a@b.host|a@b.host>", "a@b.host"),
        ("<@U01ANA|ana>", "@ana"),
        ("<@U01ANA>", "@U01ANA"),
        ("<#C01|web>", "#web"),
        ("<#C01|>", "#C01"),
        ("<!here>", "@here"),
        ("<!subteam^S01|@devs>", "@devs"),
        ("<!date^1^{date}|noon>", "noon"),
        ("a < b", "a < b"),
    ],
)
def test_slack_encodings_are_undone_once(sent, typed):
    assert decode(sent) == typed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc\nd", ["a", "b", "c", "d"]),
        ("a\u00a0b\u200b", ["a", "b"]),
        ("\u200b", []),
        ("A=“x y”", ["A=“x", "y”"]),
        ("“two words” x", ["two words", "x"]),
        ("‘it’s fine’", ["it’s fine"]),
        ("it's fine", ["it's", "fine"]),
        ('"never closed', ['"never', "closed"]),
        ("A='x y'", ["A=x y"]),
        ('A="x \\" y"', ['A=x " y']),
        ('A="C:\\dir"', ["A=C:\\dir"]),
        ("A=x\\ y", ["A=x y"]),
        ("'A=it'\"'\"'s'", ["A=it's"]),
        ("A=x\"y z\"'w'", ["A=xy zw"]),
        ("A=''", ["A="]),
        ('--anyway="two words"', ["--anyway=two words"]),
        ("--anyway=“two words”", ["--anyway=two words"]),
        ("A=x\u00a0y", ["A=x\u00a0y"]),
    ],
)
def test_words_are_split_as_they_were_meant(text, words):
    assert [word.text for word in split(text)] == words


@given(st.text())
def test_splitting_never_fails_and_loses_nothing_that_can_be_seen(text):
    raw = "".join(word.raw for word in split(text))

    assert "".join(raw.split()).translate(UNSEEN) == "".join(text.split()).translate(UNSEEN)


@pytest.mark.parametrize("piece", ['"', "'", "“", "‘", "=", "A=", "\\", "<", " ‘a", "A='"])
def test_a_long_hostile_text_is_split_in_no_time(piece):
    text = piece * (65_536 // len(piece))
    began = time.process_time()

    split(decode(text))

    assert time.process_time() - began < 5


@pytest.mark.parametrize("typed", ["`web`", "*web*", "_web_", "“web”", "\u200bweb\ufeff", "~web~", "'web'"])
def test_what_surrounds_a_name_is_taken_off(typed):
    assert plain(typed) == "web"


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("plain 'x' - \"y\"", []),
        ("“x”", ["typographic quotes"]),
        ("a—b", ["typographic dashes"]),
        ("wait…", ["an ellipsis"]),
        ("a\u00a0b", ["no-break spaces"]),
        ("a\u200bb’", ["typographic quotes", "invisible characters"]),
    ],
)
def test_characters_that_a_keyboard_may_have_made_are_named(value, kinds):
    assert oddities(value) == kinds

"""What is said to people is made of parts: who and what it names stays what it is until a door shows it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.actor import Actor
from core.errors import Conflict
from core.sentence import EMPTY_SENTENCE, Channel, CommandLine, Hyperlink, Sentence, TimeOfDay, UserGroup

ANA = Actor("slack", "U01ANA", "ana")
CI = Actor("token", "ci", "ci")
NOON = datetime(2026, 1, 1, 12, 5, 9, tzinfo=UTC)
texts = st.text(max_size=8)
parts = (
    texts
    | st.sampled_from([ANA, CI, TimeOfDay(NOON)])
    | st.builds(Channel, texts)
    | st.builds(UserGroup, texts)
    | st.builds(CommandLine, texts)
)
some_parts: st.SearchStrategy[list[Any]] = st.lists(parts, max_size=6)
sentences = some_parts.map(lambda given: Sentence.of(*given))


@pytest.mark.parametrize(
    ("sentence", "plain"),
    [
        (Sentence.of("asked for by ", ANA, " in ", Channel("C01")), "asked for by @ana in #C01"),
        (Sentence.of("ask ", Actor("slack", "U02BO"), " or ", UserGroup("S01")), "ask @U02BO or group:S01"),
        (Sentence.of(CI, " at ", TimeOfDay(NOON)), "token:ci at 12:05 UTC"),
        (Sentence.of(TimeOfDay(NOON, seconds=True)), "12:05:09 UTC"),
        (Sentence.of("<@U01ANA>"), "<@U01ANA>"),
        (Sentence.of(CommandLine("apps cancel web"), " stops it"), "`apps cancel web` stops it"),
    ],
)
def test_in_a_log_everything_has_a_name(sentence, plain):
    assert str(sentence) == plain


def test_a_sentence_in_a_sentence_is_one():
    inner = Sentence.of("it was cancelled by ", ANA)
    assert Sentence.of("on hold: ", inner, "; ", "ask") == Sentence(
        ("on hold: it was cancelled by ", ANA, "; ask")
    )


def test_what_says_nothing_is_false():
    assert not Sentence.of("", "")
    assert Sentence.of("", "") == EMPTY_SENTENCE
    assert Sentence.of(ANA)


def test_many_are_said_with_something_between_them():
    assert str(Sentence.join(", ", [ANA, "bo", Sentence.of(CI, "!")])) == "@ana, bo, token:ci!"
    assert Sentence.join(", ", []) == EMPTY_SENTENCE


def test_only_text_is_changed_and_never_whom_it_names():
    said = Sentence.of("secret by ", ANA, " and secret")
    assert said.with_text(lambda text: text.replace("secret", "****")) == Sentence.of(
        "**** by ", ANA, " and ****"
    )


def test_in_one_line_the_words_stay_apart_from_whom_they_stand_beside():
    said = Sentence.of("\n asked\n  by ", ANA, "\r\nin ", Channel("C01"), " \n")
    assert said.in_one_line() == Sentence.of("asked by ", ANA, " in ", Channel("C01"))


def test_an_error_keeps_the_parts_and_reads_as_text():
    error = Conflict(Sentence.of("already approved by ", ANA))
    assert error.sentence == Sentence.of("already approved by ", ANA)
    assert str(error) == "already approved by @ana"
    assert Conflict("app is not updating").sentence == Sentence.of("app is not updating")


@given(st.lists(sentences, max_size=4))
def test_what_reads_the_same_is_the_same_however_it_was_put_together(said):
    flat = [part for each in said for part in each.parts]
    assert Sentence.of(*said) == Sentence.of(*flat) == Sentence.of(Sentence.of(*flat[:2]), *flat[2:])
    assert str(Sentence.of(*said)) == "".join(map(str, said))
    assert "" not in Sentence.of(*said).parts


def test_a_link_is_told_with_its_address_where_nothing_can_be_clicked():
    assert str(Hyperlink("https://example.com/1", "open it")) == "open it: https://example.com/1"

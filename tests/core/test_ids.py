"""Ids are a letter and ten letters; what a person types in any case is the same id."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import PREFIXES, is_build, new_id, normalise, trace_id


@pytest.mark.parametrize(("kind", "letter"), [("build", "B"), ("release", "R"), ("promotion", "P")])
def test_a_fresh_id_is_a_letter_for_its_kind_and_ten_letters(kind, letter):
    made = {new_id(kind) for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(f"{letter}[A-Z]{{10}}", each) for each in made)


@given(st.sampled_from(sorted(PREFIXES)), st.booleans())
def test_an_id_in_any_case_and_with_space_around_it_is_that_id(kind, lower):
    made = new_id(kind)
    typed = made.lower() if lower else made
    assert normalise(kind, f" {typed}\n") == made


@pytest.mark.parametrize(
    "text",
    ["", "R", "RABCDEFGHI", "RABCDEFGHIJK", "R1BCDEFGHIJ", "BABCDEFGHIJ", "RABCDEFGHIJ x", "RÄBCDEFGHIJ"],
)
def test_what_is_no_release_id_is_none(text):
    assert normalise("release", text) is None


@given(st.text(max_size=14))
def test_whatever_is_typed_the_outcome_is_an_id_or_none(text):
    found = normalise("promotion", text)
    assert found is None or re.fullmatch("P[A-Z]{10}", found)


def test_what_ends_in_a_thread_is_told_apart_by_its_letter():
    assert is_build("BABCDEFGHIJ")
    assert not is_build("PABCDEFGHIJ")


def test_a_promotion_has_one_trace_in_every_life_and_no_other_promotion_has_it():
    assert trace_id("PABCDEFGHIJ") == trace_id("PABCDEFGHIJ") != trace_id("PABCDEFGHIK")
    assert re.fullmatch("[0-9a-f]{32}", trace_id("PABCDEFGHIJ"))

"""An environment keeps order and values, tells differences by name, and shows no value unasked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records.environment import MASK, Environment, difference
from core.records.environment_text import KEY

keys = st.from_regex(KEY, fullmatch=True)
pairs = st.lists(st.tuples(keys, st.text(max_size=12)), max_size=8)


def env(**values: str) -> Environment:
    return Environment(tuple(values.items()))


def test_a_known_key_keeps_its_place_and_a_new_one_goes_to_the_end():
    changed = env(A="1", B="2").with_pairs([("C", "3"), ("A", "9")])
    assert changed.pairs == (("A", "9"), ("B", "2"), ("C", "3"))


def test_of_two_values_for_one_key_the_last_wins():
    assert env().with_pairs([("A", "1"), ("A", "2")]).pairs == (("A", "2"),)


def test_unsetting_what_is_not_there_is_no_error():
    assert env(A="1", B="2").without(["B", "Z"]).pairs == (("A", "1"),)


def test_a_value_is_found_by_its_key():
    assert (env(A="1").get("A"), env(A="1").get("B")) == ("1", None)


def test_values_are_shown_unless_they_are_masked():
    shown = env(A="secret", B="x=y\nz")
    assert shown.masked().lines == [f"A={MASK}", f"B={MASK}"]
    assert shown.lines == ["A=secret", "B<<EOF\nx=y\nz\nEOF"]


def test_no_repr_shows_a_value():
    assert repr(env(PASSWORD="correct-horse")) == "Environment(PASSWORD)"


@pytest.mark.parametrize("key", ["A", "_", "a1", "SECRET_KEY_BASE", "log.level", "A-B"])
def test_what_is_a_name_of_a_variable(key):
    assert KEY.match(key)


@pytest.mark.parametrize("key", ["", "1A", "A B", "-A", ".A", "A/B", "A=", "É", "A\n", "A\n="])
def test_what_is_no_name_of_a_variable(key):
    assert not KEY.match(key)


def test_a_difference_names_keys_in_groups_and_no_values():
    old, new = env(B="1", A="1", GONE="old", SAME="x"), env(B="2", A="2", SAME="x", NEW="new", ALSO="")
    found = difference(old, new)
    assert str(found) == "add:ALSO add:NEW change:A change:B remove:GONE"
    assert len(found) == 5


def test_another_order_is_no_difference():
    assert str(difference(env(A="1", B="2"), env(B="2", A="1"))) == ""


@given(pairs)
def test_what_was_set_is_what_is_there(given_pairs):
    made = Environment().with_pairs(given_pairs)
    assert dict(made.pairs) == dict(given_pairs)
    assert list(made) == list(dict(given_pairs))


@given(pairs, pairs)
def test_a_difference_is_empty_exactly_where_nothing_differs(old, new):
    before, after = Environment().with_pairs(old), Environment().with_pairs(new)
    assert bool(difference(before, after)) == (dict(old) != dict(new))


@given(pairs, st.lists(keys, max_size=4))
def test_what_was_unset_is_gone_and_nothing_else_is(given_pairs, gone):
    left = Environment().with_pairs(given_pairs).without(gone)
    assert dict(left.pairs) == {k: v for k, v in dict(given_pairs).items() if k not in gone}

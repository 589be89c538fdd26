"""No spelling of a value of eight characters or more survives; shorter ones do, and the documents say so."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.records.environment import MASK
from core.redaction import SHORTEST_VALUE, Redactor

SECRET = "s3cr&t/<pass>+wörd\"'%"

# Of `*` alone a value may be what is left after redaction; that tells nobody anything.
values = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="*"), min_size=SHORTEST_VALUE, max_size=40
)


def go_json(value: str) -> str:
    """Spell a value as Go's encoding/json does, which every Kubernetes component logs with."""
    text = json.dumps(value, ensure_ascii=False)[1:-1]
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 without padding": lambda v: base64.b64encode(v.encode()).decode().rstrip("="),
    "base64 for URLs": lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
    "base64 for URLs without padding": lambda v: base64.urlsafe_b64encode(v.encode()).decode().rstrip("="),
    "URL": quote,
    "URL, slashes too": lambda v: quote(v, safe=""),
    "form": quote_plus,
    "JSON": lambda v: json.dumps(v)[1:-1],
    "JSON in UTF-8": lambda v: json.dumps(v, ensure_ascii=False)[1:-1],
    "JSON of Go": go_json,
    "Python": lambda v: repr(v)[1:-1],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(value=values, before=st.text(max_size=5), after=st.text(max_size=5))
@example(value=SECRET, before="password=", after=" refused")
@example(value="line one is long\nline two is too", before="", after="")
def test_no_spelling_of_a_long_value_survives(spelling, value, before, after):
    spelled = SPELLINGS[spelling](value)
    assert spelled not in Redactor([value])(f"{before} {spelled} {after}")


@given(st.lists(values, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_values_in_one_another_leave_nothing_of_each_other(found, random):
    nested = [*found, found[0] + found[-1], found[0][:SHORTEST_VALUE]]
    random.shuffle(nested)
    text = " ".join(nested)
    assert not [v for v in nested if v.strip() and v in Redactor(nested)(text)]


@pytest.mark.parametrize("line", ["-----BEGIN KEY-----", "MIIEowIBAAKCAQEA"])
def test_each_line_of_a_value_of_many_lines_is_hidden_by_itself(line):
    value = "-----BEGIN KEY-----\n  MIIEowIBAAKCAQEA\nshort\n"
    assert Redactor([value])(f"cannot read {line}!") == f"cannot read {MASK}!"


def test_a_short_line_of_a_long_value_is_left_alone():
    assert Redactor(["first line here\nshort"])("too short") == "too short"


@pytest.mark.parametrize("value", ["", "1", "true", "seven77"])
def test_a_short_value_is_not_hidden_since_it_occurs_by_chance(value):
    text = f"listening on {value}:3000"
    assert Redactor([value])(text) == text


def test_eight_characters_are_enough():
    assert Redactor(["12345678"])("key 12345678.") == f"key {MASK}."


def test_the_rest_of_the_text_stays_as_it_is():
    text = 'KeyError: "DATABASE_URL" at main.py:41'
    assert Redactor([SECRET, "postgres://u:pw@db/1"])(text) == text


def test_without_values_nothing_is_hidden():
    assert Redactor([])(SECRET) == SECRET

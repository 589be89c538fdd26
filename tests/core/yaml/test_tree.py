"""Whatever the text, reading it ends in a tree or in one `Invalid` that names a line and no secret."""

import time
from collections.abc import Mapping

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.yaml.problems import Problems
from core.yaml.source import LARGEST_FILE, as_written, interpolate
from core.yaml.tree import LOADER, MappingNode, Node, ScalarNode, compose

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join([f'*{before}'] * 9)}]\n"
    for before, this in zip("abcdefgh", "bcdefghi", strict=True)
)


def outcome(text: str, values: Mapping[str, str] | None = None) -> Node | str | None:
    """Return the tree, or the sentence that refuses the text."""
    problems = Problems("convox.yml")
    try:
        source = as_written(text, problems) if values is None else interpolate(text, values, problems)
        root = compose(source, problems)
        problems.finish()
    except Invalid as error:
        return str(error)
    return root


def sentence_of(text: str, **values: str) -> str:
    said = outcome(text, values)
    assert isinstance(said, str)
    return said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 'convox.yml line 3: key "a" stands twice; the first is in line 1'),
        ("a:\n\tb: 1\n", "indent with spaces, not with tabs"),
        ("a: b\0c", "convox.yml line 1: character U+0000 is not allowed"),
        ('x: 1\na: "\\0"', "convox.yml line 2: character U+0000 is not allowed"),
        ("a: &x [1, *x]", "an alias stands inside what it names"),
        ("a: *x", "an alias names nothing"),
        ("a: !!python/object/apply:os.system [x]", "tags (words that begin with !) have no meaning here"),
        ("a: 1\n---\nb: 2\n", "convox.yml line 2: a second document begins; one is the limit"),
        ("? [a]\n: b\n", "a key must be one word"),
        ("a: [" * 2_000, "convox.yml line 1: it is nested more than 24 deep"),
        (BOMB, "with its aliases written out it has more than 5,000 parts"),
        ("x" * 1024 * 1024, "convox.yml: it has 1,048,576 characters; 65,536 are the limit"),
        (
            "a: &a 'LONG'\nb: [*a, *a, *a, *a, *a]".replace("LONG", "x" * 60_000),
            "it has more than 262,144 characters",
        ),
        ("- &a {x: 1}\n- <<: [" + "*a, " * 3_000 + "]", "more than 5,000 parts"),
        ("a: {<<: [1]}", "<< needs an alias of a mapping"),
        ("a: 'b", "convox.yml line 1: this is not YAML"),
    ],
)
def test_a_hostile_text_is_refused_with_a_sentence(text: str, said: str):
    started = time.monotonic()

    assert said in sentence_of(text)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("loader", [yaml.SafeLoader, LOADER])
@pytest.mark.parametrize(
    "text", [BOMB, "a:\n\tb: 1\n", "a: '", '"\\UFFFFFFFF"', '"\\ud800"', "a: [" * 2_000, "%YAML 9.9\n---\na"]
)
def test_both_parsers_of_pyyaml_are_refused_alike(text: str, loader: type, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("core.yaml.tree.LOADER", loader)

    assert sentence_of(text).startswith("convox.yml")


@given(st.text(max_size=300))
def test_arbitrary_text_gives_a_tree_or_invalid(text: str):
    assert outcome(text) != ""


@given(st.text(alphabet=" \n\t-:{}[]&*!<>'\"#%@`|?,abc01~", max_size=200))
def test_arbitrary_yaml_like_text_gives_a_tree_or_invalid(text: str):
    assert outcome(text) != ""


def test_an_error_shows_the_line_as_written_and_never_the_value_put_into_it():
    said = sentence_of("a: 1\n${KEY}: 2\n${KEY}: 3\n", KEY="hunter2hunter2")

    assert said == 'convox.yml line 3: key "${KEY}: 3" stands twice; the first is in line 2'


def test_a_value_of_several_lines_does_not_move_the_numbers_of_later_lines():
    source = interpolate("a: ${PEM}\nb: 2\n", {"PEM": "|\n  one\n  two"}, Problems())
    root = compose(source, Problems())

    assert isinstance(root, MappingNode)
    assert [(entry.key.text, entry.line) for entry in root.entries] == [("a", 1), ("b", 2)]


def test_a_variable_that_is_not_set_becomes_nothing():
    assert interpolate("a: x${NOPE}y ${A}", {"A": "1"}, Problems()).text == "a: xy 1"


@pytest.mark.parametrize(
    ("text", "became"),
    [
        ("${", "${"),
        ("${A", "${A"),
        ("${A}${A}}", "11}"),
        ("${${A}}", "}"),
        ("$ {A} $A {A}", "$ {A} $A {A}"),
        ("${}", ""),
        ("${A\n}", "${A\n}"),
        ("\ufeff${A}\r\nb", "1\nb"),
    ],
)
def test_a_placeholder_reaches_from_its_dollar_to_the_next_brace_of_its_line(text: str, became: str):
    assert interpolate(text, {"A": "1"}, Problems()).text == became


def test_what_placeholders_stand_for_is_limited_before_it_is_put_together():
    said = sentence_of("a: 1\nb: " + "${A}" * 5_000, A="hunter2hunter2" * 5_000)

    assert said == (
        "convox.yml line 2: up to here, with the values of variables put in for ${…}, it has more than the limit of 65,536 "
        "characters"
    )


@pytest.mark.parametrize("tail", ["", "\n", "\nb"])
def test_a_text_may_become_as_large_as_the_largest_file_and_no_larger(tail: str):
    room = LARGEST_FILE - len(tail)

    assert len(interpolate("${A}" + tail, {"A": "x" * room}, Problems()).text) == LARGEST_FILE
    assert "more than the limit" in sentence_of("${A}" + tail, A="x" * (room + 1))
    assert "more than the limit" in sentence_of("y${A}" + tail, A="x" * room)


def test_a_file_that_is_too_large_is_refused_before_anything_is_looked_for_in_it():
    assert sentence_of("${" * LARGEST_FILE) == "convox.yml: it has 131,072 characters; 65,536 are the limit"


def test_a_merged_mapping_gives_what_the_other_does_not_say_itself():
    root = compose(as_written("base: &base {x: 1, y: 2}\nuse: {<<: *base, x: 3}\n", Problems()), Problems())

    assert isinstance(root, MappingNode)
    used = root.entries[1].value
    assert isinstance(used, MappingNode)
    assert {e.key.text: e.value.text for e in used.entries if isinstance(e.value, ScalarNode)} == {
        "x": "3",
        "y": "2",
    }


def test_the_repr_of_a_node_has_no_value():
    root = compose(interpolate("a: ${S}", {"S": "hunter2hunter2"}, Problems()), Problems())

    assert "hunter2" not in repr(root)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a:\n\xa0\xa0b: 1\n", 2), ("a\u200b: 1\n", 1), ("x: 1\n\u3000b: 2\n", 2)],
)
def test_a_space_that_is_none_in_a_key_is_named(text: str, line: int):
    """Pasted from a page or a chat it is seen by nobody, and the key it belongs to is "unknown"."""
    with pytest.raises(Invalid, match=rf"line {line}: character U\+[0-9A-F]{{4}}, which looks like a space"):
        compose(as_written(text, problems := Problems("f")), problems)


def test_what_is_quoted_may_hold_it():
    tree = compose(as_written('"a\xa0b": 1\n', problems := Problems("f")), problems)
    assert isinstance(tree, MappingNode)
    assert tree.entries[0].key.text == "a\xa0b"

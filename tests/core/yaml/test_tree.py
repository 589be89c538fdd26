"""Whatever the text, reading it ends in a tree or in one `Invalid` that names a line and no secret."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.yaml.problems import Problems
from core.yaml.tree import LOADER, MappingNode, Node, ScalarNode, YamlSource, as_written, compose, interpolate

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join([f'*{before}'] * 9)}]\n"
    for before, this in zip("abcdefgh", "bcdefghi", strict=True)
)


def outcome(source: YamlSource) -> Node | str | None:
    """Return the tree, or the sentence that refuses the text."""
    problems = Problems("convox.yml")
    try:
        root = compose(source, problems)
        problems.finish()
    except Invalid as error:
        return str(error)
    return root


def sentence_of(text: str, **values: str) -> str:
    said = outcome(interpolate(text, values))
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
        (BOMB, "with its aliases written out it has more than 10,000 parts"),
        ("x" * 1024 * 1024, "convox.yml: it has 1,048,576 characters; 65,536 are the limit"),
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
    assert outcome(as_written(text)) != ""


@given(st.text(alphabet=" \n\t-:{}[]&*!<>'\"#%@`|?,abc01~", max_size=200))
def test_arbitrary_yaml_like_text_gives_a_tree_or_invalid(text: str):
    assert outcome(as_written(text)) != ""


def test_an_error_shows_the_line_as_written_and_never_the_value_put_into_it():
    said = sentence_of("a: 1\n${KEY}: 2\n${KEY}: 3\n", KEY="hunter2hunter2")

    assert said == 'convox.yml line 3: key "${KEY}: 3" stands twice; the first is in line 2'


def test_a_value_of_several_lines_does_not_move_the_numbers_of_later_lines():
    source = interpolate("a: ${PEM}\nb: 2\n", {"PEM": "|\n  one\n  two"})
    root = compose(source, Problems())

    assert isinstance(root, MappingNode)
    assert [(entry.key.text, entry.line) for entry in root.entries] == [("a", 1), ("b", 2)]


def test_a_variable_that_is_not_set_becomes_nothing():
    assert interpolate("a: x${NOPE}y ${A}", {"A": "1"}).text == "a: xy 1"


def test_a_merged_mapping_gives_what_the_other_does_not_say_itself():
    root = compose(as_written("base: &base {x: 1, y: 2}\nuse: {<<: *base, x: 3}\n"), Problems())

    assert isinstance(root, MappingNode)
    used = root.entries[1].value
    assert isinstance(used, MappingNode)
    assert {e.key.text: e.value.text for e in used.entries if isinstance(e.value, ScalarNode)} == {
        "x": "3",
        "y": "2",
    }


def test_the_repr_of_a_node_has_no_value():
    root = compose(interpolate("a: ${S}", {"S": "hunter2hunter2"}), Problems())

    assert "hunter2" not in repr(root)

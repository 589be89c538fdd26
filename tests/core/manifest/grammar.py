"""Manifests of every shape, from the keys that the reader asks for by itself: a new key is part of them as soon as it is read.

A *place* is the path of keys to a node; `NAME` stands for whatever something is called, `ITEM` for an item of a list.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from core.errors import Invalid
from core.manifest.convox_yml import parse_manifest, required
from core.records.environment import Environment
from core.yaml.fields import FieldReader
from core.yaml.problems import Problems
from core.yaml.source import as_written
from core.yaml.tree import MappingNode, Node, ScalarNode, compose
from tests.core.manifest.documented import MANIFESTS, VARIABLES

ROOT = Path(__file__).resolve().parents[3]
NAME, ITEM, PROBE = "<name>", "[]", "no-such-key"
NAMES = ("web", "worker", "db", "nightly", "a")
MOST_STEPS = 9  # deeper than any key of Convox

# A scalar is its text in the file, so `"5"` and `5` are two; a tree is made of scalars, lists and mappings.
Place = tuple[str, ...]
Tree = Any

# What people write where something else belongs, and what YAML makes of it.
ODD = (
    *("", "~", "null", "true", "no", "on", "0", "1", "-1", "+7", "007", "0x10", "1e9", "1_000", ".inf", ".nan", "3.5"),
    *("99999999999999999999", "2-5", "5-2", "1+", "-", "--", "3000", "70000", "https:443", "tcp:1", "2000/udp", "1:2"),
    *("/", "/health", "/data", "check", "a b", "bin/web -p 1", '"it\'s"', "'", '"', "'A=1'", "A=1", "A.B-C=1", "=x", "'*'"),
    *("registry.example/web:1", "https://x/y", "10.0.0.0/8", "0.0.0.0/0", "::/0", "a.example.com", "*.example.com", "a,b"),
    *("512Mi", "1Gi", "10s", "24h", '"0 3 * * *"', '"*/5 * * * ? *"', "allow", "Forbid", "postgres", "redis", "db:URL"),
    *("web", "worker", "db", "nightly", "x" * 70, "é", "日本", "\U0001f600", '"\\u200b"', '"a\\nb"',  '"\\0"', '"\\e[2J"', '"\\u202eb"', "!!str x", "<<"),
    *("${A}", "x${B}", "${", "${NOPE}", "'${C}'", "${A}${B}", "2026-01-01", "{}", "[]", "{a: b}", "[a, [b]]", "*a", "&a x"),
)  # fmt: skip
scalars = st.sampled_from(ODD) | st.integers(-5, 70_000).map(str)


def _text(place: Place, beside: Sequence[str]) -> str:
    """Return a file with an unknown key at a place, and these keys beside the mapping there."""
    inner: object = {PROBE: 1}
    for depth, step in enumerate(reversed(place)):
        others = dict.fromkeys(beside, "/x") if depth == 0 else {}
        inner = [inner] if step == ITEM else {**others, NAMES[0] if step == NAME else step: inner}
    return json.dumps(inner)


def _asked(place: Place, beside: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the keys that the reader knows at a place; none where it expects no mapping of known keys."""
    asked: list[tuple[str, ...]] = []
    real = FieldReader.entries_of

    def noting(self: FieldReader, node: Node, what: str, known: Sequence[str]) -> object:
        names = tuple(known)
        if isinstance(node, MappingNode) and any(entry.key.text == PROBE for entry in node.entries):
            asked.append(names)
        return real(self, node, what, names)

    with (
        mock.patch.object(FieldReader, "entries_of", noting),
        mock.patch(
            "core.yaml.fields.did_you_mean", return_value=""
        ),  # what is meant by thousands takes seconds
        suppress(Invalid),
    ):
        parse_manifest(_text(place, beside), Environment())
    return tuple(dict.fromkeys(key for names in asked for key in names))


@cache
def known_keys() -> Mapping[Place, tuple[str, ...]]:
    """Return every place where a mapping of known keys may stand, with those keys."""
    found: dict[Place, tuple[str, ...]] = {}
    open_places: list[Place] = [()]
    while open_places:
        place = open_places.pop()
        # Some keys are looked at only where what they need stands beside them.
        keys = _asked(place) or _asked(place, found.get(place[:-1], ()))
        above = (found.get(place[:length]) for length in range(len(place)))
        if not keys or keys in above:  # `port: {port: {port: …}}` would go on for ever
            continue
        found[place] = keys
        if len(place) < MOST_STEPS:
            open_places += [(*place, key, *step) for key in keys for step in ((), (NAME,), (ITEM,))]
    return found


def tree_of(node: Node) -> Tree:
    """Return what stands in a file, scalars as they are written."""
    if isinstance(node, ScalarNode):
        return node.text if node.plain else json.dumps(node.text)
    if isinstance(node, MappingNode):
        return {entry.key.text: tree_of(entry.value) for entry in node.entries}
    return [tree_of(item) for item in node.items]


def _is_read(text: str) -> bool:
    try:
        return bool(parse_manifest(text, VARIABLES, complete=False).services)
    except Invalid:
        return False


@cache
def examples() -> tuple[Tree, ...]:
    """Return the manifests of the examples and of Convox's constructs as trees, as far as they are read."""
    texts = [file.read_text() for file in sorted((ROOT / "examples").rglob("convox*.yml"))]
    texts += [text for text in MANIFESTS.values() if _is_read(text)]
    nodes = [compose(as_written(text, Problems()), Problems()) for text in texts]
    return tuple(tree_of(node) for node in nodes if node is not None)


def _walk(tree: Tree, place: Place = ()) -> Iterator[tuple[Place, Tree]]:
    yield place, tree
    if isinstance(tree, dict):
        named = place not in known_keys()
        for key, value in tree.items():
            yield from _walk(value, (*place, NAME if named else key))
    elif isinstance(tree, list):
        for item in tree:
            yield from _walk(item, (*place, ITEM))


@cache
def _right_forms() -> Mapping[Place, tuple[Tree, ...]]:
    """Return what the examples have at each place."""
    found: dict[Place, list[Tree]] = {}
    for example in examples():
        for place, tree in _walk(example):
            found.setdefault(place, []).append(tree)
    return {place: tuple(trees) for place, trees in found.items()}


@cache
def values(place: Place) -> st.SearchStrategy[Tree]:
    """Return what may stand at a place: forms that are right there, nested keys, and what belongs elsewhere."""
    kinds: list[st.SearchStrategy[Tree]] = [scalars, scalars, st.lists(scalars, max_size=3)]
    kinds.append(st.dictionaries(scalars, scalars, max_size=2))
    if right := _right_forms().get(place):
        kinds += [st.sampled_from(right)] * 3
    if place in known_keys():
        kinds += [mappings(place)] * 3
    if (*place, NAME) in known_keys():
        kinds += [
            st.dictionaries(st.sampled_from(NAMES), st.deferred(lambda: values((*place, NAME))), max_size=3)
        ] * 3
    if (*place, ITEM) in known_keys():
        kinds += [st.lists(st.deferred(lambda: values((*place, ITEM))), max_size=3)] * 3
    return st.one_of(kinds)


def mappings(place: Place) -> st.SearchStrategy[Tree]:
    """Return mappings of some of the keys of a place, sometimes with one that nobody knows."""
    keys = st.lists(st.sampled_from((*known_keys()[place], "prot", "<<")), max_size=5, unique=True)
    return keys.flatmap(lambda chosen: st.fixed_dictionaries({key: values((*place, key)) for key in chosen}))


@cache
def grown() -> st.SearchStrategy[Tree]:
    """Return manifests that have services at least, made of nothing but keys."""
    service = st.dictionaries(st.sampled_from(NAMES), mappings(("services", NAME)), min_size=1, max_size=2)
    above = {key: values((key,)) for key in known_keys()[()] if key != "services"}
    few = st.lists(st.sampled_from(sorted(above)), max_size=2, unique=True)
    return few.flatmap(
        lambda keys: st.fixed_dictionaries({"services": service, **{key: above[key] for key in keys}})
    )


@st.composite
def bent_examples(draw: st.DrawFn) -> Tree:
    """Return an example with other things in up to three of its places, and up to three keys more."""
    tree = deepcopy(draw(st.sampled_from(examples())))
    for _ in range(draw(st.integers(0, 3))):
        spots = [(place, held) for place, held in _walk(tree) if isinstance(held, dict) and held]
        place, held = draw(st.sampled_from(spots))
        known = known_keys().get(place, ())
        key = draw(st.sampled_from(tuple(dict.fromkeys((*held, *known)))))
        held[key] = deepcopy(
            draw(values((*place, key if known else NAME)))
        )  # else an example would be bent for good
    return tree


def _places(tree: Tree, place: Place = ()) -> Iterator[tuple[Place, Callable[[object], None]]]:
    """Yield where something stands, and what puts something else there."""
    if not isinstance(tree, dict | list):
        return
    known = known_keys().get(place)
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        below = (*place, ITEM if isinstance(tree, list) else str(key) if known else NAME)
        yield below, partial(tree.__setitem__, key)
        yield from _places(tree[key], below)
    for key in known or ():
        if key not in tree:
            yield (*place, key), partial(tree.__setitem__, key)


def filled(scalar: str) -> Iterator[tuple[Place, str]]:
    """Yield examples with a scalar in one of their places, or under one more key that may stand there."""
    often: Counter[Place] = Counter()
    for example in examples():
        for number, (place, _) in enumerate(list(_places(deepcopy(example)))):
            often[place] += 1
            if often[place] > 2:
                continue
            tree = deepcopy(example)
            list(_places(tree))[number][1](scalar)
            yield place, flow(tree)


def flow(tree: Tree) -> str:
    """Return a tree on one line."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return tree


def block(tree: Tree, depth: int, indent: str = "") -> str:
    """Return a tree with the upper `depth` levels of mappings on lines of their own."""
    if not isinstance(tree, dict) or not tree or depth == 0:
        return " " + flow(tree)
    lines = (f"{indent}{key}:{block(value, depth - 1, indent + '  ')}" for key, value in tree.items())
    return "\n" + "\n".join(lines)


@st.composite
def with_anchors(draw: st.DrawFn, tree: Tree) -> Tree:
    """Return a tree of which one service or key stands under `x-…` with an anchor, used or merged."""
    if not isinstance(tree, dict) or not isinstance(services := tree.get("services"), dict) or not services:
        return tree
    name = draw(st.sampled_from(sorted(services)))
    use = draw(
        st.sampled_from(["*base", {"<<": "*base"}, {"<<": "[*base, *base]"}, {"<<": "*base", "scale": "2"}])
    )
    return {
        "x-base": f"&base {flow(services[name])}",
        **tree,
        "services": {**services, name: use, "copy": "*base"},
    }


@st.composite
def manifests(draw: st.DrawFn) -> str:
    """Return the text of a manifest: grown from the keys or bent from an example, perhaps with a slip of the finger."""
    tree = draw(bent_examples() | bent_examples() | grown() | grown() | mappings(()))
    if draw(st.integers(0, 4)) == 0:
        tree = draw(with_anchors(tree))
    text = block(tree, draw(st.integers(0, 4))).strip() + "\n"
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(scalars | st.text(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    return text


def required_of(example: Tree) -> list[str]:
    """Return the variables that an example cannot do without."""
    services = parse_manifest(flow(example), Environment(), complete=False).services
    return required(services, Environment())


SECRET = "Hunter2"
# What a variable may hold: nothing odd, what changes the structure of the file, what breaks it.
_SHAPES = (
    *("{}", "3000", "2", "{{count: 4}}", "[{}, {}]", "a\n      {}: 1", "'{}", '"{}', "{}: {{", "&a {}", "*{}", "!{}", "${{A}}"),
    *("|\n  {}", "{} {}", "{}\0", "\ufeff{}", "{}\u2028{}", "\t{}", "# {}", "{}\ud800", "https://{}@x/y", "", "/{}", "A={}"),
)  # fmt: skip
_REQUIRED = dict.fromkeys((key for example in examples() for key in required_of(example)), "x")
_odd_environments = st.dictionaries(
    st.sampled_from(("A", "B", "C", *_REQUIRED)),
    st.sampled_from(_SHAPES).map(
        lambda shape: shape.replace("{}", SECRET * 2).replace("{{", "{").replace("}}", "}")
    ),
    max_size=4,
)
# Mostly with all that the examples cannot do without, or nothing would be read to its end.
environments = st.tuples(st.sampled_from((_REQUIRED, _REQUIRED, {})), _odd_environments).map(
    lambda both: both[0] | both[1]
)

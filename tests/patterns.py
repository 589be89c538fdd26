"""Every regular expression of ours, and for each the texts that would make it slow if anything could."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from re import _constants as sre  # type: ignore[attr-defined] # isort: skip - what `re` itself compiles from
from re import _parser as parser  # type: ignore[attr-defined] # isort: skip

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "core", "storage")
FUNCTIONS = {"compile", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn"}
REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}
# A repetition of fewer is a constant, however large the text.
MANY = 300
MOST_TEXTS = 30
# What makes patterns of the lines of a file that a person wrote for themselves: nobody else waits for them.
MADE_OF_A_FILE = {"bot/cli/packaging/ignore_pattern.py"}


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern, where it stands, and how it is asked there."""

    place: str
    pattern: re.Pattern[str]
    ways: frozenset[str]


def found() -> Iterator[Found]:
    """Yield each call of `re` with its pattern, worked out by the module it stands in."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            relative = file.relative_to(ROOT)
            if "playground" in relative.parts or relative.as_posix() in MADE_OF_A_FILE:
                continue
            tree = ast.parse(file.read_text(encoding="utf-8"))
            calls: list[Any] = [node for node in ast.walk(tree) if _is_call_of_re(node)]
            if calls:
                module = importlib.import_module(
                    ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
                )
                for call in calls:
                    yield _found(call, f"{relative}:{call.lineno}", vars(module), _ways(tree, call))


def _is_call_of_re(node: Any) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in FUNCTIONS
    )


def _ways(tree: ast.Module, call: Any) -> frozenset[str]:
    """Return how the pattern of a call is asked in its module; where no name tells, in the way that costs most."""
    if call.func.attr != "compile":
        return frozenset({call.func.attr})
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and any(
            node is call for node in ast.walk(statement)
        ):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            asked = re.findall(rf"\b{ast.unparse(target)}(?:\[\w+\])?\.(\w+)\(", ast.unparse(tree))
            return frozenset(asked) & FUNCTIONS or frozenset({"findall"})
    return frozenset({"findall"})


def _found(call: Any, place: str, names: dict[str, Any], ways: frozenset[str]) -> Found:
    def value(node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), place, "eval"), dict(names))  # our own code

    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "flags")]
    text = value(given[0])
    if isinstance(text, re.Pattern):
        text = text.pattern
    flags = next((int(value(node)) for node in given[1:] if "re." in ast.unparse(node)), 0)
    return Found(place, re.compile(text, flags), ways)


def hostile(pattern: re.Pattern[str]) -> list[tuple[str, str, str]]:
    """Return (before, repeated, after): whatever stands before or in one of its repetitions, again and again, and no end."""
    texts: dict[tuple[str, str, str], None] = {}
    parsed = parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    for before, body in _repetitions(list(parsed), ""):
        for unit in body:
            for after in ("", "\0", "!\n"):
                texts[before, unit, after] = None
                texts["", before + unit, after] = None
        if before:
            texts["", before, ""] = None
    whole = _sample(list(parsed))
    for length in range(1, min(len(whole), 12) + 1):
        texts["", whole[:length], ""] = None
        texts["", whole[:length], "\0"] = None
    return [text for text in texts if text[1]][:MOST_TEXTS]


def _repetitions(items: list[Any], before: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each repetition without a small end: a text that leads to it, and texts that it repeats."""
    for number, (kind, value) in enumerate(items):
        lead = before + _sample(items[:number])
        if kind in REPEATS:
            _, most, inner = value
            if most is sre.MAXREPEAT or most > MANY:
                yield lead, _variants(list(inner))
        for inner in _inside(kind, value):
            yield from _repetitions(inner, lead)


def _inside(kind: Any, value: Any) -> list[list[Any]]:
    if kind in REPEATS:
        return [list(value[2])]
    if kind is sre.SUBPATTERN:
        return [list(value[3])]
    if kind is sre.BRANCH:
        return [list(branch) for branch in value[1]]
    if kind in {sre.ASSERT, sre.ASSERT_NOT}:
        return [list(value[1])]
    if kind is sre.ATOMIC_GROUP:
        return [list(value)]
    return []


def _variants(items: list[Any]) -> list[str]:
    """Return some texts that fit: the shortest, and those that begin with other characters of a class."""
    shortest = _sample(items)
    first = items[0] if items else None
    if first and first[0] is sre.IN:
        return [char + shortest[1:] for char in _chars(first[1])]
    return [shortest]


def _sample(items: list[Any]) -> str:
    return "".join(_one(kind, value) for kind, value in items)


def _one(kind: Any, value: Any) -> str:
    if kind in {sre.LITERAL, sre.NOT_LITERAL}:
        return chr(value) if kind is sre.LITERAL else "b" if chr(value) == "a" else "a"
    if kind in {sre.ANY, sre.IN}:
        return "a" if kind is sre.ANY else _chars(value)[0]
    if kind in {sre.ASSERT, sre.ASSERT_NOT}:
        return ""
    parts = _inside(kind, value)
    return _sample(parts[0]) * (value[0] if kind in REPEATS else 1) if parts else ""


def _chars(choices: list[Any]) -> list[str]:
    """Return some characters of a class."""
    if choices[0][0] is sre.NEGATE:
        rest = re.compile("[" + "".join(re.escape(char) for char in _chars(choices[1:])) + "]")
        return [char for char in 'a0" \x1b<[$' if not rest.match(char)][:3] or ["\u2603"]
    found: list[str] = []
    for kind, value in choices:
        if kind is sre.LITERAL:
            found.append(chr(value))
        elif kind is sre.RANGE:
            found.append(chr(value[0]))
        elif kind is sre.CATEGORY:
            found += {"SPACE": [" ", "\n"], "DIGIT": ["0"], "WORD": ["a", "0"]}.get(
                str(value).rpartition("_")[2], ["a"]
            )
    return found[:4] or ["a"]

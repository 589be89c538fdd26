"""Typed reading of a YAML tree: each method gives a usable value and writes down what was wrong with it."""

import re
from collections.abc import Iterable
from typing import TypeVar

from core.yaml.problems import Problems, did_you_mean
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

INTEGER = re.compile(r"^[+-]?[0-9]{1,9}$")
# YAML 1.1, which Convox reads, takes such a number as octal: `0512` is 330.
OCTAL = re.compile(r"^[+-]?0[0-9]+$")
TRUE = frozenset({"true", "yes", "on", "y"})
FALSE = frozenset({"false", "no", "off", "n"})
DURATION = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)$")
UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

W = TypeVar("W", bound=str)


class FieldReader:
    """Reads one file; `what` names the place in every sentence, such as `scale.cpu of service web`."""

    def __init__(self, problems: Problems, *, stored: bool = False) -> None:
        """Read a file; `stored`: it was taken once, so that what is doubted by now is read as it was then, and noted."""
        self.problems = problems
        self.notes: list[str] = []
        self._stored = stored

    def entries_of(self, node: Node, what: str, known: Iterable[str]) -> dict[str, MappingEntry]:
        """Return the entries of a mapping by key, without those that are null; unknown keys are problems."""
        names = tuple(known)
        found: dict[str, MappingEntry] = {}
        for entry in self.mapping(node, what):
            if entry.key.text not in names:
                hint = "" if self.problems.full else did_you_mean(entry.key.text, names)
                self.problems.add(entry.line, f"unknown key {entry.key.shown} in {what}{hint}")
                continue
            if isinstance(entry.value, ScalarNode) and entry.value.emptied:
                self.notes.append(
                    f"{entry.key.text} of {what} is empty: the variable in its place is not set"
                )
            if not (isinstance(entry.value, ScalarNode) and entry.value.null):
                found[entry.key.text] = entry
        return found

    def mapping(self, node: Node, what: str) -> tuple[MappingEntry, ...]:
        if isinstance(node, MappingNode):
            return node.entries
        if not (isinstance(node, ScalarNode) and node.null):
            self.problems.add(node.line, f"{what} must be a mapping of keys, not {node_kind(node)}")
        return ()

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        if isinstance(node, SequenceNode):
            return node.items
        if not (isinstance(node, ScalarNode) and node.null):
            self.problems.add(node.line, f"{what} must be a list, not {node_kind(node)}")
        return ()

    def text(self, node: Node, what: str) -> str:
        """Return the word, or "" where it is none."""
        if isinstance(node, ScalarNode):
            return "" if node.null else node.text
        self.problems.add(node.line, f"{what} must be text, not {node_kind(node)}")
        return ""

    def integer(self, node: Node, what: str, *, low: int, high: int, default: int = 0) -> int:
        if self.octal(node, what):
            return default
        if isinstance(node, ScalarNode) and INTEGER.match(node.text):
            number = int(node.text)
            if low <= number <= high:
                return number
        self.problems.add(
            node.line, f"{what} must be a whole number from {low} to {high}, not {node_kind(node)}"
        )
        return default

    def octal(self, node: Node, what: str) -> bool:
        """Refuse a number that begins with 0, which YAML 1.1 and people read differently; tell whether it is one."""
        if not (isinstance(node, ScalarNode) and node.plain and OCTAL.match(node.text)):
            return False
        said = f"{what} begins with 0, as octal numbers do, so it may not mean {node_kind(node)}: write it without"
        return self.doubted(node.line, said)

    def doubted(self, line: int, said: str) -> bool:
        """Refuse what can be read but hardly means what its writer meant; tell whether it is refused, or was taken before."""
        if self._stored:
            self.notes.append(said)
            return False
        self.problems.add(line, said)
        return True

    def one_of(self, entry: MappingEntry, known: Iterable[W], expected: str) -> W | None:
        """Return the word of a few that an entry has, None where it is none of them; `expected` says which there are."""
        said = self.text(entry.value, entry.key.text)
        found = next((each for each in known if each == said), None)
        if found is None:
            self.problems.add(entry.line, f"{expected}, not {cut(said)}")
        return found

    def boolean(self, node: Node, what: str, *, default: bool = False) -> bool:
        word = node.text.lower() if isinstance(node, ScalarNode) else ""
        if word in TRUE or word in FALSE:
            return word in TRUE
        self.problems.add(node.line, f"{what} must be true or false, not {node_kind(node)}")
        return default

    def duration(self, node: Node, what: str, *, default: float, also: str = "") -> float:
        """Return seconds of `600s`, `24h`, `1.5m`, `500ms`, `7d`; at most a year.

        `also` is a word that the caller takes as well, to be named.
        """
        found = DURATION.match(node.text) if isinstance(node, ScalarNode) else None
        seconds = float(found[1]) * UNIT_SECONDS[found[2]] if found else -1.0
        if 0 <= seconds <= 365 * 86400:
            return seconds
        forms = f"a duration such as 30s, 10m or 24h{f', or {also}' if also else ''}"
        self.problems.add(node.line, f"{what} must be {forms}, not {node_kind(node)}")
        return default


def node_kind(node: Node) -> str:
    """Say what a node is, to be put after "not"."""
    match node:
        case ScalarNode():
            return "nothing" if node.null else node.shown
        case SequenceNode():
            return "a list"
        case MappingNode():
            return "a mapping"

"""YAML with line numbers, read strictly; without it nobody could be told *where* a file is wrong.

Whatever the text holds, the outcome is a tree or an `Invalid`, in bounded time and of bounded size.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from core.yaml.problems import Problems
from core.yaml.source import BREAK, LARGEST_FILE, YamlSource

# Deeper and wider than any manifest (50 services with 40 variables each have 2,500), shallow and small enough for an alias
# bomb to end at once and for the largest file to be read within 50 ms, for which everybody else has to wait.
MAX_DEPTH = 24
MAX_NODES = 5_000
# Characters of its words, each alias counted as if it were written out: whoever reads the tree reads them that often.
MAX_CHARS = 4 * LARGEST_FILE

# libyaml where PyYAML was built with it: the same events, eight times as fast.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Spaces that are none to YAML, and what has no width: pasted from a chat or a page, they become part of a key.
INVISIBLE = re.compile("[\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")
UNUSABLE = re.compile("[\0\ud800-\udfff]")  # what an escape ("\\0") can still bring in


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A word; `plain` where it stood without quotes, so that `null`, `yes` and `5` mean what they say."""

    text: str = field(repr=False)  # it may have come out of an environment
    line: int
    shown: str
    plain: bool = True
    written: str = field(default="", repr=False)  # its line as written, where values were put into it

    def brought_in(self, word: str) -> bool:
        """Whether a word of it came out of an environment."""
        return bool(self.written) and word not in self.written

    @property
    def emptied(self) -> bool:
        """Whether nothing stands where a value was to be put."""
        return bool(self.written) and not self.text

    @property
    def null(self) -> bool:
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list."""

    items: "tuple[Node, ...]"
    line: int


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values in the order in which they were written, each key once."""

    entries: "tuple[MappingEntry, ...]"
    line: int


@dataclass(frozen=True, slots=True)
class MappingEntry:
    """One key with its value."""

    key: ScalarNode
    value: "Node"

    @property
    def line(self) -> int:
        return self.key.line


Node = ScalarNode | SequenceNode | MappingNode


def compose(source: YamlSource, problems: Problems) -> Node | None:
    """Return the tree of a text with one document; None where it holds nothing but comments.

    Raises:
        Invalid: it is too large, is not YAML, or uses what no file of ours needs (tags, a second document, an
            alias bomb). Keys that stand twice are written into `problems` instead, with all others.
    """
    if found := UNPRINTABLE.search(source.text):
        before = len(BREAK.findall(source.text[: found.start()]))
        problems.fail(source.number(before), f"character U+{ord(found[0]):04X} is not allowed")
    try:
        return _Composer(source, problems).document()
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # the Python parser on escapes beyond Unicode
        line: int | None = getattr(getattr(error, "problem_mark", None), "line", None)
        why = getattr(error, "problem", None) or "it cannot be read"
        problems.fail(
            None if line is None else source.number(line), f"this is not YAML: {why}{_advice(source, line)}"
        )


def _advice(source: YamlSource, line: int | None) -> str:
    """Name the tab: the parser's own word for it is "cannot start any token"."""
    lines = BREAK.split(source.text)
    found = lines[line] if line is not None and line < len(lines) else ""
    return "; indent with spaces, not with tabs" if "\t" in found[: len(found) - len(found.lstrip())] else ""


class _Composer:
    """Builds the tree from the parser's events, so that depth and size are known before anything grows."""

    def __init__(self, source: YamlSource, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self._events: Iterator[Any] = iter(yaml.parse(source.text, Loader=LOADER))
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}
        self._count = self._chars = 0

    def document(self) -> Node | None:
        node: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if node is not None:
                    self._stop(event, "a second document begins; one is the limit")
                node = self._node(next(self._events), 0)
        return None if isinstance(node, ScalarNode) and node.null else node

    def _stop(self, event: Any, sentence: str) -> NoReturn:
        self._problems.fail(self._line(event), sentence)

    def _line(self, event: Any) -> int:
        return self._source.number(event.start_mark.line)

    def _node(self, event: Any, depth: int) -> Node:
        self._grow(event, 1)
        if depth > MAX_DEPTH:
            self._stop(event, f"it is nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            self._stop(event, "tags (words that begin with !) have no meaning here")
        anchor, count, chars = event.anchor, self._count - 1, self._chars
        if anchor is not None:
            self._anchors[anchor] = None  # known, but not to be used inside itself
        node = self._content(event, depth)
        if anchor is not None:
            self._anchors[anchor] = (node, self._count - count, self._chars - chars)
        return node

    def _content(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            if found := UNUSABLE.search(event.value):
                self._stop(event, f"character U+{ord(found[0]):04X} is not allowed")
            self._grow(event, 0, len(event.value))
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _scalar(self, event: Any) -> ScalarNode:
        first, last = event.start_mark.line, event.end_mark.line
        return ScalarNode(
            event.value,
            self._line(event),
            self._source.shown(first, last, event.value),
            plain=event.style in {None, ""},
            written=self._source.as_written(first, last),
        )

    def _grow(self, event: Any, nodes: int, chars: int = 0) -> None:
        self._count += nodes
        self._chars += chars
        if self._count > MAX_NODES:
            self._stop(event, f"with its aliases written out it has more than {MAX_NODES:,} parts")
        if self._chars > MAX_CHARS:
            self._stop(event, f"with its aliases written out it has more than {MAX_CHARS:,} characters")

    def _alias(self, event: Any) -> Node:
        known = self._anchors.get(event.anchor)
        if known is None:
            inside = event.anchor in self._anchors
            self._stop(event, "an alias stands inside what it names" if inside else "an alias names nothing")
        node, nodes, chars = known
        self._grow(event, nodes, chars)
        return node

    def _sequence(self, start: Any, depth: int) -> SequenceNode:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return SequenceNode(tuple(items), self._line(start))

    def _mapping(self, start: Any, depth: int) -> MappingNode:
        own: dict[str, MappingEntry] = {}
        merged: dict[str, MappingEntry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, ScalarNode):
                self._stop(event, "a key must be one word")
            if found := INVISIBLE.search(key.text) if key.plain else None:
                sign = f"character U+{ord(found[0]):04X}, which looks like a space or like nothing"
                self._problems.fail(key.line, f"{sign}, is part of the key {key.shown}: use ordinary spaces")
            if key.text == "<<":
                merged = self._merge(value, key) | merged
            elif key.text in own:
                self._problems.add(
                    key.line, f"key {key.shown} stands twice; the first is in line {own[key.text].line}"
                )
            else:
                own[key.text] = MappingEntry(key, value)
        inherited = [entry for name, entry in merged.items() if name not in own]
        return MappingNode((*own.values(), *inherited), self._line(start))

    def _merge(self, value: Node, key: ScalarNode) -> dict[str, MappingEntry]:
        """Return the entries of `<<: *name` or `<<: [*one, *two]`; of two, the first wins, as YAML says."""
        entries: dict[str, MappingEntry] = {}
        for part in value.items if isinstance(value, SequenceNode) else (value,):
            if not isinstance(part, MappingNode):
                self._problems.add(key.line, "<< needs an alias of a mapping")
                continue
            for entry in part.entries:
                entries.setdefault(entry.key.text, entry)
        return entries

"""One pattern of a `.dockerignore`, matched as Docker does; a file too many could be a secret in an image.

The rules are those of https://docs.docker.com/build/concepts/context/#dockerignore-files, and what
github.com/moby/patternmatcher makes of them: Go's `filepath.Match`, and `**` for any number of folders.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ANY_FOLDERS, IN_A_FOLDER, ONE = r"(?:.*/)?", r"[^/]*", r"[^/]"


class PatternError(ValueError):
    """The pattern cannot be read: a bracket or a backslash without its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnorePattern:
    """One line of the file.

    Attributes:
        exception: it began with `!`: what it matches is taken after all.
        matches: tells whether a path (from the folder, with `/`) is what the pattern names; its parents are asked by themselves.
        start: what every such path begins with.
    """

    exception: bool
    matches: Callable[[str], bool]
    start: str

    def reaches_into(self, folder: str) -> bool:
        """Tell whether it may name something inside a folder; yes where that is not sure."""
        inside = f"{folder}/"
        return inside.startswith(self.start) or self.start.startswith(inside)


def read_pattern(text: str) -> IgnorePattern:
    """Return the pattern of one line, of which nothing is to be trimmed or cleaned any more.

    Raises:
        PatternError: as `filepath.Match` would have it.
    """
    exception = text.startswith("!")
    pattern = text.removeprefix("!")
    if not pattern:
        raise PatternError("`!` excepts nothing")
    start = re.split(r"[*?\[\\]", pattern, maxsplit=1)[0]
    return IgnorePattern(exception=exception, matches=_matcher(pattern), start=start)


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a path is meant.

    Docker treats `**` at one end specially while nothing else in the pattern is a wildcard: `**log` ends so, in whatever
    folder and after whatever letters, and `log**` begins so. In the midst of others it stands for whole folders.
    """
    plain = re.compile(_expression(pattern), re.DOTALL)  # also finds what is wrong with it
    if pattern.startswith("**") and _is_literal(end := pattern[2:]):
        return lambda path: path.endswith(end) or (end[:1] == "/" and path == end[1:])
    if pattern.endswith("**") and _is_literal(start := pattern[:-2]):
        return lambda path: path.startswith(start)
    if _is_literal(pattern):
        return lambda path: path == pattern
    return lambda path: plain.fullmatch(path) is not None


def _is_literal(text: str) -> bool:
    return not set(text) & set("*?[\\")


def _expression(pattern: str) -> str:
    """Return the regular expression of a pattern."""
    return "".join(_parts(pattern))


def _parts(pattern: str) -> Iterator[str]:
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 3 if pattern.startswith("**/", at) else 2
            yield ANY_FOLDERS if at < len(pattern) else ".*"
        elif char == "[":
            found, at = _class(pattern, at + 1)
            yield found
        elif char in "*?":
            yield IN_A_FOLDER if char == "*" else ONE
            at += 1
        else:
            char, at = _char(pattern, at)
            yield re.escape(char)


def _class(pattern: str, at: int) -> tuple[str, int]:
    """Return the expression of a class whose bracket stands before `at`, and where the pattern goes on."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[str] = []
    while not (pattern.startswith("]", at) and ranges):
        low, at = _member(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _member(pattern, at + 1)
        # A range the wrong way round holds nothing, and a class of nothing matches nothing.
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    inner = "".join(ranges)
    if not inner:
        return (r"[\s\S]" if negated else r"(?!)"), at + 1
    return f"[{'^' if negated else ''}{inner}]", at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    if at >= len(pattern) or pattern[at] in "-]":
        raise PatternError(
            "a class in brackets that has no end, or holds - or ] without a backslash before it"
        )
    return _char(pattern, at)


def _char(pattern: str, at: int) -> tuple[str, int]:
    """Return the character that stands there, a backslash undone, and where the pattern goes on."""
    if pattern[at] != "\\":
        return pattern[at], at + 1
    if at + 1 >= len(pattern):
        raise PatternError("a backslash with nothing behind it")
    return pattern[at + 1], at + 2

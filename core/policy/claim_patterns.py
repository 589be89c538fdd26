"""What a pattern of a claim means: the whole claim, and never more than it shows."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

WILD = frozenset("*?[")


def fits(text: str, pattern: str) -> bool:
    """Tell whether a whole text is what a pattern means: nothing may stand before it or behind.

    `*` stops at `:` and at `/`, so a pattern of a repository means no other part of the subject; where a part has `**`, what stands there
    goes over `/`, and over `:` nothing does.
    """
    parts, patterns = text.split(":"), pattern.split(":")
    return len(parts) == len(patterns) and all(map(_fits_part, parts, patterns))


def _fits_part(part: str, pattern: str) -> bool:
    if "**" in pattern:
        return fnmatchcase(part, pattern)
    names, patterns = part.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


def fits_any(value: object, patterns: Iterable[str]) -> bool:
    """Tell whether a claim fits; one that is missing, or is a list or an object, fits nothing."""
    if isinstance(value, bool):
        value = str(value).lower()
    return isinstance(value, str | int) and any(fits(str(value), each) for each in patterns)


def is_pattern(text: str) -> bool:
    return bool(WILD & set(text))


def means_anything(pattern: str) -> bool:
    return not set(pattern) - set("*/:")

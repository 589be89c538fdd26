"""Cutting a list of lines to a size, whole lines at a time, and saying so; without it the longest card would be the one Slack refuses."""

from collections.abc import Sequence

_ROOM = len("and 100 more lines")


def fitted(lines: Sequence[str], most: int) -> list[str]:
    """Return as many of the first lines as have room in so many characters with their line ends, and how many are left out."""
    if sum(len(line) + 1 for line in lines) <= most:
        return list(lines)
    kept: list[str] = []
    left = most - _ROOM - 1
    for line in lines:
        if len(line) + 1 > left:
            break
        kept.append(line)
        left -= len(line) + 1
    missing = len(lines) - len(kept)
    return [*kept, f"and {missing} more line{'' if missing == 1 else 's'}"]

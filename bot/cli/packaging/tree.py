"""The files of a folder that are built from, in an order that is always the same; and what cannot be taken, by name."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.cli.packaging.ignore_file import FolderMatches, IgnoreRules
from bot.cli.rack_url import CliError

# As Linux follows in one path (path_resolution(7)).
MOST_LINKS = 40
Kind = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One thing of a folder.

    Attributes:
        name: its path from the folder, with `/`.
        path: where it is.
        mode: who may read, write and run it, as stat(2) has it.
        target: where a link leads, as it is written; "" otherwise.
    """

    name: str
    path: Path
    kind: Kind
    mode: int
    target: str = ""


def walk(folder: Path, rules: IgnoreRules) -> Iterator[TreeEntry]:
    """Yield what is taken of a folder: each folder before what is in it, names in the order of their characters.

    A folder that is left out is looked into only where an exception may take something of it.

    Raises:
        CliError: something of it cannot be read, or a link leads out of it.
    """
    top = Path(os.path.realpath(folder))
    yield from _inside(top, "", top, rules, ())


def _inside(
    folder: Path, prefix: str, top: Path, rules: IgnoreRules, above: FolderMatches
) -> Iterator[TreeEntry]:
    for found in _listed(folder):
        name, path = prefix + found.name, folder / found.name
        ignored, matches = rules.ignores(name, above)
        if not found.is_dir(follow_symlinks=False):
            if not ignored:
                yield _entry(name, path, top)
            continue
        if ignored and not rules.takes_some_of(name):
            continue
        inner = _inside(path, f"{name}/", top, rules, matches)
        # A folder that is left out comes along with the first thing that an exception takes of it.
        first = next(inner, None) if ignored else None
        if first is not None or not ignored:
            yield _entry(name, path, top)
        if first is not None:
            yield first
        yield from inner


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(folder, error) from None


def _entry(name: str, path: Path, top: Path) -> TreeEntry:
    try:
        mode = path.lstat().st_mode
        target = os.readlink(path) if stat.S_ISLNK(mode) else ""  # noqa: PTH115 - as it is written
    except OSError as error:
        raise _unreadable(path, error) from None
    if target:
        _check_stays(name, target, top)
    return TreeEntry(name=name, path=path, kind=_kind(mode), mode=stat.S_IMODE(mode) & 0o777, target=target)


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def _check_stays(name: str, target: str, top: Path) -> None:
    """Refuse a link that leads out: where it is built there is something else at its end, or nothing."""
    if _leads_out(name, target, top):
        raise CliError(
            f"{name} is a link to {target}, which is not in the folder that is built from",
            hint="copy what it leads to into the folder, link it by a relative path, or name it in .dockerignore",
        )


def _leads_out(name: str, target: str, top: Path) -> bool:
    """Tell whether a link leaves the folder, also to come back by its name: where it is built that has another one."""
    at, ahead, left = name.split("/")[:-1], target, MOST_LINKS
    while ahead and left:
        if ahead.startswith("/"):
            return True
        part, _, ahead = ahead.partition("/")
        ahead = ahead.lstrip("/")
        if part == "..":
            if not at:
                return True
            at.pop()
        elif link := _link(top.joinpath(*at, part)):
            ahead, left = f"{link}/{ahead}", left - 1
        elif part != ".":
            at.append(part)
    return False


def _link(path: Path) -> str:
    """Return where a link leads, "" for what is none or is not there."""
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _unreadable(path: Path, error: OSError) -> CliError:
    return CliError(
        f"{path} cannot be read: {error.strerror}", hint="name it in .dockerignore if it is not needed"
    )

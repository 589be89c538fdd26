"""`.dockerignore`: what of a folder stays where it is; the last line that matches a path decides."""

import posixpath
from collections.abc import Iterable, Sequence

from bot.cli.packaging.ignore_pattern import IgnorePattern, PatternError, read_pattern
from bot.cli.rack_url import CliError

IGNORE_FILE = ".dockerignore"
# For each pattern: did it match this folder or one above it?
FolderMatches = Sequence[bool]


class IgnoreRules:
    """The patterns of one file, in their order."""

    def __init__(self, patterns: Iterable[IgnorePattern]) -> None:
        self._patterns = tuple(patterns)
        self._exceptions = [pattern for pattern in self._patterns if pattern.exception]

    def takes_some_of(self, folder: str) -> bool:
        """Tell whether something of a folder that is left out may be taken after all."""
        return any(pattern.reaches_into(folder) for pattern in self._exceptions)

    def ignores(self, path: str, above: FolderMatches = ()) -> tuple[bool, FolderMatches]:
        """Tell whether a path is left out, and what to hand on for what is inside it.

        A pattern that cannot change the answer any more is not asked, and then counts as not matched for what is inside, too:
        so does Docker's own (`MatchesUsingParentResults`).

        Args:
            path: from the folder, with `/`.
            above: what came of the folder that it is in; nothing for what is at the top.
        """
        ignored, matches = False, []
        for at, pattern in enumerate(self._patterns):
            matched = bool(above) and above[at]
            if not matched and pattern.exception == ignored:
                matched = pattern.matches(path)
            matches.append(matched)
            if matched:
                ignored = not pattern.exception
        return ignored, matches


def read_ignore_file(text: str, *, always: Iterable[str] = ()) -> IgnoreRules:
    """Return the rules of a file.

    Args:
        text: its text; "" where there is none.
        always: paths that are taken whatever it says, as Docker takes the Dockerfile and the file itself.

    Raises:
        CliError: a line cannot be read; it is named with its number.
    """
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if line.startswith("#") or not (pattern := _cleaned(line.strip())):
            continue
        try:
            patterns.append(read_pattern(pattern))
        except PatternError as error:
            raise CliError(
                f"{IGNORE_FILE}, line {number}: {error}", hint=f"mend it: {line.strip()}"
            ) from None
    return IgnoreRules([*patterns, *(_exactly(path) for path in always)] if patterns else ())


def _cleaned(line: str) -> str:
    """Return a pattern from the folder on, as Docker cleans it: no slash before, no `.`, `..` or double slash within."""
    mark, pattern = ("!", line[1:].strip()) if line.startswith("!") else ("", line)
    if pattern:
        # Twice, for Docker trims and cleans again what it has cleaned: `a/ ` is `a`.
        pattern = posixpath.normpath(posixpath.normpath(pattern).strip() or ".")
        pattern = pattern.lstrip("/") or ("" if mark else "/")
    return mark + pattern


def _exactly(path: str) -> IgnorePattern:
    return IgnorePattern(exception=True, matches=lambda given: given == path, start=path)

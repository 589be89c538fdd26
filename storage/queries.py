"""The named statements of sql/queries, so that SQL is read as SQL and checked as SQL."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable

HEADER = re.compile(r"^-- ([a-z_]+) --\n-- (\S.*)\n", re.MULTILINE)


def load(folder: Traversable) -> dict[str, str]:
    """Return name → statement of every `.sql` file in a folder.

    Raises:
        ValueError: two statements share a name, or a file has text before its first header.
    """
    found: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        before, *parts = HEADER.split(file.read_text(encoding="utf-8"))
        names, statements = parts[0::3], parts[2::3]
        if before.strip() or len(set(names) | found.keys()) != len(names) + len(found):
            raise ValueError(f"{file.name}: a statement without a header, or a name that is taken")
        found |= {name: text.strip() for name, text in zip(names, statements, strict=True)}
    return found


QUERIES = load(files("storage") / "sql" / "queries")

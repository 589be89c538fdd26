"""How the documents are read by their tests: sections, tables and blocks of code of a Markdown page."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^ *```([a-z]*)\n(.*?)\n *```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
# A cell ends at a bar that no backslash escapes.
BAR = re.compile(r"(?<!\\)\|")


def page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def bare(text):
    """Return a page without its blocks of code, in which `#` is a comment and no heading."""
    return FENCED.sub("", text)


def blocks(text, language=None):
    """Return the blocks of code, or those in one language."""
    return [body for found, body in FENCED.findall(text) if language in {None, found}]


def headings(text, level=None):
    return [title for hashes, title in HEADING.findall(bare(text)) if level in {None, len(hashes)}]


def section(text, title):
    """Return what stands under a heading, down to the next one of its level or above."""
    marks = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert marks, f"no heading {title!r}"
    rest = text[marks.end() :]
    end = re.search(rf"^#{{1,{len(marks[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text):
    """Return the rows of all tables, as lists of cells, without headers and the lines under them."""
    lines = [line.strip() for line in text.splitlines()]
    ruled = {at for at, line in enumerate(lines) if line.startswith("|") and set(line) <= set("|- ")}
    heads = {at - 1 for at in ruled}
    body = [line for at, line in enumerate(lines) if line.startswith("|") and at not in ruled | heads]
    return [[cell.strip() for cell in BAR.split(line)[1:-1]] for line in body]


def codes(cells):
    """Return what stands in backticks in these cells."""
    return [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


def slug(title):
    """Return the anchor that GitHub gives a heading."""
    words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower())
    return words.replace(" ", "-")

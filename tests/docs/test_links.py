"""What a document points to is there: files, headings of other pages, and every path it names."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, bare, headings, slug

HIDDEN = {"node_modules", "dist", "build"}
# What belongs to the project; no walk through .venv, which has more pages than all of it.
FILES = {
    str(path.relative_to(ROOT))
    for top in ROOT.iterdir()
    if not top.name.startswith(".") or top.name == ".github"
    for path in (top, *(top.rglob("*") if top.is_dir() else ()))
    if HIDDEN.isdisjoint(path.relative_to(ROOT).parts)
}
PAGES = sorted(ROOT / name for name in FILES if name.endswith(".md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
URL = re.compile(r"https?://\S+")
# A path with an ending that our files have, or one below a folder of ours; absolute ones are of other machines.
NAMED = re.compile(
    r"(?<![\w/.<>~$*…-])((?:[\w.-]+/)*[\w-]+\.(?:py|md|yml|yaml|toml|lock|sql|png|mod)"
    r"|(?:bot|core|storage|tests|docs|deploy|examples)/[\w./-]*)(?![\w…])"
)
# Files of the reader, and one that is named by what it is not yet called.
# The last is an action of the audit.
THEIRS = {"NNNN_what_it_does.sql", "convox.yml", "app.lock"}


def test_there_are_pages_to_look_at():
    assert {"README.md", "CONTRIBUTING.md", "docs/slack.md", "deploy/README.md"} <= {
        str(path.relative_to(ROOT)) for path in PAGES
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    targets = [
        found for found in LINK.findall(bare(path.read_text(encoding="utf-8"))) if not URL.match(found)
    ]

    assert [target for target in targets if not leads_somewhere(path, target)] == []


def leads_somewhere(path, target):
    name, _, anchor = target.partition("#")
    aim = (path.parent / name).resolve() if name else path
    if not aim.exists() or not aim.is_relative_to(ROOT):
        return False
    return not anchor or anchor in map(slug, headings(aim.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(path):
    text = LINK.sub("]", URL.sub("", path.read_text(encoding="utf-8")))
    here = path.parent.relative_to(ROOT)

    lost = [name for name in NAMED.findall(text) if not exists(name.rstrip("./"), here)]

    assert lost == []


def exists(name, here):
    """A file is named from the root, from beside the page, or by its last parts."""
    if name.rpartition("/")[2] in THEIRS:
        return True
    return any(file == name or file == str(here / name) or file.endswith(f"/{name}") for file in FILES)


def test_a_file_that_is_not_there_is_noticed():
    said = "see `core/verdikt.py`, pages/engine.md and `docs/no.md`, not `core/rollout/verdict.py`"

    assert [name for name in NAMED.findall(said) if not exists(name, Path())] == [
        "core/verdikt.py",
        "pages/engine.md",
        "docs/no.md",
    ]


def test_anchors_are_made_as_github_makes_them():
    assert slug("Start and stop") == "start-and-stop"
    assert slug("How it ended, and `why`") == "how-it-ended-and-why"


def test_no_page_leaves_something_open():
    assert [path.name for path in PAGES if "TODO" in path.read_text(encoding="utf-8")] == []

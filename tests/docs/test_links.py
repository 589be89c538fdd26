"""What a document points to is there: files, headings of other pages, and every path it names."""

import re

import pytest

from tests.docs.pages import ROOT, bare, headings, slug

HIDDEN = {"node_modules", "dist", "build"}
PAGES = sorted(
    path
    for pattern in ("*.md", "*/**/*.md")
    for path in ROOT.glob(pattern)
    if not any(part.startswith(".") or part in HIDDEN for part in path.relative_to(ROOT).parts)
)
FILES = {
    str(path.relative_to(ROOT))
    for path in ROOT.rglob("*")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
}
LINK = re.compile(r"\]\(([^)\s]+)\)")
URL = re.compile(r"https?://\S+")
# A path with an ending that our files have, or one below a folder of ours; absolute ones are of other machines.
NAMED = re.compile(
    r"(?<![\w/.<>~$*…-])((?:[\w.-]+/)*[\w-]+\.(?:py|md|yml|yaml|toml|lock|sql|png|mod)"
    r"|(?:bot|core|storage|tests|docs|deploy|examples)/[\w./-]*)(?![\w…])"
)
# Files of the reader, and one that is named by what it is not yet called.
THEIRS = {"NNNN_what_it_does.sql", "convox.yml"}


def test_there_are_pages_to_look_at():
    assert {"README.md", "CONTRIBUTING.md", "docs/slack.md", "deploy/README.md"} <= {
        str(path.relative_to(ROOT)) for path in PAGES
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    lost = []
    for target in LINK.findall(bare(path.read_text(encoding="utf-8"))):
        if URL.match(target):
            continue
        name, _, anchor = target.partition("#")
        aim = (path.parent / name).resolve() if name else path
        if not aim.exists() or not aim.is_relative_to(ROOT):
            lost.append(target)
        elif anchor and anchor not in map(slug, headings(aim.read_text(encoding="utf-8"))):
            lost.append(target)

    assert lost == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(path):
    text = URL.sub("", path.read_text(encoding="utf-8"))
    here = path.parent.relative_to(ROOT)

    lost = [name for name in NAMED.findall(text) if not exists(name.rstrip("./"), here)]

    assert lost == []


def exists(name, here):
    """A file is named from the root, from beside the page, or by its last parts."""
    if name.rpartition("/")[2] in THEIRS:
        return True
    beside = str((ROOT / here / name).resolve().relative_to(ROOT)) if ".." not in name else ""
    return name in FILES or beside in FILES or any(file.endswith(f"/{name}") for file in FILES)


def test_anchors_are_made_as_github_makes_them():
    assert slug("Start and stop") == "start-and-stop"
    assert slug("How it ended, and `why`") == "how-it-ended-and-why"


@pytest.mark.parametrize("word", ["../shared", "/work/", "sandbox", "TODO"])
def test_no_page_speaks_of_the_workshop(word):
    assert [path.name for path in PAGES if word in path.read_text(encoding="utf-8")] == []

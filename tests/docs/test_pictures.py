"""A picture that no page shows is forgotten, and one without words tells nothing to whoever cannot see it."""

import re

from tests.docs.pages import ROOT

IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_picture_stands_on_a_page():
    shown = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = sorted(file.name for file in (ROOT / "docs" / "pictures").iterdir())
    assert [name for name in pictures if f"pictures/{name})" not in shown] == []


def test_every_picture_has_words():
    words = [alt for page in PAGES for alt, _ in IMAGE.findall(page.read_text(encoding="utf-8"))]
    assert len(words) > 10
    assert [alt for alt in words if len(alt) < 15] == []

"""Every link, path, make target and rule number that a document or a comment names exists."""

import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "deploy/*.md")
    for page in ROOT.glob(pattern)
    if ".venv" not in page.parts
)
CODE = sorted(
    file
    for package in ("bot", "core", "storage")
    for file in (ROOT / package).rglob("*")
    if file.suffix in {".py", ".sql"}
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
QUOTED_PATH = re.compile(r"`((?:bot|core|storage|tests|docs|deploy|examples)/[\w./-]*\w/?)`")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def called(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {slug(re.sub(r"[`*]", "", heading)) for heading in headings}


def slug(heading: str) -> str:
    kept = [c for c in heading.strip().lower() if c in "- _" or unicodedata.category(c)[0] in "LN"]
    return "".join(kept).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_every_link_leads_somewhere(page: Path):
    missing = []
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            missing.append(target)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_every_file_that_is_named_exists(page: Path):
    assert [path for path in QUOTED_PATH.findall(text_of(page)) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_every_make_target_that_is_named_exists(page: Path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", text_of(page), re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_a_document_speaks_of_this_repository_only(page: Path):
    assert not re.search(
        r"\.\./shared|/work/|reference/\w+\.md|\b(contract|design|engine|product)\.md\b", text_of(page)
    )


def test_every_decision_has_its_number_and_the_three_parts():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in decisions] == list(range(1, len(decisions) + 1))
    for page in decisions:
        assert text_of(page).startswith(f"# {int(page.name[:4])}. "), page.name
        assert re.findall(r"^## (\w+)", text_of(page), re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ], page.name


RULES = text_of(ROOT / "docs" / "rules.md")


def numbered(heading: str) -> set[int]:
    """Return the numbers of the list under a heading of the page of rules."""
    part = RULES[RULES.index(heading) :].partition("\n## ")[0]
    return {int(number) for number in re.findall(r"^(\d+)\. ", part, re.MULTILINE)}


def cited(pattern: str) -> dict[int, str]:
    """Return number → one place that cites it."""
    found: dict[int, str] = {}
    for file in CODE:
        for match in re.finditer(pattern, text_of(file)):
            found |= {int(n): called(file) for n in re.findall(r"\d+", match[0])}
    return found


def test_every_engine_rule_that_the_code_cites_is_written_down():
    known = numbered("## Engine rules")
    assert {n: at for n, at in cited(r"\brules? \d+(?:,? (?:and )?\d+)*").items() if n not in known} == {}


def test_every_promise_that_the_code_cites_is_in_the_readme():
    readme = text_of(ROOT / "README.md")
    part = readme[readme.index("## What you can rely on") :]
    known = {int(n) for n in re.findall(r"^(\d+)\. ", part[: part.index("\n## ", 5)], re.MULTILINE)}
    assert {n: at for n, at in cited(r"\bpromises? \d+").items() if n not in known} == {}


def test_every_part_of_the_contract_that_the_code_cites_has_a_page():
    known = {int(n) for n in re.findall(r"^\| contract (\d) \|", RULES, re.MULTILINE)}
    assert {n: at for n, at in cited(r"\bcontract \d+(?: and \d+)?").items() if n not in known} == {}


def test_every_trap_that_the_code_cites_is_written_down():
    known = numbered("## Slack's traps")
    assert {n: at for n, at in cited(r"\btraps? \d+").items() if n not in known} == {}


def test_the_code_cites_no_document_that_is_not_here():
    unknown = re.compile(
        r"\b(?:contract|design|engine|product|style|convox-\w+|kube\w+-\w+)\.md\b|\bdesign \d|slack\.md \d"
    )
    assert [called(file) for file in CODE if unknown.search(text_of(file))] == []

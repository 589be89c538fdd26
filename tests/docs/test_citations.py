"""What a comment points to is there: a reason by number ("engine rule 14") in docs/rules.md, a file, a name in a module."""

import re

import pytest

from tests.docs.pages import ROOT, page, rows, section

RULES = page("rules.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOLDERS = ("bot", "core", "storage", "tests", "docs", "deploy", "examples")
KINDS = {".py", ".sql", ".md", ".yml", ".yaml", ".toml"}
TEXTS = {
    str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
    for file in sorted(
        [*ROOT.glob("[!.]*"), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*"))]
    )
    if "node_modules" not in file.parts
    and file.is_file()
    and (file.suffix in KINDS or file.name in {"Makefile", "Dockerfile"})
}
PYTHON = {name: text for name, text in TEXTS.items() if name.endswith(".py")}
# Comments and docstrings, near enough.
WORDS = re.compile(r'#.*|"""[\s\S]*?"""')
ITEM = re.compile(r"^(\d+)\. ", re.MULTILINE)


def numbered(text: str) -> set[int]:
    return {int(number) for number in ITEM.findall(text)}


@pytest.mark.parametrize(
    ("cited", "known"),
    [
        (r"\brules? \d+(?:(?:,| and) \d+)*", numbered(section(RULES, "Engine rules"))),
        (r"\bpromises? \d+", numbered(section(README, "What you can rely on"))),
        (
            r"\bcontract \d+(?: and \d+)?",
            {int(row[0].split()[1]) for row in rows(section(RULES, "Contract"))},
        ),
        (r"\btraps? \d+", numbered(section(RULES, "Slack's traps"))),
        (r"\bdecisions? \d+", {int(file.name[:4]) for file in (ROOT / "docs/decisions").glob("*.md")}),
    ],
    ids=["engine rules", "promises", "contract", "traps", "decisions"],
)
def test_every_number_that_is_cited_is_written_down(cited: str, known: set[int]):
    found = {
        int(number): name
        for name, text in TEXTS.items()
        for match in re.finditer(cited, text)
        for number in re.findall(r"\d+", match[0])
    }
    assert found, "reasons are given by number"
    assert {number: name for number, name in found.items() if number not in known} == {}


def test_every_file_that_a_comment_names_is_there():
    named = re.compile(r"(?<![\w/.])(?:[\w-]+/)*[a-z][\w-]*\.(?:py|md|sql|yml|yaml|toml)\b")
    known = {*TEXTS, "convox.yml"}
    lost = {
        found: name
        for name, text in PYTHON.items()
        for words in WORDS.findall(text)
        for found in named.findall(words)
        if not any(each == found or each.endswith(f"/{found}") for each in known)
    }
    assert lost == {}


@pytest.mark.parametrize(
    "named",
    sorted({n for text in PYTHON.values() for n in re.findall(r"`((?:bot|core|storage)(?:\.\w+)+)`", text)}),
)
def test_every_name_of_a_module_is_defined_there(named: str):
    """Without importing it: what is named is looked for in the text of its module."""
    parts = named.split(".")
    modules = [(ROOT.joinpath(*parts[:count]), parts[count:]) for count in range(len(parts), 0, -1)]
    text, inside = next(
        (file.read_text(encoding="utf-8"), rest)
        for path, rest in modules
        for file in (path.with_suffix(".py"), path / "__init__.py")
        if file.is_file()
    )
    assert [
        part for part in inside if not re.search(rf"\b(?:class|def) {part}\b|^{part}\b", text, re.MULTILINE)
    ] == []


def test_the_way_to_each_part_of_the_contract_is_a_link():
    assert all(re.search(r"\]\([a-z]+\.md\)", row[2]) for row in rows(section(RULES, "Contract")))

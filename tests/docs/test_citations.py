"""A reason that a comment gives by number ("engine rule 14") stands in docs/rules.md, so that a newcomer can look it up."""

import re

import pytest

from tests.docs.pages import ROOT, page, rows, section

RULES = page("rules.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = {
    str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
    for package in ("bot", "core", "storage")
    for file in sorted((ROOT / package).rglob("*"))
    if file.suffix in {".py", ".sql"}
}
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
    ],
    ids=["engine rules", "promises", "contract", "traps"],
)
def test_every_number_that_the_code_cites_is_written_down(cited: str, known: set[int]):
    found = {
        int(number): name
        for name, text in CODE.items()
        for match in re.finditer(cited, text)
        for number in re.findall(r"\d+", match[0])
    }
    assert found, "the code gives its reasons by number"
    assert {number: name for number, name in found.items() if number not in known} == {}


def test_the_code_cites_no_document_that_is_not_here():
    elsewhere = re.compile(
        r"\b(?:contract|design|engine|product|style|kubelet-live)\.md\b|\bdesign \d|slack\.md \d"
    )
    assert [name for name, text in CODE.items() if elsewhere.search(text)] == []


def test_the_way_to_each_part_of_the_contract_is_a_link():
    assert all(re.search(r"\]\([a-z]+\.md\)", row[2]) for row in rows(section(RULES, "Contract")))

"""Names: whoever knows Convox, Kubernetes or Slack meets no word in a class's name that is in no glossary."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tests.docs.pages import ROOT, page, rows

VOCABULARY = ROOT / "tests" / "docs" / "vocabulary.txt"
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
BOLD = re.compile(r"\*\*([^*]+)\*\*")


class Named(NamedTuple):
    name: str
    file: str


def public_classes() -> Iterator[Named]:
    for package in ("bot", "core", "storage"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    yield Named(node.name, str(file.relative_to(ROOT)))


def words_of(name: str) -> list[str]:
    """Return the words of a name in CamelCase, or of a term: `KubeApiURL` is kube, api, url."""
    return [word.lower() for word in WORD.findall(name)]


def groups() -> Mapping[str, list[str]]:
    """Return the groups of the plain vocabulary by their headings, which are the lines that begin with `#`."""
    found: dict[str, list[str]] = {}
    words: list[str] = []
    for line in VOCABULARY.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            words = found.setdefault(line.removeprefix("#").strip(), [])
        else:
            words += line.split()
    return found


def terms() -> set[str]:
    """Return every word of every term of the glossary."""
    return {
        word for row in rows(page("glossary.md")) for term in BOLD.findall(row[0]) for word in words_of(term)
    }


def plain() -> list[str]:
    return [word for words in groups().values() for word in words]


def singulars(word: str) -> set[str]:
    """Return the word, and each that it may be the plural of."""
    ends = (("s", ""), ("es", ""), ("ies", "y"))
    return {word, *(word.removesuffix(end) + new for end, new in ends if word.endswith(end))}


def strangers(classes: Iterable[Named], known: Iterable[str]) -> list[str]:
    """Name each class with a word that nobody knows, where it stands, and the word."""
    return [
        f"{file}: class {name}: {word}"
        for name, file in classes
        for word in words_of(name)
        if not singulars(word) & set(known)
    ]


def test_no_public_class_is_named_by_a_word_outside_the_field_and_the_glossary():
    found = strangers(public_classes(), {*terms(), *plain()})
    assert not found, "give it the field's name, or the glossary its word:\n" + "\n".join(found)


def test_a_name_that_makes_one_look_twice_is_told_with_its_file_and_its_word():
    classes = [
        Named("WatchErrand", "core/x.py"),
        Named("PodWatches", "core/y.py"),
        Named("KubeApiURL", "bot/z.py"),
    ]
    assert strangers(classes, {"watch", "pod", "kube", "api", "url"}) == [
        "core/x.py: class WatchErrand: errand"
    ]


def test_one_name_means_one_class():
    where: dict[str, list[str]] = {}
    for name, file in public_classes():
        where.setdefault(name, []).append(file)
    assert {name: files for name, files in where.items() if len(files) > 1} == {}


def test_the_plain_vocabulary_holds_no_word_twice_and_none_of_the_glossary():
    words = plain()
    assert sorted({word for word in words if words.count(word) > 1}) == []
    assert sorted(terms().intersection(words)) == []


def test_the_plain_vocabulary_holds_only_words_that_a_class_needs():
    needed = {each for name, _ in public_classes() for word in words_of(name) for each in singulars(word)}
    assert sorted(set(plain()) - needed) == []


def test_every_term_of_the_glossary_has_its_line():
    found = rows(page("glossary.md"))
    assert found
    assert all(BOLD.search(row[0]) and row[1] for row in found)

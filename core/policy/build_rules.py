"""Which pushes are built: the rules `builds:` of a policy file, each a repository, what is pushed to it, an app, and what follows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from core.records.app import NAME
from core.records.push import PROMOTE_AFTER, PromoteAfter
from core.yaml.fields import FieldReader
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, Node

BUILD_KEYS = ("app", "branch", "promote", "repository", "tag")
# A host is written out: a pattern there would build what a stranger's host serves.
REPOSITORY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~*?\[\]!-]+){2,}")
# What git lets a branch or a tag be called, and the characters of a pattern.
REF_PATTERN = re.compile(r"[^\x00-\x20\x7f~^:\\]+")
BRANCHES, TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRule:
    """What is built of a push, and what becomes of its release.

    Attributes:
        repository: pattern of `host/path`, without a scheme and without `.git`.
        branch, tag: patterns of what is pushed, "" for none.
    """

    repository: str
    app: str
    branch: str = ""
    tag: str = ""
    promote: PromoteAfter = "never"

    def __str__(self) -> str:
        what = [f"{kind} {name}" for kind, name in (("branch", self.branch), ("tag", self.tag)) if name]
        return f"{self.repository}, {' and '.join(what)}: in {self.app}, promote {self.promote}"

    def covers(self, repository: str) -> bool:
        """Tell whether it is about a repository; the case of letters says nothing, as at GitHub and GitLab."""
        return fnmatchcase(repository.lower(), self.repository.lower())

    def takes(self, repository: str, ref: str) -> bool:
        """Tell whether a push to a ref (`refs/heads/main`) of a repository is built."""
        pattern = self.branch if ref.startswith(BRANCHES) else self.tag
        name = ref.removeprefix(BRANCHES).removeprefix(TAGS)
        return self.covers(repository) and bool(pattern) and fnmatchcase(name, pattern)


def first_of_each_app(rules: Iterable[BuildRule], repository: str, ref: str) -> tuple[BuildRule, ...]:
    """Return what is built of a push: for each app the first rule that takes it."""
    found: dict[str, BuildRule] = {}
    for rule in rules:
        if rule.takes(repository, ref):
            found.setdefault(rule.app, rule)
    return tuple(found.values())


def read_build_rules(read: FieldReader, entry: MappingEntry | None) -> tuple[BuildRule, ...]:
    """Return the rules; where something is wrong, the values beside it are placeholders."""
    listed = read.items(entry.value, "builds") if entry else ()
    return tuple(_rule(read, node) for node in listed)


def _rule(read: FieldReader, node: Node) -> BuildRule:
    keys = read.entries_of(node, "builds", BUILD_KEYS)
    branch, tag = (_pattern(read, keys.get(key)) for key in ("branch", "tag"))
    if "branch" not in keys and "tag" not in keys:
        read.problems.add(node.line, "a rule of builds says neither branch nor tag, so no push is meant")
    return BuildRule(
        repository=_repository(read, node, keys.get("repository")),
        app=_app(read, node, keys.get("app")),
        branch=branch,
        tag=tag,
        promote=_promote(read, keys.get("promote")),
    )


def _repository(read: FieldReader, node: Node, entry: MappingEntry | None) -> str:
    if entry is None:
        read.problems.add(node.line, "repository is missing")
        return ""
    text = read.text(entry.value, "repository")
    if not REPOSITORY.fullmatch(text) or text.endswith(".git"):
        why = "write its host and its path, such as github.com/acme/shop or gitlab.example.com/acme/*: no https://, no .git, and no * in the host"
        read.problems.add(entry.line, f"{cut(text)} is no repository: {why}")
    return text


def _app(read: FieldReader, node: Node, entry: MappingEntry | None) -> str:
    if entry is None:
        read.problems.add(node.line, "app is missing")
        return ""
    text = read.text(entry.value, "app")
    if not NAME.fullmatch(text):
        read.problems.add(entry.line, f"{cut(text)} is the name of no app: write one, without a pattern")
    return text


def _pattern(read: FieldReader, entry: MappingEntry | None) -> str:
    if entry is None:
        return ""
    key, text = entry.key.text, read.text(entry.value, entry.key.text)
    if text.startswith("refs/"):
        read.problems.add(entry.line, f"{cut(text)}: write the name of the {key} alone, without refs/…")
    elif not REF_PATTERN.fullmatch(text):
        read.problems.add(entry.line, f"{cut(text)} matches no {key}")
    return text


def _promote(read: FieldReader, entry: MappingEntry | None) -> PromoteAfter:
    if entry is None:
        return "never"
    return read.one_of(entry, PROMOTE_AFTER, "promote of builds is never, ask or automatic") or "never"

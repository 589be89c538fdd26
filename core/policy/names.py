"""Names in a policy file: people, groups, roles and patterns of apps, each refused with what it should have been."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping

from core.policy.rules import EVERYBODY, OIDC, TOKEN, Role
from core.yaml.fields import FieldReader, node_kind
from core.yaml.problems import did_you_mean
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, Node, ScalarNode

USER = re.compile(r"[UW][A-Z0-9]{2,}")
GROUP_ID = re.compile(r"group:S[A-Z0-9]{2,}")
TOKEN_NAME = re.compile(r"token:[A-Za-z0-9][A-Za-z0-9._-]*")
PATTERN = re.compile(r"[a-z0-9*?!\[\]-]+")


def why_no_role(text: str, roles: Mapping[str, Role]) -> str:
    return "" if text in roles else f"unknown role {cut(text)}{did_you_mean(text, roles)}"


def why_nobody(text: str, jobs: Collection[str]) -> str:
    """Say why a name means nobody; `jobs`: the rules of `oidc:`."""
    if text.startswith(OIDC):
        name = text.removeprefix(OIDC)
        return "" if name in jobs else f"no rule of oidc is called {cut(name)}{did_you_mean(name, jobs)}"
    if text == EVERYBODY or any(known.fullmatch(text) for known in (USER, GROUP_ID, TOKEN_NAME)):
        return ""
    return f'{cut(text)} is nobody: write a Slack user id (U…), group:<user group id>, token:<name>, oidc:<rule> or "*"'


def why_no_approver(text: str) -> str:
    if text.startswith(TOKEN):
        return f"{cut(text)} in from: a token never approves, people do"
    if text.startswith(OIDC):
        return f"{cut(text)} in from: a job never approves, people do"
    if text == EVERYBODY:
        return '"*" in from: leave from empty for whoever holds approve'
    if USER.fullmatch(text) or GROUP_ID.fullmatch(text):
        return ""
    return f"{cut(text)} in from is nobody: write a Slack user id (U…) or group:<user group id>"


def why_no_pattern(text: str) -> str:
    return (
        ""
        if PATTERN.fullmatch(text)
        else f"{cut(text)} matches no app: names are lower-case letters, digits, dashes"
    )


def names(
    read: FieldReader, entry: MappingEntry | None, parent: Node, key: str, why_not: Callable[[str], str]
) -> tuple[str, ...]:
    """Return the usable words of a list that must have some."""
    items = read.items(entry.value, key) if entry else ()
    if not items:
        line = entry.line if entry else parent.line
        read.problems.add(line, f"{key} is empty" if entry else f"{key} is missing")
    return usable(read, items, key, why_not)


def usable(
    read: FieldReader, items: Iterable[Node], key: str, why_not: Callable[[str], str]
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in items:
        if not isinstance(item, ScalarNode):
            read.problems.add(item.line, f"{key} takes words, not {node_kind(item)}")
        elif why := why_not(item.text):
            read.problems.add(item.line, why)
        else:
            found[item.text] = None
    return tuple(found)

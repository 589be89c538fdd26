"""Who may pull the images of a service: `imagePullSecrets`, by name or as a login."""

import re
from dataclasses import dataclass

from core.records.environment_text import KEY
from core.yaml.fields import FieldReader, node_kind
from core.yaml.tree import MappingEntry, MappingNode, Node

MOST_REGISTRIES = 20
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:/_-]{0,251}[A-Za-z0-9/])?")
KEYS = ("name", "passwordEnv", "registry", "username")


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """A login whose password stands in a variable of the release."""

    registry: str
    username: str
    password_variable: str


PullSecrets = tuple[tuple[str, ...], tuple[RegistryLogin, ...]]
NO_PULL_SECRETS: PullSecrets = ((), ())


def read_pull_secrets(read: FieldReader, node: Node, what: str) -> PullSecrets:
    """Read a list of names of Secrets, and of `{registry, username, passwordEnv}`."""
    names: dict[str, None] = {}
    logins: dict[str, RegistryLogin] = {}
    for number, item in enumerate(read.items(node, what)[:MOST_REGISTRIES]):
        entries = read.entries_of(item, what, KEYS) if isinstance(item, MappingNode) else {}
        if not entries or "name" in entries:
            said = entries["name"].value if entries else item
            name = read.text(said, what)
            if NAME.fullmatch(name):
                names[name] = None
            else:
                read.problems.add(item.line, f"{what} takes the name of a Secret, not {node_kind(said)}")
            continue
        login = _login(read, entries, f"{what}[{number}]", item.line)
        if login is not None and login.registry.lower() in logins:
            read.problems.add(
                item.line,
                f"{what}[{number}]: duplicate registry; each registry may be declared at most once per service",
            )
        elif login is not None:
            logins[login.registry.lower()] = login
    return tuple(names), tuple(logins.values())


def _login(read: FieldReader, entries: dict[str, MappingEntry], what: str, line: int) -> RegistryLogin | None:
    given = {
        key: read.text(entries[key].value, f"{key} of {what}") if key in entries else ""
        for key in ("registry", "username", "passwordEnv")
    }
    if missing := [key for key, value in given.items() if not value]:
        read.problems.add(line, f"{what}: {missing[0]} is required")
        return None
    if not HOST.fullmatch(given["registry"]) or not KEY.fullmatch(given["passwordEnv"]):
        read.problems.add(line, f"{what}: registry is a host, and passwordEnv the name of a variable")
        return None
    return RegistryLogin(given["registry"], given["username"], given["passwordEnv"])

"""Files of an app: `configs` at the top, and where services mount them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.yaml.fields import FieldReader
from core.yaml.tree import MappingEntry, Node

MOST_CONFIGS = 100
ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
FILE_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
MOUNT_KEYS = ("dir", "filename", "id")


@dataclass(frozen=True, slots=True)
class Config:
    """One file of the manifest; it may hold secrets, and is treated as one."""

    id: str
    value: str


@dataclass(frozen=True, slots=True)
class ConfigMount:
    """Where a file stands in a container."""

    id: str
    folder: str
    file_name: str

    @property
    def path(self) -> str:
        return f"{self.folder.rstrip('/')}/{self.file_name}"


def read_configs(read: FieldReader, node: Node, what: str) -> tuple[Config, ...]:
    """Read a list of id and value; what Convox keeps under `name` outside of the file is not to be had here."""
    found: dict[str, Config] = {}
    for item in read.items(node, what)[:MOST_CONFIGS]:
        entries = read.entries_of(item, what, ("id", "name", "value"))
        id_ = read.text(entries["id"].value, f"id of {what}") if "id" in entries else ""
        if not id_:
            read.problems.add(item.line, "configs[*].id is required")
        elif not ID.fullmatch(id_):
            read.problems.add(item.line, f"id of {what} must have lower-case letters, digits and dashes only")
        elif "value" not in entries:
            read.problems.add(
                item.line,
                f"a file of {what} has no value: write the file under value, nobody keeps it elsewhere here",
            )
        else:
            found[id_] = Config(id_, read.text(entries["value"].value, f"value of {what}"))
    return tuple(found.values())


def read_config_mounts(read: FieldReader, node: Node, what: str) -> tuple[ConfigMount, ...]:
    """Read a list of id, dir and filename."""
    found = []
    for item in read.items(node, what)[:MOST_CONFIGS]:
        entries = read.entries_of(item, what, MOUNT_KEYS)
        given = {key: _given(read, entries, key, what) for key in ("id", "dir", "filename")}
        missing = [key for key, value in given.items() if not value]
        if missing:
            read.problems.add(item.line, f"configMounts[*].{missing[0]} is required")
        elif not given["dir"].startswith("/") or not FILE_NAME.fullmatch(given["filename"]):
            read.problems.add(
                item.line, f"{what}: dir begins with /, and filename is a name without a folder"
            )
        else:
            found.append(ConfigMount(given["id"], given["dir"], given["filename"]))
    return tuple(found)


def _given(read: FieldReader, entries: dict[str, MappingEntry], key: str, what: str) -> str:
    return read.text(entries[key].value, f"{key} of {what}") if key in entries else ""


def missing_configs(
    configs: Iterable[Config], mounted: Iterable[ConfigMount], shown: Callable[[str], str]
) -> list[str]:
    """Return Convox's text for each mount of a file that there is none of; `shown` is how a word of the manifest is repeated."""
    known = {each.id for each in configs}
    return [f"config id: '{shown(each.id)}' not found" for each in mounted if each.id not in known]

"""Disks and folders of a service: `volumes` and `volumeOptions`, in Convox's forms.

`/data` is a disk of the service's own, `name:/data` one that every service of the app may mount, and a few folders of the node are
what they are called. `volumeOptions` has folders that go with the pod, and disks of a class that the cluster names.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from core.yaml.fields import FieldReader, node_kind
from core.yaml.tree import MappingEntry, Node

MOST_VOLUMES = 50  # of one service
VOLUME_GIB = 10  # of a disk, Convox's
# What Convox takes for folders of the node; anything else before a colon is the name of a disk.
HOST_FOLDERS = frozenset(
    {
        *("/cgroup", "/proc", "/sys/fs/cgroup", "/sys/kernel/debug", "/var/log/audit", "/var/run"),
        *("/var/run/docker.sock", "/var/snap/microk8s/current/docker.sock"),
    }
)
AccessMode = Literal["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"]
ACCESS_MODES: tuple[AccessMode, ...] = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce")
ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
CLASS = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NO_CLOUD = "name the storageClass of this cluster that makes such disks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Something that is mounted into the pods of a service; one of `claim`, `host` and `empty`.

    Attributes:
        name: in the pod.
        path: where it is mounted.
        claim: the disk's claim, which outlives every release; `access_mode` and `storage_class` ("" for the cluster's
            default) are asked for when it is made.
        host: a file or a folder of the node.
        empty: it begins empty with each pod and goes with it; `memory`: it is kept there.
        read_only: nothing can be written through this mount.
    """

    name: str
    path: str
    claim: str = ""
    access_mode: AccessMode = "ReadWriteOnce"
    storage_class: str = ""
    host: str = ""
    empty: bool = False
    memory: bool = False
    read_only: bool = False

    @property
    def exclusive(self) -> bool:
        """Whether one node at a time can have it, so that a new pod may have to wait for the old one to go."""
        return bool(self.claim) and self.access_mode == "ReadWriteOnce"


def read_volumes(read: FieldReader, node: Node, what: str, service: str) -> tuple[Volume, ...]:
    """Read a list of `/data`, `name:/data` and `/var/run/docker.sock:/var/run/docker.sock`, perhaps with `:ro`."""
    found: dict[str, Volume] = {}
    for item in read.items(node, what)[:MOST_VOLUMES]:
        text = read.text(item, what)
        volume = _volume(text, service)
        if volume is None:
            read.problems.add(
                item.line,
                f"{what} takes /folder, name:/folder or a folder of the node, not {node_kind(item)}",
            )
        elif volume.path in found:
            read.problems.add(item.line, f"{what} mounts at {node_kind(item)} twice")
        else:
            found[volume.path] = volume
            _note(read, item, volume, what)
    return tuple(found.values())


def _volume(text: str, service: str) -> Volume | None:
    source, path, mode = (*text.split(":"), "", "")[:3] if text.count(":") <= 2 else ("", "", "")
    if not path:
        path = source
        source = source if _is_host(source) else ""
    if mode not in {"", "ro", "rw"} or not path.startswith("/") or path == "/":
        return None
    read_only = mode == "ro"
    if _is_host(source):
        return Volume(name=f"host-{_mark(source)}", path=path, host=source, read_only=read_only)
    name = _claim_name(service, path) if not source else _claim_name("", source)
    return Volume(name=name, path=path, claim=name, read_only=read_only)


def _is_host(path: str) -> bool:
    return (path.rstrip("/") or path) in HOST_FOLDERS


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _claim_name(service: str, of: str) -> str:
    """Return a name that people can read and no other disk of the app has; it must never change."""
    words = "-".join(re.findall(r"[a-z0-9]+", of.lower()))[:20].strip("-") or "disk"
    owner = f"{service[:20].strip('-')}-" if service else ""
    return f"volume-{owner}{words}-{_mark(f'{service}:{of}')}"


def _note(read: FieldReader, node: Node, volume: Volume, what: str) -> None:
    shown = node_kind(node)
    if volume.host:
        read.notes.append(
            f"{shown} of {what} is a folder of the node: a promote needs `host_paths: true` for the app in the policy"
        )
        return
    kept = f"{shown} of {what} is a disk of {VOLUME_GIB} GiB, which no promotion and no rollback removes or changes"
    if shown.startswith('"/') and ":" in shown:
        kept += "; it is a disk of the app, no folder of the node"
    read.notes.append(kept)


def read_volume_options(read: FieldReader, node: Node, what: str, service: str) -> tuple[Volume, ...]:
    """Read a list of `emptyDir`, `awsEfs` and `azureFiles`, each with an id and a mountPath."""
    found: list[Volume] = []
    for item in read.items(node, what)[:MOST_VOLUMES]:
        entries = read.entries_of(item, what, ("awsEfs", "azureFiles", "emptyDir"))
        for key, entry in entries.items():
            volume = _option(read, key, entry, what, service)
            found += [volume] if volume else []
    return tuple(found)


def _option(read: FieldReader, key: str, entry: MappingEntry, what: str, service: str) -> Volume | None:
    where = f"{key} of {what}"
    if key == "emptyDir":
        entries = read.entries_of(entry.value, where, ("id", "medium", "mountPath"))
    else:
        known = ("accessMode", "id", "mountPath", "shareName", "storageClass", "volumeHandle")
        entries = read.entries_of(entry.value, where, known)
    given = {name: read.text(each.value, f"{name} of {where}") for name, each in entries.items()}
    for name in ("id", "mountPath"):
        if not given.get(name):
            read.problems.add(entry.line, f"{key}.{name} is required")
            return None
    if not ID.fullmatch(given["id"]) or not given["mountPath"].startswith("/"):
        read.problems.add(
            entry.line, f"{where}: an id has lower-case letters, digits and dashes, a mountPath begins with /"
        )
        return None
    if key == "emptyDir":
        return _empty(read, given, entry)
    return _file_system(read, key, given, entry, where, service)


def _empty(read: FieldReader, given: dict[str, str], entry: MappingEntry) -> Volume | None:
    if given.get("medium", "") not in {"", "Memory"}:
        read.problems.add(entry.line, "emptyDir.medium's allowed values: Memory")
        return None
    memory = given.get("medium") == "Memory"
    return Volume(name=f"ed-{given['id']}", path=given["mountPath"], empty=True, memory=memory)


def _file_system(
    read: FieldReader, key: str, given: dict[str, str], entry: MappingEntry, where: str, service: str
) -> Volume | None:
    """Make a claim of the class that is named: of a cloud's own file systems nothing is known here."""
    mode = next((each for each in ACCESS_MODES if each == given.get("accessMode", "")), None)
    if mode is None:
        read.problems.add(
            entry.line, f"{key}.accessMode must be one of these values: {', '.join(ACCESS_MODES)}"
        )
        return None
    storage_class = given.get("storageClass", "")
    if not CLASS.fullmatch(storage_class):
        cloud = "Amazon's EFS" if key == "awsEfs" else "Azure Files"
        read.problems.add(entry.line, f"{where}: this rack knows no file system of {cloud}: {_NO_CLOUD}")
        return None
    if given.get("volumeHandle") or given.get("shareName"):
        name = "volumeHandle" if given.get("volumeHandle") else "shareName"
        read.notes.append(f"{name} of {where} is without effect: the storage class says where the data lies")
    claim = f"{'efs' if key == 'awsEfs' else 'azure'}-{service}-{given['id']}"[:63].rstrip("-")
    read.notes.append(f"{where}: {given['mountPath']} is a disk which no promotion and no rollback removes")
    return Volume(
        name=claim,
        path=given["mountPath"],
        claim=claim,
        access_mode=mode,
        storage_class=storage_class,
    )

"""What the processes of a service may do on their node: `privileged` and `securityContext`."""

import re
from dataclasses import dataclass

from core.yaml.fields import FieldReader, node_kind
from core.yaml.tree import MappingEntry, Node

CAPABILITY = re.compile(r"[A-Z][A-Z_]*")
SECCOMP = ("RuntimeDefault", "Unconfined")
# What the baseline of Kubernetes' Pod Security Standards lets anybody add; the others give power over the node.
HARMLESS = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
LARGEST_ID = 2_147_483_647
KEYS = (
    *("allowPrivilegeEscalation", "capabilities", "fsGroup", "readOnlyRootFilesystem", "runAsGroup"),
    *("runAsNonRoot", "runAsUser", "seccompProfile"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityContext:
    """Who the processes are, and what they may do; None leaves it to the image.

    Attributes:
        fs_group: the group that files of volumes belong to.
        escalation: whether a process may get more rights than its parent has.
        add, drop: capabilities of the kernel.
    """

    run_as_user: int | None = None
    run_as_group: int | None = None
    fs_group: int | None = None
    non_root: bool | None = None
    read_only_root: bool | None = None
    escalation: bool = False
    seccomp: str = "RuntimeDefault"
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @property
    def powerful(self) -> bool:
        """Whether it gives more than any pod may have that does not trust its node."""
        return self.seccomp == "Unconfined" or self.escalation or not HARMLESS.issuperset(self.add)


def read_security_context(read: FieldReader, node: Node, what: str) -> SecurityContext:
    entries = read.entries_of(node, what, KEYS)
    add, drop = _capabilities(read, entries, what)
    found = SecurityContext(
        run_as_user=_id(read, entries, "runAsUser", what),
        run_as_group=_id(read, entries, "runAsGroup", what),
        fs_group=_id(read, entries, "fsGroup", what),
        non_root=_flag(read, entries, "runAsNonRoot", what),
        read_only_root=_flag(read, entries, "readOnlyRootFilesystem", what),
        escalation=bool(_flag(read, entries, "allowPrivilegeEscalation", what)),
        seccomp=_seccomp(read, entries, what),
        add=add,
        drop=drop,
    )
    if found.non_root and found.run_as_user == 0:
        read.problems.add(node.line, f"{what}: runAsNonRoot=true is incompatible with runAsUser=0")
    return found


def _id(read: FieldReader, entries: dict[str, MappingEntry], key: str, what: str) -> int | None:
    if key not in entries:
        return None
    return read.integer(entries[key].value, f"{key} of {what}", low=0, high=LARGEST_ID)


def _flag(read: FieldReader, entries: dict[str, MappingEntry], key: str, what: str) -> bool | None:
    return read.boolean(entries[key].value, f"{key} of {what}") if key in entries else None


def _seccomp(read: FieldReader, entries: dict[str, MappingEntry], what: str) -> str:
    if "seccompProfile" not in entries:
        return "RuntimeDefault"
    value = read.text(entries["seccompProfile"].value, f"seccompProfile of {what}")
    if value in SECCOMP:
        return value
    why = "Localhost is not supported" if value == "Localhost" else f"allowed: {', '.join(SECCOMP)}"
    read.problems.add(entries["seccompProfile"].line, f"seccompProfile of {what}: {why}")
    return "RuntimeDefault"


def _capabilities(
    read: FieldReader, entries: dict[str, MappingEntry], what: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if "capabilities" not in entries:
        return (), ()
    where = f"capabilities of {what}"
    lists = read.entries_of(entries["capabilities"].value, where, ("add", "drop"))
    return _names(read, lists, "add", where), _names(read, lists, "drop", where)


def _names(read: FieldReader, lists: dict[str, MappingEntry], key: str, what: str) -> tuple[str, ...]:
    if key not in lists:
        return ()
    found: dict[str, None] = {}
    for item in read.items(lists[key].value, f"{key} of {what}"):
        name = read.text(item, f"{key} of {what}")
        if name.startswith("CAP_"):
            read.problems.add(item.line, f'{key} of {what}: use "{name.removeprefix("CAP_")}"')
        elif not CAPABILITY.fullmatch(name):
            read.problems.add(item.line, f"{key} of {what}: {node_kind(item)} is no name of a capability")
        else:
            found[name] = None
    return tuple(found)

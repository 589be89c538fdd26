"""Who set which fields: `managedFields`, kept at every kind of write."""

from dataclasses import dataclass, replace
from typing import Any

from bot.playground.cluster.fields import MISSING, Fields, decode, encode, fields_of, value_at

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedFieldsEntry:
    """The fields of one manager, by one operation, through one subresource.

    Attributes:
        manager: its name.
        operation: `Apply` or `Update`.
        subresource: empty, `status` or `scale`.
        version: the API version the fields are named in.
        time: when they last changed, as written.
        fields: the paths.
    """

    manager: str
    operation: str
    subresource: str
    version: str
    time: str
    fields: Fields

    @property
    def identity(self) -> tuple[str, str, str]:
        return (self.manager, self.operation, self.subresource)

    def described(self) -> str:
        """Name the manager as conflicts do."""
        if self.operation == "Apply":
            return f'"{self.manager}"' + (
                f' with subresource "{self.subresource}"' if self.subresource else ""
            )
        extra = f' with subresource "{self.subresource}"' if self.subresource else ""
        return f'"{self.manager}"{extra} using {self.version}'


def read_managed_fields(document: Document) -> list[ManagedFieldsEntry]:
    """Read `managedFields` of an object."""
    return [
        ManagedFieldsEntry(
            manager=each["manager"],
            operation=each["operation"],
            subresource=each.get("subresource", ""),
            version=each["apiVersion"],
            time=each["time"],
            fields=decode(each["fieldsV1"]),
        )
        for each in document.get("metadata", {}).get("managedFields") or []
    ]


def write_managed_fields(document: Document, entries: list[ManagedFieldsEntry]) -> Document:
    """Return the object with these entries; managers without fields are left out."""
    written = []
    for entry in sorted(entries, key=lambda each: (each.operation, each.time, each.manager)):
        if entry.fields:
            line: Document = {
                "manager": entry.manager,
                "operation": entry.operation,
                "apiVersion": entry.version,
                "time": entry.time,
                "fieldsType": "FieldsV1",
                "fieldsV1": encode(entry.fields),
            }
            if entry.subresource:
                line["subresource"] = entry.subresource
            written.append(line)
    meta = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    if written:
        meta["managedFields"] = written
    return {**document, "metadata": meta}


def without_fields(
    entries: list[ManagedFieldsEntry], fields: Fields, *, keep: tuple[str, str, str]
) -> list[ManagedFieldsEntry]:
    """Take fields away from every manager but one."""
    return [
        entry if entry.identity == keep else replace(entry, fields=entry.fields - fields) for entry in entries
    ]


def after_update(
    before: Document | None, after: Document, field_manager: ManagedFieldsEntry, top: frozenset[str]
) -> Document:
    """Return the object of a write that was no apply, with its `managedFields`: what it changed is the writer's now.

    Args:
        before: the object as it was; `None` for a new one.
        after: the object as it is to be stored; a client may have given its fields other owners.
        field_manager: who writes; its fields are not looked at.
        top: the top-level fields this kind of write may change.
    """
    now = fields_of(after, only=top)
    if before is None:
        return write_managed_fields(after, [replace(field_manager, fields=now)])
    was = fields_of(before, only=top)
    changed = frozenset(
        path for path in now if path not in was or value_at(before, path) != value_at(after, path)
    )
    gone = was - now
    entries = read_managed_fields(after) or read_managed_fields(before)
    if not changed and not gone:
        return write_managed_fields(after, entries)
    entries = without_fields(entries, changed | gone, keep=field_manager.identity)
    own = [entry for entry in entries if entry.identity == field_manager.identity]
    held = (own[0].fields if own else frozenset()) - gone
    others = [entry for entry in entries if entry.identity != field_manager.identity]
    mine = replace(field_manager, fields=held | changed)
    if own and mine.fields == own[0].fields and not changed:
        mine = own[0]
    return write_managed_fields(after, [*others, mine])


def prune_managed_fields(document: Document, entries: list[ManagedFieldsEntry]) -> list[ManagedFieldsEntry]:
    """Strike out of the entries what the object no longer has."""
    return [
        replace(
            entry,
            fields=frozenset(path for path in entry.fields if value_at(document, path) is not MISSING),
        )
        for entry in entries
    ]

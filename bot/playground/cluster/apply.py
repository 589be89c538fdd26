"""Server-side apply as a function of values: live object, its managed fields, and what a manager wants."""

from dataclasses import dataclass, replace
from typing import Any

from bot.playground.cluster.errors import apply_conflict
from bot.playground.cluster.fields import (
    ATOMIC,
    MISSING,
    SETS,
    Fields,
    Path,
    display_path,
    fields_of,
    item_key,
    list_keys,
    value_at,
)
from bot.playground.cluster.managed_fields import ManagedFieldsEntry, read_managed_fields, without_fields
from bot.playground.cluster.writes import copied

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedObject:
    """What an apply comes to: the merged object (still with its old managed fields) and the new ones."""

    document: Document
    entries: list[ManagedFieldsEntry]


def apply(
    live: Document | None,
    wanted: Document,
    field_manager: ManagedFieldsEntry,
    *,
    force: bool,
    top: frozenset[str] | None = None,
) -> MergedObject:
    """Merge what a manager wants into the live object.

    Fields that the manager applied before and leaves out now go away, unless somebody else owns them too.

    Args:
        live: the stored object; `None` creates one.
        wanted: the applied configuration.
        field_manager: the manager, `Apply`; its `fields` are not looked at.
        force: take conflicting fields instead of refusing.
        top: the top-level fields that count; all if `None`.

    Returns:
        The merge; defaulting and validation come after it.

    Raises:
        ApiError: 409 with one cause per field, if others own a field with another value and `force` is false.
    """
    now = fields_of(wanted, only=top)
    mine = replace(field_manager, fields=now)
    if live is None:
        return MergedObject(document=_clean(wanted), entries=[mine])
    entries = read_managed_fields(live)
    taken = _conflicts(live, wanted, now, entries, field_manager)
    if taken and not force:
        raise apply_conflict([(entry.described(), display_path(path)) for entry, path in taken])
    entries = without_fields(entries, frozenset(path for _, path in taken), keep=field_manager.identity)
    before = next((entry for entry in entries if entry.identity == field_manager.identity), None)
    others = [entry for entry in entries if entry.identity != field_manager.identity]
    document = copied(live)
    if before is not None:
        document = _drop(document, before.fields - now, others, now)
        if before.fields == now:
            mine = before if not taken else replace(mine, fields=now)
    document = merge(document, _clean(wanted) if top is None else _part(wanted, top))
    return MergedObject(document=document, entries=[*others, mine])


def _clean(wanted: Document) -> Document:
    """Return what may be merged: an applied configuration carries no `managedFields`."""
    meta = {key: value for key, value in wanted["metadata"].items() if key != "managedFields"}
    return copied({**wanted, "metadata": meta})


def _part(wanted: Document, top: frozenset[str]) -> Document:
    return copied({key: value for key, value in wanted.items() if key in top})


def _conflicts(
    live: Document,
    wanted: Document,
    now: Fields,
    entries: list[ManagedFieldsEntry],
    field_manager: ManagedFieldsEntry,
) -> list[tuple[ManagedFieldsEntry, Path]]:
    """Return the fields that others own and that would get another value."""
    found = []
    whole = [each for each in now if each[-1] != "." and value_at(wanted, each) not in ({}, [])]
    for entry in entries:
        if entry.identity == field_manager.identity:
            continue
        for path in sorted(entry.fields):
            if path[-1] == ".":
                continue
            # A value put where others have fields would take them away; an empty map or list is merged.
            covered = any(path[: len(each)] == each for each in whole if len(each) < len(path))
            wants = path in now or covered
            value = value_at(wanted, path)
            if wants and value not in ({}, []) and value != value_at(live, path):
                found.append((entry, path))
    return found


def _drop(document: Document, gone: Fields, others: list[ManagedFieldsEntry], now: Fields) -> Document:
    """Take away the fields this manager no longer applies and nobody else owns."""
    held = frozenset().union(*(entry.fields for entry in others)) if others else frozenset[Path]()
    # Whole items first: without its key an item cannot be found any more.
    for path in sorted(gone, key=lambda each: (each[-1] != ".", len(each), each)):
        if path in held or value_at(document, path) is MISSING or _is_key(path):
            continue
        if path[-1] == ".":
            # The item goes with what defaulting put into it, unless somebody still has a part of it.
            item = path[:-1]
            if any(each[: len(item)] == item for each in held | now):
                continue
            _delete(document, item)
        elif not any(each[: len(path)] == path for each in held | now):
            _delete(document, path)
    return document


def _is_key(path: Path) -> bool:
    """Say whether a path is the field by which its list item is found."""
    if len(path) < 2 or not path[-2].startswith("k:"):
        return False
    return f'"{path[-1][2:]}":' in path[-2]


def _delete(document: Document, path: Path) -> None:
    """Remove what stands at a path, and the maps that become empty by it."""
    *way, last = path
    parent = value_at(document, tuple(way)) if way else document
    if last.startswith("f:") and isinstance(parent, dict):
        parent.pop(last[2:], None)
    elif isinstance(parent, list):
        field = next((each[2:] for each in reversed(way) if each.startswith("f:")), "")
        keys = list_keys(field, parent)
        if last.startswith("k:") and keys:
            parent[:] = [item for item in parent if item_key(item, keys) != last]
        elif last.startswith("v:"):
            parent[:] = [item for item in parent if f"v:{_quoted(item)}" != last]
    if way and not parent and way[-1].startswith("f:"):
        _delete(document, tuple(way))


def _quoted(item: Any) -> str:
    return f'"{item}"' if isinstance(item, str) else str(item)


def merge(live: Any, wanted: Any, field: str = "") -> Any:
    """Lay one value over another: maps by key, lists by their items' keys, everything else replaced."""
    if isinstance(live, dict) and isinstance(wanted, dict) and field not in ATOMIC:
        merged = dict(live)
        for key, value in wanted.items():
            merged[key] = merge(live[key], value, key) if key in live else value
        return merged
    if isinstance(live, list) and isinstance(wanted, list):
        if field in SETS:
            return [*live, *(item for item in wanted if item not in live)]
        keys = list_keys(field, [*live, *wanted])
        if keys:
            return _merge_items(live, wanted, keys)
    return wanted


def _merge_items(live: list[Document], wanted: list[Document], keys: tuple[str, ...]) -> list[Document]:
    """Merge two lists of items: the wanted ones in their order, those of others behind them."""
    present = {item_key(item, keys): item for item in live}
    asked = {item_key(item, keys) for item in wanted}
    merged = [
        merge(present[key], item) if (key := item_key(item, keys)) in present else item for item in wanted
    ]
    return merged + [item for key, item in present.items() if key not in asked]

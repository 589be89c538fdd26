"""Merge patch and strategic merge patch, as functions of values."""

from typing import Any

from bot.playground.cluster.fields import item_key, list_keys

Document = dict[str, Any]


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: maps are merged, `null` removes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_merge_patch(target: Any, patch: Any, field: str = "") -> Any:
    """Merge as Kubernetes' clients mean it: lists with keys item by item, `$patch` and `null` obeyed."""
    if isinstance(patch, dict):
        if patch.get("$patch") == "replace":
            return {key: value for key, value in patch.items() if key != "$patch"}
        merged = dict(target) if isinstance(target, dict) else {}
        for key, value in patch.items():
            if key.startswith("$"):
                continue
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = strategic_merge_patch(merged.get(key), value, key)
        return merged
    if isinstance(patch, list):
        return _merge_list(target if isinstance(target, list) else [], patch, field)
    return patch


def _merge_list(target: list[Any], patch: list[Any], field: str) -> list[Any]:
    items = [item for item in patch if not (isinstance(item, dict) and set(item) == {"$patch"})]
    replaces = len(items) != len(patch)
    # Pod statuses name their containers without being in the table of applied lists.
    keys = ("name",) if field in {"containerStatuses", "initContainerStatuses"} else list_keys(field, items)
    if not keys or replaces:
        return items
    present = {item_key(item, keys): item for item in target}
    for item in items:
        key = item_key(item, keys)
        if item.get("$patch") == "delete":
            present.pop(key, None)
        else:
            present[key] = strategic_merge_patch(present.get(key), item)
    return list(present.values())

"""`freezes:` of a policy file → windows and the roles that override them, with everything that is wrong written down."""

from collections.abc import Container, Mapping, Sequence

from core.policy.calendar import CalendarTime, is_zone, parse_time
from core.policy.freezes import Freezes, FreezeWindow
from core.policy.names import names, usable, why_no_pattern, why_no_role
from core.policy.rules import Grant, Role
from core.yaml.fields import FieldReader, node_kind
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, Node, ScalarNode

FREEZE_KEYS = ("override", "windows")
WINDOW_KEYS = ("apps", "from", "reason", "to", "zone")
FORMS = "18:00, Fri 18:00, 12-20 18:00 or 2026-12-20 18:00"


def read_freezes(
    read: FieldReader, entry: MappingEntry | None, roles: Mapping[str, Role], grants: Sequence[Grant]
) -> Freezes:
    """Return what the file says of freezes; nothing where it says nothing. A role that overrides one has somebody in it."""
    if entry is None:
        return Freezes()
    keys = read.entries_of(entry.value, "freezes", FREEZE_KEYS)
    override = keys.get("override")
    held = {role.name for grant in grants for role in grant.roles}
    listed = read.items(keys["windows"].value, "windows") if "windows" in keys else ()
    return Freezes(
        windows=tuple(window for node in listed if (window := _window(read, node)) is not None),
        override=usable(
            read,
            read.items(override.value, "override"),
            "override",
            lambda text: why_no_role(text, roles) or _why_nobody_has(text, held),
        )
        if override
        else (),
    )


def _why_nobody_has(role: str, held: Container[str]) -> str:
    return "" if role in held else f"nobody in members has the role {cut(role)}, so nobody gets through by it"


def _window(read: FieldReader, node: Node) -> FreezeWindow | None:
    keys = read.entries_of(node, "a window", WINDOW_KEYS)
    begins, ends = (_time(read, node, keys.get(key), key) for key in ("from", "to"))
    zone = _zone(read, keys.get("zone"))
    apps = names(read, keys["apps"], node, "apps", why_no_pattern) if "apps" in keys else ("*",)
    if begins is None or ends is None:
        return None
    if begins.form != ends.form:
        read.problems.add(
            keys["to"].line, f"from comes {begins.form} and to {ends.form}: both must be of one form"
        )
    elif begins == ends:
        read.problems.add(keys["to"].line, "from and to are the same time: nobody could tell when it is over")
    elif begins.only and ends.only and ends.only < begins.only:
        read.problems.add(keys["to"].line, "to is before from")
    reason = read.text(keys["reason"].value, "reason") if "reason" in keys else ""
    return FreezeWindow(begins=begins, ends=ends, zone=zone, apps=apps, reason=" ".join(reason.split()))


def _time(read: FieldReader, node: Node, entry: MappingEntry | None, key: str) -> CalendarTime | None:
    if entry is None:
        read.problems.add(node.line, f"a window has no {key}")
        return None
    found = parse_time(entry.value.text) if isinstance(entry.value, ScalarNode) else None
    if found is None:
        read.problems.add(entry.line, f"{key} must be a time such as {FORMS}, not {node_kind(entry.value)}")
    return found


def _zone(read: FieldReader, entry: MappingEntry | None) -> str:
    if entry is None:
        return "UTC"
    zone = read.text(entry.value, "zone")
    if not is_zone(zone):
        read.problems.add(entry.line, f"{cut(zone)} is no time zone: write a name such as Europe/Berlin")
        return "UTC"
    return zone

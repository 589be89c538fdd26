"""A tree of a policy file → roles, grants and rules, with everything that is wrong written down."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from core.policy.build_rules import BuildRule, read_build_rules
from core.policy.freeze_reader import read_freezes
from core.policy.freezes import Freezes
from core.policy.names import (
    GROUP_ID,
    names,
    usable,
    why_no_approver,
    why_no_pattern,
    why_no_role,
    why_nobody,
)
from core.policy.oidc_rules import OidcRule, read_oidc_rules
from core.policy.retention import RetentionRules
from core.policy.retention_reader import read_retention
from core.policy.rules import (
    GROUP,
    VERBOSITIES,
    VERBS,
    ApprovalRule,
    AppRules,
    ChannelRules,
    Grant,
    Role,
    Rules,
    Verb,
    Verbosity,
)
from core.yaml.fields import FieldReader, node_kind
from core.yaml.problems import Problems, did_you_mean
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode

CHANNEL_KEYS = ("verbosity",)
CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")
MOST_APPROVALS = 100
# An hour: what failed serves, or does not, for as long.
MOST_COUNTDOWN = 3600.0
# What people write who know other systems.
SYNONYMS = {
    "deploy": "promote",
    "release": "promote",
    "read": "view",
    "list": "view",
    "set": "env",
    "environment": "env",
    "register": "build",
    "revert": "rollback",
    "undo": "rollback",
    "confirm": "approve",
    "stop": "cancel",
    "abort": "cancel",
    "lock": "freeze",
    "owner": "admin",
    "write": "promote",
}
RULE_KEYS = (
    "announce_builds",
    "approvals",
    "ask",
    "channel",
    "crashes",
    "deadline",
    "host_paths",
    "longest",
    "match",
    "min_ready",
    "privileged",
    "remind_after",
    "restarts",
    "rollback_after",
    "routes",
    "settle",
    "unpinned",
    "verbosity",
)

TOP_KEYS = ("roles", "members", "freezes", "channels", "builds", "oidc", "retention", "apps")

Parts = tuple[
    tuple[Role, ...],
    tuple[Grant, ...],
    tuple[AppRules, ...],
    Freezes,
    tuple[ChannelRules, ...],
    tuple[BuildRule, ...],
    tuple[OidcRule, ...],
    RetentionRules,
]


def read_policy(root: Node | None, problems: Problems, *, members_needed: bool) -> Parts:
    """Return what the file says; where something is wrong, the values beside it are placeholders."""
    if root is None:
        if members_needed:
            problems.fail(1, "the policy is empty: nobody could do anything")
        return (), (), (), Freezes(), (), (), (), RetentionRules()
    read = FieldReader(problems)
    if not isinstance(root, MappingNode):
        problems.fail(root.line, f"the policy must be a mapping of keys, not {node_kind(root)}")
    entries = read.entries_of(root, "the policy", TOP_KEYS)
    roles = _roles(read, entries.get("roles"))
    jobs = read_oidc_rules(read, entries.get("oidc"))
    grants = _grants(read, entries.get("members"), roles, {rule.name for rule in jobs})
    if members_needed and not grants:
        line = entries["members"].line if "members" in entries else root.line
        problems.add(line, "no members: nobody could do anything")
    listed = read.items(entries["apps"].value, "apps") if "apps" in entries else ()
    freezes = read_freezes(read, entries.get("freezes"), roles, grants)
    channels = _channels(read, entries.get("channels"))
    builds = read_build_rules(read, entries.get("builds"))
    retention = read_retention(read, entries.get("retention"))
    apps = tuple(_app(read, node) for node in listed)
    return tuple(roles.values()), grants, apps, freezes, channels, builds, jobs, retention


def _channels(read: FieldReader, entry: MappingEntry | None) -> tuple[ChannelRules, ...]:
    found = []
    for each in read.mapping(entry.value, "channels") if entry else ():
        if not CHANNEL.fullmatch(each.key.text):
            read.problems.add(each.line, f"channels names channels by their ids (C…), not {each.key.shown}")
        keys = read.entries_of(each.value, f"the channel {each.key.shown}", CHANNEL_KEYS)
        if "verbosity" not in keys:
            read.problems.add(each.line, f"the channel {each.key.shown} says nothing: verbosity is missing")
        found.append(ChannelRules(channel=each.key.text, verbosity=_verbosity(read, keys.get("verbosity"))))
    return tuple(found)


def _roles(read: FieldReader, entry: MappingEntry | None) -> dict[str, Role]:
    listed = read.mapping(entry.value, "roles") if entry else ()
    return {e.key.text: Role(name=e.key.text, verbs=_verbs(read, e)) for e in listed}


def _verbs(read: FieldReader, entry: MappingEntry) -> frozenset[Verb]:
    what = f"role {entry.key.shown}"
    found: set[Verb] = set()
    items = read.items(entry.value, what)
    if not items:
        read.problems.add(entry.line, f"{what} has no verbs")
    for item in items:
        text = read.text(item, f"a verb of {what}")
        verb = next((v for v in VERBS if v == text), None)
        if verb is None:
            hint = did_you_mean(text, VERBS, SYNONYMS) or f"; the verbs are {', '.join(VERBS)}"
            read.problems.add(item.line, f"unknown verb {cut(text)}{hint}")
        else:
            found.add(verb)
    return frozenset(found)


def _grants(
    read: FieldReader, entry: MappingEntry | None, roles: Mapping[str, Role], jobs: Collection[str]
) -> tuple[Grant, ...]:
    listed = read.items(entry.value, "members") if entry else ()
    return tuple(_grant(read, node, roles, jobs) for node in listed)


def _grant(read: FieldReader, node: Node, roles: Mapping[str, Role], jobs: Collection[str]) -> Grant:
    entries = read.entries_of(node, "a member", ("who", "roles", "apps"))
    who = names(read, entries.get("who"), node, "who", lambda text: why_nobody(text, jobs))
    named = names(read, entries.get("roles"), node, "roles", lambda text: why_no_role(text, roles))
    apps = names(read, entries["apps"], node, "apps", why_no_pattern) if "apps" in entries else ("*",)
    return Grant(who=who, roles=tuple(roles[name] for name in named), apps=apps)


def _app(read: FieldReader, node: Node) -> AppRules:
    entries = read.entries_of(node, "apps", RULE_KEYS)
    match = names(read, entries.get("match"), node, "match", why_no_pattern)
    promote, rollback = ApprovalRule(), ApprovalRule()
    if "approvals" in entries:
        asked = read.entries_of(entries["approvals"].value, "approvals", ("promote", "rollback"))
        promote = _approval(read, asked.get("promote"), "promote", ApprovalRule())
        # What rollback leaves out is promote's, but for the count: going back is free unless it says otherwise.
        rollback = _approval(read, asked.get("rollback"), "rollback", replace(promote, count=0, seats=()))
    default = Rules()
    rules = AppRules(
        match=match,
        rules=Rules(
            promote=promote,
            rollback=rollback,
            deadline=_limit(read, entries.get("deadline"), default.deadline),
            longest=_limit(read, entries.get("longest"), default.longest),
            min_ready=_auto(read, entries.get("min_ready")),
            settle=_auto(read, entries.get("settle")),
            crashes=_number(read, entries.get("crashes"), low=1, default=None),
            restarts=_number(read, entries.get("restarts"), low=0, default=0) or 0,
            unpinned=_allowed(read, entries, "unpinned"),
            privileged=_allowed(read, entries, "privileged"),
            host_paths=_allowed(read, entries, "host_paths"),
            rollback_after=_rollback_after(read, entries.get("rollback_after")),
            routes=_allowed(read, entries, "routes"),
            channel=_channel(read, entries.get("channel")),
            ask=_ask(read, entries.get("ask")),
            verbosity=_verbosity(read, entries.get("verbosity")),
            remind_after=_reminder(read, entries.get("remind_after")),
            announce_builds=_allowed(read, entries, "announce_builds", default=True),
        ),
    )
    _check_times(read, entries, rules.rules)
    return rules


def _allowed(
    read: FieldReader, entries: Mapping[str, MappingEntry], key: str, *, default: bool = False
) -> bool:
    return read.boolean(entries[key].value, key) if key in entries else default


def _reminder(read: FieldReader, entry: MappingEntry | None) -> float | None:
    """Return when people are reminded; `never` is the default, and as good as leaving it out."""
    if entry is None or (isinstance(entry.value, ScalarNode) and entry.value.text == "never"):
        return None
    seconds = read.duration(entry.value, entry.key.text, default=60.0, also="never")
    if seconds < 60:
        read.problems.add(entry.line, "remind_after must be at least 1m")
    return seconds


def _check_times(read: FieldReader, entries: Mapping[str, MappingEntry], rules: Rules) -> None:
    """Refuse times that no rollout could meet (engine rule 52)."""
    for key, seconds in (("min_ready", rules.min_ready), ("settle", rules.settle)):
        if seconds is not None and seconds >= rules.longest and key in entries:
            why = f"{key} is {seconds:g} s and a rollout may take {rules.longest:g} s in all (longest): none could end well"
            read.problems.add(entries[key].line, why)


def _approval(read: FieldReader, entry: MappingEntry | None, what: str, base: ApprovalRule) -> ApprovalRule:
    if entry is None:
        return base
    keys = read.entries_of(entry.value, what, ("count", "from", "requester", "expires", "seats"))
    people = base.people
    if "from" in keys:
        people = usable(read, read.items(keys["from"].value, "from"), "from", why_no_approver)
    count = base.count
    if "count" in keys:
        count = read.integer(keys["count"].value, f"count of {what}", low=0, high=MOST_APPROVALS)
    if people and count > len(people) and not any(who.startswith(GROUP) for who in people):
        line = keys["count"].line if "count" in keys else entry.line
        can = "the one person" if len(people) == 1 else f"the {len(people)} people"
        read.problems.add(line, f"count {count} of {what} is more than {can} in from can give")
    seats = base.seats if "from" not in keys and "count" not in keys else ()
    if "seats" in keys:
        seats = _seats(read, keys["seats"])
        for other in ("count", "from"):
            if other in keys:
                read.problems.add(keys[other].line, f"{other} beside seats of {what}: each seat says its own")
        people, count = tuple(dict.fromkeys(who for seat in seats for who in seat)), len(seats)
    return ApprovalRule(
        count=count,
        seats=seats if count == len(seats) else (),
        people=people,
        requester=read.boolean(keys["requester"].value, "requester")
        if "requester" in keys
        else base.requester,
        expires=_limit(read, keys.get("expires"), base.expires),
    )


def _seats(read: FieldReader, entry: MappingEntry) -> tuple[tuple[str, ...], ...]:
    """Return who may fill each seat; a seat with a count is as many."""
    found: list[tuple[str, ...]] = []
    for node in read.items(entry.value, "seats"):
        keys = read.entries_of(node, "a seat", ("count", "from"))
        people = names(read, keys.get("from"), node, "from", why_no_approver)
        many = read.integer(keys["count"].value, "count of a seat", low=1, high=10) if "count" in keys else 1
        found += [people] * many
    if not found:
        read.problems.add(entry.line, "seats is empty")
    return tuple(found[:MOST_APPROVALS])


def _limit(read: FieldReader, entry: MappingEntry | None, default: float) -> float:
    """Return a duration that must leave some time at all."""
    if entry is None:
        return default
    seconds = read.duration(entry.value, entry.key.text, default=default)
    if seconds < 1:
        read.problems.add(entry.line, f"{entry.key.text} must be at least 1s")
    return seconds


def _rollback_after(read: FieldReader, entry: MappingEntry | None) -> float:
    if entry is None:
        return 0.0
    seconds = read.duration(entry.value, "rollback_after", default=0.0)
    if seconds > MOST_COUNTDOWN:
        why = f"rollback_after is {seconds:g} s, and what failed would stand for longer than {MOST_COUNTDOWN:g} s"
        read.problems.add(entry.line, why)
    return seconds


def _auto(read: FieldReader, entry: MappingEntry | None) -> float | None:
    if entry is None or (isinstance(entry.value, ScalarNode) and entry.value.text == "auto"):
        return None
    return read.duration(entry.value, entry.key.text, default=0.0, also="auto")


def _number(read: FieldReader, entry: MappingEntry | None, *, low: int, default: int | None) -> int | None:
    if entry is None:
        return default
    return read.integer(entry.value, entry.key.text, low=low, high=1000)


def _channel(read: FieldReader, entry: MappingEntry | None) -> str | None:
    if entry is None:
        return None
    channel = read.text(entry.value, "channel")
    if not CHANNEL.fullmatch(channel):
        read.problems.add(
            entry.line, f"channel must be a Slack channel id (C…), not {node_kind(entry.value)}"
        )
    return channel


def _ask(read: FieldReader, entry: MappingEntry | None) -> str | None:
    if entry is None:
        return None
    asked = read.text(entry.value, "ask")
    if not (CHANNEL.fullmatch(asked) or GROUP_ID.fullmatch(asked)):
        read.problems.add(
            entry.line, "ask must be a Slack channel id (C…) or group:<user group id>; people stand in from"
        )
    return asked


def _verbosity(read: FieldReader, entry: MappingEntry | None) -> Verbosity:
    if entry is None:
        return "normal"
    expected = f"verbosity is {', '.join(VERBOSITIES[:-1])} or {VERBOSITIES[-1]}"
    return read.one_of(entry, VERBOSITIES, expected) or "normal"

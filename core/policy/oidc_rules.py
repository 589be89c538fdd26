"""Whose OpenID Connect tokens are taken in place of a stored one: the rules `oidc:` of a policy file, each an issuer, an audience, and jobs of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from core.policy.claim_patterns import fits_any
from core.policy.shared_issuers import GITHUB, why_anybody
from core.yaml.fields import FieldReader
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, Node, SequenceNode

OIDC_KEYS = ("audience", "claims", "issuer", "keys", "max_age", "name", "subject")
RULE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
# Written out, since it is asked for its keys (OpenID Connect Discovery 1.0, 4.1: no query and no fragment).
ISSUER = re.compile(r"https://[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?")
AUDIENCE = re.compile(r"[\x21-\x7e]{1,200}")
# What a rule says of these stands in keys of its own, or is the same for every token.
TAKEN_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
LEAST_AGE = 60.0
# Where the keys of an issuer are read: at its own address, or from the cluster that the bot works in.
KeySource = Literal["issuer", "cluster"]
KEY_SOURCES: tuple[KeySource, ...] = get_args(KeySource)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcRule:
    """Jobs whose tokens are taken; `members` knows them as `oidc:NAME`.

    Attributes:
        issuer: exactly what a token's `iss` says.
        audience: what its `aud` must name.
        subjects: patterns of its `sub`, of which one must fit.
        claims: of each other claim that is asked for, patterns of which one must fit.
        max_age: seconds after its `iat` from which on it is not taken, whatever its `exp` says.
        keys: where those of the issuer are read.
    """

    name: str
    issuer: str
    audience: str
    subjects: tuple[str, ...]
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()
    max_age: float | None = None
    keys: KeySource = "issuer"

    def __str__(self) -> str:
        claims = "".join(f", {claim} {' or '.join(patterns)}" for claim, patterns in self.claims)
        return f"oidc:{self.name}: {' or '.join(self.subjects)}{claims} of {self.issuer}"

    def takes(self, claims: Mapping[str, object]) -> bool:
        """Tell whether it is about the job of these claims; whoever asks has verified them, the audience too."""
        wanted = (("sub", self.subjects), *self.claims)
        return all(fits_any(claims.get(claim), patterns) for claim, patterns in wanted)


def read_oidc_rules(read: FieldReader, entry: MappingEntry | None) -> tuple[OidcRule, ...]:
    """Return the rules; where something is wrong, the values beside it are placeholders."""
    found: list[OidcRule] = []
    for node in read.items(entry.value, "oidc") if entry else ():
        rule = _rule(read, node)
        if rule.name and any(rule.name == each.name for each in found):
            read.problems.add(
                node.line, f"two rules of oidc are called {cut(rule.name)}: members could not tell them apart"
            )
        if any(rule.issuer == each.issuer and rule.keys != each.keys for each in found):
            read.problems.add(
                node.line,
                f"two rules of {cut(rule.issuer)} read its keys in two ways: write the same keys in both",
            )
        found.append(rule)
    return tuple(found)


def _rule(read: FieldReader, node: Node) -> OidcRule:
    keys = read.entries_of(node, "oidc", OIDC_KEYS)
    rule = OidcRule(
        name=_text(read, node, keys, "name", RULE_NAME, "letters, digits, dots, dashes and underscores"),
        issuer=_text(
            read,
            node,
            keys,
            "issuer",
            ISSUER,
            f"what the claim iss says, over https, such as {GITHUB}; no pattern",
        ),
        audience=_text(
            read,
            node,
            keys,
            "audience",
            AUDIENCE,
            "what the token is asked for, such as the https address of this bot",
        ),
        subjects=_patterns(read, keys["subject"].value, "subject") if "subject" in keys else (),
        claims=_claims(read, keys.get("claims")),
        max_age=_max_age(read, keys.get("max_age")),
        keys=_key_source(read, keys.get("keys")),
    )
    if "subject" not in keys:
        read.problems.add(node.line, "subject is missing: without it every job of the issuer would be taken")
    for subject in rule.subjects:
        if why := why_anybody(rule.issuer, subject, rule.claims):
            read.problems.add(keys["subject"].line, why)
    return rule


def _text(
    read: FieldReader,
    node: Node,
    keys: Mapping[str, MappingEntry],
    key: str,
    form: re.Pattern[str],
    means: str,
) -> str:
    if key not in keys:
        read.problems.add(node.line, f"{key} is missing: {means}")
        return ""
    text = read.text(keys[key].value, key)
    if not form.fullmatch(text):
        read.problems.add(keys[key].line, f"{cut(text)} is no {key}: {means}")
    return text


def _patterns(read: FieldReader, node: Node, what: str) -> tuple[str, ...]:
    """Return one pattern, or a list of them."""
    nodes = node.items if isinstance(node, SequenceNode) else (node,)
    found = tuple(read.text(each, what) for each in nodes)
    if not found or not all(found):
        read.problems.add(node.line, f"{what} is empty, which no job fits")
    return tuple(filter(None, found))


def _claims(read: FieldReader, entry: MappingEntry | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = []
    for each in read.mapping(entry.value, "claims") if entry else ():
        claim = each.key.text
        if claim in TAKEN_CLAIMS:
            read.problems.add(
                each.line,
                f"{claim} is no claim for claims: sub stands in subject, aud in audience, iss in issuer",
            )
        found.append((claim, _patterns(read, each.value, f"claim {each.key.shown}")))
    return tuple(found)


def _max_age(read: FieldReader, entry: MappingEntry | None) -> float | None:
    if entry is None:
        return None
    seconds = read.duration(entry.value, "max_age", default=LEAST_AGE)
    if seconds < LEAST_AGE:
        read.problems.add(entry.line, "max_age must be at least 1m: clocks differ, and a job takes its time")
    return seconds


def _key_source(read: FieldReader, entry: MappingEntry | None) -> KeySource:
    if entry is None:
        return "issuer"
    expected = f"keys is {' or '.join(KEY_SOURCES)}, where those of the issuer are read"
    return read.one_of(entry, KEY_SOURCES, expected) or "issuer"

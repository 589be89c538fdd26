"""Whose OpenID Connect tokens are taken in place of a stored one: the rules `oidc:` of a policy file, each an issuer, an audience, and jobs of it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from core.yaml.fields import FieldReader
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, Node, SequenceNode

OIDC_KEYS = ("audience", "claims", "issuer", "max_age", "name", "subject")
RULE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
# Written out, since it is asked for its keys (OpenID Connect Discovery 1.0, 4.1: no query and no fragment).
ISSUER = re.compile(r"https://[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?")
AUDIENCE = re.compile(r"[\x21-\x7e]{1,200}")
# What a rule says of these stands in keys of its own, or is the same for every token.
TAKEN_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
LEAST_AGE = 60.0
WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedIssuer:
    """An issuer that signs for everybody who has an account there.

    Attributes:
        called: how people call it.
        begins: how its subjects begin, before whose job it is.
        owners: claims of which each says whose job it is as well.
    """

    called: str
    begins: str
    owners: frozenset[str]


GITHUB, GITLAB = "https://token.actions.githubusercontent.com", "https://gitlab.com"
# docs.github.com/actions/reference/security/oidc, docs.gitlab.com/ci/secrets/id_token_authentication, buildkite.com/docs/agent/cli/reference/oidc
SHARED_ISSUERS: Mapping[str, SharedIssuer] = {
    GITHUB: SharedIssuer(
        called="GitHub",
        begins="repo:",
        owners=frozenset({"repository", "repository_id", "repository_owner", "repository_owner_id"}),
    ),
    GITLAB: SharedIssuer(
        called="GitLab",
        begins="project_path:",
        owners=frozenset({"namespace_id", "namespace_path", "project_id", "project_path"}),
    ),
    "https://agent.buildkite.com": SharedIssuer(
        called="Buildkite",
        begins="organization:",
        owners=frozenset({"organization_slug", "organization_id", "pipeline_id"}),
    ),
}
# Claims that say which of a repository's jobs it is, by the last part of their names.
_WHICH_JOBS = frozenset(
    {
        "ref",
        "ref_protected",
        "environment",
        "environment_protected",
        "job_workflow_ref",
        "build_branch",
        "vcs-ref",
    }
)
_WHICH_REPOSITORY = frozenset({"repository", "repository_id", "project_path", "project_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcRule:
    """Jobs whose tokens are taken; `members` knows them as `oidc:NAME`.

    Attributes:
        issuer: exactly what a token's `iss` says.
        audience: what its `aud` must name.
        subjects: patterns of its `sub`, of which one must fit.
        claims: of each other claim that is asked for, patterns of which one must fit.
        max_age: seconds after its `iat` from which on it is not taken, whatever its `exp` says.
    """

    name: str
    issuer: str
    audience: str
    subjects: tuple[str, ...]
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()
    max_age: float | None = None

    def __str__(self) -> str:
        claims = "".join(f", {claim} {' or '.join(patterns)}" for claim, patterns in self.claims)
        return f"oidc:{self.name}: {' or '.join(self.subjects)}{claims} of {self.issuer}"

    def takes(self, claims: Mapping[str, object]) -> bool:
        """Tell whether it is about the job of these claims; whoever asks has verified them, the audience too."""
        wanted = (("sub", self.subjects), *self.claims)
        return all(_fits_any(claims.get(claim), patterns) for claim, patterns in wanted)


def fits(text: str, pattern: str) -> bool:
    """Tell whether a whole text is what a pattern means: nothing may stand before it or behind.

    `*` stops at `:` and at `/`, so a pattern of a repository means no other part of the subject; where a part has `**`, what stands there
    goes over `/`, and over `:` nothing does.
    """
    parts, patterns = text.split(":"), pattern.split(":")
    return len(parts) == len(patterns) and all(map(_fits_part, parts, patterns))


def _fits_part(part: str, pattern: str) -> bool:
    if "**" in pattern:
        return fnmatchcase(part, pattern)
    names, patterns = part.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


def _fits_any(value: object, patterns: Iterable[str]) -> bool:
    """Tell whether a claim fits; one that is missing, or is a list or an object, fits nothing."""
    if isinstance(value, bool):
        value = str(value).lower()
    return isinstance(value, str | int) and any(fits(str(value), each) for each in patterns)


def width(rule: OidcRule) -> str:
    """Say which jobs a rule takes that somebody may not have meant, or "": doctor tells it."""
    asked = {
        claim.rpartition("/")[2] for claim, patterns in rule.claims if not all(map(_means_anything, patterns))
    }
    begins = tuple(each.begins for each in SHARED_ISSUERS.values())
    for subject in rule.subjects:
        start = next((each for each in begins if subject.startswith(each)), "")
        whose, _, which = subject.removeprefix(start).partition(":")
        if not asked & _WHICH_JOBS and _is_wide(which.split(":")):
            return f"`{subject}` takes jobs of more than one branch, or of pull requests: name a ref or an environment"
        if is_pattern(whose) and not asked & _WHICH_REPOSITORY:
            return f"`{subject}` takes jobs of more than one repository"
    return ""


def _is_wide(parts: list[str]) -> bool:
    """Tell whether the rest of a subject leaves open which branch or environment it is."""
    named = parts[parts.index("ref") + 1 :][:1] if "ref" in parts else parts[-1:]
    return named in ([], [""], ["pull_request"]) or is_pattern(named[0])


def _means_anything(pattern: str) -> bool:
    return not set(pattern) - set("*/:")


def is_pattern(text: str) -> bool:
    return bool(WILD & set(text))


def read_oidc_rules(read: FieldReader, entry: MappingEntry | None) -> tuple[OidcRule, ...]:
    """Return the rules; where something is wrong, the values beside it are placeholders."""
    found: list[OidcRule] = []
    for node in read.items(entry.value, "oidc") if entry else ():
        rule = _rule(read, node)
        if rule.name and any(rule.name == each.name for each in found):
            read.problems.add(
                node.line, f"two rules of oidc are called {cut(rule.name)}: members could not tell them apart"
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
    )
    if "subject" not in keys:
        read.problems.add(node.line, "subject is missing: without it every job of the issuer would be taken")
    for subject in rule.subjects:
        if why := _why_anybody(subject, rule):
            read.problems.add(keys["subject"].line, why)
    return rule


def _why_anybody(subject: str, rule: OidcRule) -> str:
    """Say why a subject takes jobs of people whom nobody here knows, or ""."""
    shared = SHARED_ISSUERS.get(rule.issuer)
    if shared is None:
        return "" if not _means_anything(subject) else f"{cut(subject)} takes every job of the issuer"
    owner = subject.removeprefix(shared.begins).partition("/")[0].partition(":")[0]
    if subject.startswith(shared.begins) and owner and not is_pattern(owner):
        return ""
    pinned = (
        claim in shared.owners and not any(map(is_pattern, patterns)) for claim, patterns in rule.claims
    )
    if any(pinned):
        return ""
    return (
        f"{cut(subject)} takes jobs of anybody on {shared.called}: write {shared.begins}OWNER/… without a pattern in the owner,"
        f" or ask for {' or '.join(sorted(shared.owners))} in claims"
    )


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

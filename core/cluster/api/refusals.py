"""What the API server's refusals mean to a person: without it a thread would show status documents."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from core.cluster.api.address import Address
from core.errors import Denied, FieldConflict, Rejected, Unauthenticated, Unreachable
from core.records.app import namespace_command

VERBS = {"GET": "get", "PATCH": "patch", "POST": "create", "DELETE": "delete"}
# 401: renewed credentials may be accepted; 410: a fresh list mends it; 408, 429: the server is busy.
RETRYABLE = frozenset({401, 408, 410, 429})
# kube-apiserver's RBAC words, the only ones among all 403 (quota, admission, termination) that name a right.
MISSING_RIGHT = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)"(?: in API group "[^"]*")?'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
# The head of a message that repeats which object was asked for.
MESSAGE_HEAD = re.compile(r'^[\w.]+ "[^"]*" is (?:forbidden|invalid): ')
CONFLICTING_MANAGER = re.compile(r'conflict with "([^"]*)"')
NO_NAMESPACE = re.compile(r'^namespaces "[^"]*" not found$')
LONGEST_QUOTE = 600  # characters of foreign text in one sentence


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry of `details.causes`."""

    reason: str
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiStatus:
    """A `Status` document, or what stands in for one where a proxy answered.

    Attributes:
        retry_after: seconds to wait as the server asks, from the header or from the details; None if it does not.
        from_proxy: no `Status` document: somebody between us and the API server has answered.
        about: the name of the object that it speaks of, "" where it names none.
    """

    code: int
    reason: str = ""
    message: str = ""
    causes: tuple[Cause, ...] = ()
    retry_after: float | None = None
    from_proxy: bool = False
    about: str = ""

    @property
    def conflicts(self) -> tuple[Cause, ...]:
        """Fields that another manager owns (server-side apply)."""
        return tuple(c for c in self.causes if c.reason == "FieldManagerConflict")

    @property
    def lacks_namespace(self) -> bool:
        return self.code == 404 and NO_NAMESPACE.match(self.message) is not None


class ApiRejected(Rejected):
    """The API server refused for good; `status` is its own word."""

    def __init__(self, sentence: str, status: ApiStatus) -> None:
        super().__init__(sentence)
        self.status = status


class ApiUnreachable(Unreachable):
    """The API server said "not now"; `status` is its own word."""

    def __init__(self, sentence: str, status: ApiStatus) -> None:
        super().__init__(sentence)
        self.status = status


class ApiFieldConflict(ApiRejected, FieldConflict):
    """409 over fields of another manager."""


class ApiDenied(ApiRejected, Denied):
    """403 or 404."""


class ApiUnauthenticated(ApiUnreachable, Unauthenticated):
    """401."""


def read_status(code: int, body: bytes, retry_after: str | None = None) -> ApiStatus:
    """Read the answer to a failed request, which may come from a proxy and be anything."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or document.get("kind") != "Status":
        words = cut(" ".join(body.decode("utf-8", "replace").split()), 300)
        return ApiStatus(code=code, message=words, retry_after=_seconds(retry_after), from_proxy=True)
    return status_of(document, code=code, retry_after=retry_after)


def status_of(
    document: Mapping[str, Any], *, code: int | None = None, retry_after: str | None = None
) -> ApiStatus:
    """Read a `Status` document, from an answer or from an ERROR event of a watch."""
    details = document.get("details") or {}
    causes = tuple(
        Cause(c.get("reason", ""), c.get("field", ""), c.get("message", ""))
        for c in details.get("causes") or ()
    )
    return ApiStatus(
        code=code or document.get("code") or 500,
        reason=document.get("reason") or "",
        message=document.get("message") or "",
        causes=causes,
        retry_after=_seconds(retry_after) or details.get("retryAfterSeconds"),
        about=str(details.get("name") or ""),
    )


def refusal(status: ApiStatus, verb: str, at: Address) -> ApiRejected | ApiUnreachable:
    """Return the error to raise for a failed request.

    Args:
        status: what came back.
        verb: Kubernetes' verb of the request (`get`, `list`, `watch`, `patch` …).
        at: what the request was about.
    """
    if status.from_proxy and not _is_retryable(status):
        # Whatever a gateway says of a path is not the last word on an object.
        return ApiUnreachable(f"what answered for {at} is not the API server: {_words(status)}", status)
    if _is_retryable(status):
        passing = ApiUnauthenticated if status.code == 401 else ApiUnreachable
        return passing(f"the cluster cannot {verb} {at} now: {_words(status)}", status)
    if status.conflicts:
        return ApiFieldConflict(conflict_sentence(at, status), status)
    if status.code in {403, 404}:
        return ApiDenied(_denied(status, verb, at), status)
    return ApiRejected(f"{at}: {_words(status)}", status)


def conflict_sentence(at: Address, status: ApiStatus) -> str:
    """Name each field that another manager owns, and the manager.

    Undoing an edit does not give it back: whoever wrote a field last owns it, whatever its value.
    """
    return owned_sentence(at, conflicting(status))


def conflicting(status: ApiStatus) -> str:
    """Name each field that another manager has set to another value, and the manager."""
    return ", ".join(f"{c.field} (set by {_manager(c)})" for c in status.conflicts)


def owned_sentence(at: Address, owned: str) -> str:
    """Say why nothing is applied: who owns which fields, and how they are overwritten all the same."""
    return (
        f"{at}: another tool owns {owned}; the bot does not overwrite it unasked: promote with `--overwrite`, which takes"
        " it away, or roll back, which does so too"
    )


def missing_namespace(at: Address) -> str:
    name = at.namespace or at.name
    return f"namespace {name} does not exist; an administrator creates it with `{namespace_command(at.rack, at.app)}`"


def _is_retryable(status: ApiStatus) -> bool:
    stale = status.code == 409 and not status.conflicts and status.reason != "AlreadyExists"
    return stale or status.code in RETRYABLE or status.code >= 500 or 300 <= status.code < 400


def _denied(status: ApiStatus, verb: str, at: Address) -> str:
    if status.code == 403:
        return _forbidden(status, verb, at)
    return missing_namespace(at) if status.lacks_namespace else f"{at}: {_words(status)}"


def _forbidden(status: ApiStatus, verb: str, at: Address) -> str:
    missing = MISSING_RIGHT.search(status.message)
    if missing is None and status.message:
        return f"{at}: {_words(status)}"
    right = missing.groupdict() if missing else {}
    where = right.get("namespace") or at.namespace
    sentence = f"the bot may not {right.get('verb') or verb} {right.get('resource') or at.resource}"
    sentence += f" in namespace {where}" if where else ""
    return (
        f"{sentence}; an administrator grants it with `{namespace_command(at.rack, at.app)}`"
        if at.app
        else sentence
    )


def _manager(cause: Cause) -> str:
    found = CONFLICTING_MANAGER.search(cause.message)
    return found[1] if found else "an unnamed manager"


def _words(status: ApiStatus) -> str:
    words = MESSAGE_HEAD.sub("", status.message.strip()) or status.reason or "no reason given"
    return f"{cut(words, LONGEST_QUOTE)} ({status.code})"


def cut(words: str, most: int) -> str:
    """Cut foreign text so that it can be seen; by the mark a redactor knows that a value may have lost its end."""
    return words if len(words) <= most else f"{words[:most]}…"


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None

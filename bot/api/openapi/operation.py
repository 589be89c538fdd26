"""One thing that the API can be asked: who may, with what, and what is answered.

The router is filled from these, and so is `GET /openapi.json`: neither can have what the other lacks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel

from bot.handlers.budgets import Cost

JSON, TEXT, LINES = "application/json", "text/plain", "application/x-ndjson"
BYTES = "application/octet-stream"
_PARAMETER = re.compile(r"\{([a-z_]+)\}")


class ApiAccess(Enum):
    """How somebody proves that an operation is theirs to ask for."""

    OPEN = "open"
    """Kubernetes and Prometheus ask without a password; nothing in it is anybody's secret."""
    TOKEN = "token"  # noqa: S105 - the name of a way, not a secret
    """An API token."""
    BUILD = "build"
    """The token of one build, which its pod has: it opens the source of that build alone, or takes what was cloned for it."""
    GITHUB = "github"
    """A signature of GitHub: whoever sends these has signed them, and has no token."""
    GITLAB = "gitlab"
    """A signature or the secret token of GitLab."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParameter:
    """What may stand behind the `?`.

    Attributes:
        about: what it does.
        schema: what it may be, as JSON Schema.
    """

    name: str
    about: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAnswer:
    """What one status of success comes with.

    Attributes:
        about: when it is answered.
        media: its media types, each with its model; None for what has no model.
        links: operations that go on with it → the key of this answer which is their `id`.
    """

    about: str
    media: Mapping[str, type[BaseModel] | None]
    headers: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one address.

    Attributes:
        id: what clients call it.
        path: as aiohttp writes it: `{name}` is one part of it.
        summary: what it does, in a line.
        body: the model of its JSON body, or the media type of another one; None where it takes none.
        answers: status → what is answered where it succeeds.
        cost: the budget of whoever asks that it is taken from; None where it has none, or is found in what is sent.
        refusals: statuses of refusals that do not follow from who may ask and what is sent.
    """

    id: str
    method: str
    path: str
    summary: str
    access: ApiAccess = ApiAccess.TOKEN
    query: tuple[QueryParameter, ...] = ()
    body: type[BaseModel] | str | None = None
    answers: Mapping[int, ApiAnswer]
    cost: Cost | None = None
    refusals: frozenset[int] = frozenset()

    @property
    def parameters(self) -> list[str]:
        """Return the names in the path."""
        return _PARAMETER.findall(self.path)

    def matches(self, path: str) -> bool:
        """Tell whether this is its address."""
        own, given = self.path.split("/"), path.split("/")
        return len(own) == len(given) and all(
            bool(theirs) if _PARAMETER.fullmatch(part) else part == theirs
            for part, theirs in zip(own, given, strict=True)
        )

    @property
    def statuses(self) -> frozenset[int]:
        """Return the statuses of its refusals."""
        known = {431, 500, 503, *self.refusals}
        if self.access is not ApiAccess.OPEN:
            known |= {400, 401}
        if self.access is ApiAccess.TOKEN:
            known |= {403, 429}
        if self.parameters:
            known.add(404)
        if self.query:
            known.add(422)
        if self.body is not None:
            known |= {408, 413, 422}
        return frozenset(known)

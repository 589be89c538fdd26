"""The table of all that the API can be asked."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from bot.api.builds import NewBuild
from bot.api.commands import PHASE_HEADER, CommandText
from bot.api.openapi.models import (
    AwaitedResponse,
    BuildResponse,
    CommandResponse,
    LineResponse,
    LogLineResponse,
    NewBuildResponse,
    PushResponse,
    QueuedBuildResponse,
    SourceResponse,
    TextLineResponse,
    VerdictResponse,
)
from bot.api.openapi.operation import (
    BYTES,
    JSON,
    LINES,
    TEXT,
    ApiAccess,
    ApiAnswer,
    Operation,
    QueryParameter,
)
from bot.api.sources import NewSource
from bot.handlers.budgets import Cost


def _json(
    model: type[BaseModel],
    about: str,
    *,
    to: tuple[str, ...] = (),
    key: str = "id",
    headers: Mapping[str, str] | None = None,
) -> ApiAnswer:
    """Return an answer of JSON; `key` of it is the `id` of the operations `to` which one goes on."""
    return ApiAnswer(about=about, media={JSON: model}, links=dict.fromkeys(to, key), headers=headers or {})


def _text(about: str) -> ApiAnswer:
    return ApiAnswer(about=about, media={TEXT: None})


def _number(name: str, about: str, digits: int, *, required: bool = False) -> QueryParameter:
    schema: Mapping[str, Any] = {"type": "integer", "minimum": 0, "maximum": 10**digits - 1}
    return QueryParameter(name=name, about=about, schema=schema, required=required)


_FORMAT = QueryParameter(
    name="format",
    about="as text for people, as one JSON object a line, or as such with what is awaited among them",
    schema={"type": "string", "enum": ["text", "json", "live"], "default": "text"},
)
_QUEUED = _json(
    QueuedBuildResponse, "the cluster is going to make it", to=("look", "log", "cancelBuild", "retryBuild")
)

OPERATIONS = (
    Operation(
        id="alive",
        method="GET",
        path="/healthz",
        summary="whether the process can serve",
        access=ApiAccess.OPEN,
        answers={200: _text("it can")},
    ),
    Operation(
        id="ready",
        method="GET",
        path="/readyz",
        summary="whether people get answers; a cluster in trouble changes nothing",
        access=ApiAccess.OPEN,
        answers={200: _text("they do")},
    ),
    Operation(
        id="metrics",
        method="GET",
        path="/metrics",
        summary="metrics for Prometheus",
        access=ApiAccess.OPEN,
        answers={
            200: ApiAnswer(
                about="in its text format, or as OpenMetrics where `Accept` names that",
                media={TEXT: None, "application/openmetrics-text": None},
            )
        },
    ),
    Operation(
        id="openapi",
        method="GET",
        path="/openapi.json",
        summary="this document",
        cost=Cost.READ,
        answers={200: ApiAnswer(about="OpenAPI 3.1", media={JSON: None})},
    ),
    Operation(
        id="command",
        method="POST",
        path="/commands",
        summary="carries out a command, with the grammar, policy, audit and words of the slash command",
        body=CommandText,
        answers={
            200: _json(
                CommandResponse,
                "what was done, or what is still to be entered",
                to=("follow",),
                key="promotion",
                headers={PHASE_HEADER: "where the promotion is that was asked for"},
            )
        },
        refusals=frozenset({404, 409}),
    ),
    Operation(
        id="follow",
        method="GET",
        path="/promotions/{id}/lines",
        summary="a promotion from its first line to its verdict, as it happens",
        cost=Cost.READ,
        query=(_number("after", "lines that were received before", 9), _FORMAT),
        answers={
            200: ApiAnswer(
                about="streamed; what ends without the terminal message is to be asked for again",
                media={TEXT: None, LINES: None},
            )
        },
    ),
    Operation(
        id="build",
        method="POST",
        path="/apps/{app}/builds",
        summary="registers a build with its release, or has the cluster make one of a source or a git repository",
        cost=Cost.CHANGE,
        body=NewBuild,
        answers={201: _json(NewBuildResponse, "it is registered"), 202: _QUEUED},
        refusals=frozenset({409}),
    ),
    Operation(
        id="announceSource",
        method="POST",
        path="/apps/{app}/sources",
        summary="announces what is built from, a gzipped tar",
        cost=Cost.CHANGE,
        body=NewSource,
        answers={201: _json(SourceResponse, "from which byte on it is wanted", to=("source", "upload"))},
        refusals=frozenset({409}),
    ),
    Operation(
        id="source",
        method="GET",
        path="/sources/{id}",
        summary="how much of a source is here",
        cost=Cost.READ,
        answers={200: _json(SourceResponse, "from which byte on it is wanted")},
    ),
    Operation(
        id="upload",
        method="PATCH",
        path="/sources/{id}",
        summary="sends bytes of a source, as many as wanted",
        cost=Cost.READ,
        query=(_number("offset", "how many bytes are here already", 15, required=True),),
        body=BYTES,
        answers={200: _json(SourceResponse, "`complete` once all are here and have the digest")},
        refusals=frozenset({409}),
    ),
    Operation(
        id="look",
        method="GET",
        path="/builds/{id}",
        summary="how a build is that the cluster makes",
        cost=Cost.READ,
        answers={200: _json(BuildResponse, "how it is")},
    ),
    Operation(
        id="log",
        method="GET",
        path="/builds/{id}/log",
        summary="the log of a build, as it is written",
        cost=Cost.READ,
        query=(_number("after", "the number of the last line that was received before", 9), _FORMAT),
        answers={200: ApiAnswer(about="streamed until the build has ended", media={TEXT: None, LINES: None})},
    ),
    Operation(
        id="cancelBuild",
        method="POST",
        path="/builds/{id}/cancel",
        summary="stops a build, or takes it out of the queue",
        cost=Cost.BRAKE,
        answers={200: _json(BuildResponse, "how it is then")},
        refusals=frozenset({409}),
    ),
    Operation(
        id="retryBuild",
        method="POST",
        path="/builds/{id}/retry",
        summary="has the same built once more; nothing of it is promoted",
        cost=Cost.CHANGE,
        answers={202: _QUEUED},
        refusals=frozenset({409, 422}),
    ),
    Operation(
        id="fetchSource",
        method="GET",
        path="/builds/{id}/source",
        summary="hands a source to the pod that builds it",
        access=ApiAccess.BUILD,
        answers={200: ApiAnswer(about="the gzipped tar", media={BYTES: None})},
        refusals=frozenset({409}),
    ),
    Operation(
        id="tellClone",
        method="POST",
        path="/builds/{id}/clone",
        summary="takes what the pod of a build has cloned: five lines and convox.yml",
        access=ApiAccess.BUILD,
        body=TEXT,
        answers={200: _text("the script of the container that builds")},
        refusals=frozenset({409}),
    ),
    Operation(
        id="github",
        method="POST",
        path="/webhooks/github",
        summary="takes a webhook of GitHub, and has built what was pushed, as the policy says",
        access=ApiAccess.GITHUB,
        body=JSON,
        answers={202: _json(PushResponse, "what became of it")},
        refusals=frozenset({404}),
    ),
    Operation(
        id="gitlab",
        method="POST",
        path="/webhooks/gitlab",
        summary="takes a webhook of GitLab, and has built what was pushed, as the policy says",
        access=ApiAccess.GITLAB,
        body=JSON,
        answers={202: _json(PushResponse, "what became of it")},
        refusals=frozenset({404}),
    ),
)

# What stands in the lines of a stream with `format=json` and `format=live`, by the operation that streams it.
STREAMED: Mapping[str, tuple[type[BaseModel], ...]] = {
    "follow": (LineResponse, VerdictResponse, TextLineResponse, AwaitedResponse),
    "log": (LogLineResponse, AwaitedResponse),
}


def needs_token(path: str) -> bool:
    """Tell whether whoever asks for this address needs an API token; strangers do not learn which addresses there are."""
    return not any(each.access is not ApiAccess.TOKEN and each.matches(path) for each in OPERATIONS)


def operation_at(method: str, path: str) -> Operation | None:
    """Return what is asked for, or None where there is nothing of that kind."""
    return next((each for each in OPERATIONS if each.method == method and each.matches(path)), None)

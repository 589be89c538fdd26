"""Everything over HTTP but Slack's own endpoint (contract 3): which address is answered by what."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.api.authentication import JobTokenChecker, TokenChecker, authentication_middleware, tell_version
from bot.api.build_runs import BuildRunsEndpoint
from bot.api.builds import BuildsEndpoint
from bot.api.clones import ClonesEndpoint
from bot.api.commands import CommandsEndpoint
from bot.api.lines import LinesEndpoint
from bot.api.metrics_snapshot import MetricsSource
from bot.api.names import Names
from bot.api.openapi.document import openapi_document
from bot.api.openapi.operation import ApiAccess, Operation
from bot.api.openapi.operations import OPERATIONS, needs_token
from bot.api.rates import spending_middleware
from bot.api.scrapes import MetricsEndpoint
from bot.api.sources import SourcesEndpoint
from bot.api.streams import TextStreams
from bot.api.webhooks.endpoint import WebhooksEndpoint
from bot.handlers.budgets import Budgets
from bot.handlers.dispatch import Handlers
from bot.http.bodies import expect
from bot.http.errors import json_response
from bot.http.limits import HttpLimits
from bot.http.site import new_application
from bot.slack.connection import SlackState
from core.building.clones import CloneReceiver
from core.clock import Clock
from core.errors import Unavailable
from core.ports.people import Directory
from core.ports.store import Store
from core.usecases.build_starter import BuildStarter
from core.usecases.build_viewer import BuildViewer
from core.usecases.registrar import Registrar
from core.usecases.source_registrar import SourceRegistrar
from core.usecases.viewer import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDependencies:
    """What the routes need.

    Attributes:
        metrics: what `/metrics` tells.
        try_database: raises Unavailable where the database cannot be read or written.
    """

    handlers: Handlers
    budgets: Budgets
    registrar: Registrar
    sources: SourceRegistrar
    store: Store
    viewer: Viewer
    directory: Directory
    tokens: TokenChecker
    jobs: JobTokenChecker
    slack: SlackState
    metrics: MetricsSource
    try_database: Callable[[], Awaitable[None]]
    clock: Clock
    starter: BuildStarter
    build_viewer: BuildViewer
    clones: CloneReceiver
    webhooks: WebhooksEndpoint


def new_api(dependencies: ApiDependencies, limits: HttpLimits) -> web.Application:
    """Return the application that listens on API_PORT, with the limits of that port."""
    authenticating = authentication_middleware(
        dependencies.tokens, dependencies.jobs, dependencies.clock, needs_token, dependencies.budgets
    )
    api = new_application(limits, [authenticating, spending_middleware(dependencies.budgets)])
    streams = TextStreams()
    scrapes = MetricsEndpoint(dependencies.metrics.snapshot)
    handlers = _handlers(dependencies, streams, scrapes)
    for each in OPERATIONS:
        _add(api.router, each, handlers[each.id])
    api.on_response_prepare.append(tell_version)
    api.on_shutdown.append(streams.stop)
    api.on_shutdown.append(scrapes.stop)
    return api


def _add(router: web.UrlDispatcher, asked: Operation, handler: Handler) -> None:
    if asked.method == "GET":
        router.add_get(asked.path, handler, allow_head=asked.access is ApiAccess.OPEN)
    else:
        # A client that asks before it sends a body waits until the handler wants it.
        router.add_route(
            asked.method, asked.path, handler, expect_handler=None if asked.body is None else expect
        )


def _handlers(
    dependencies: ApiDependencies, streams: TextStreams, scrapes: MetricsEndpoint
) -> Mapping[str, Handler]:
    """Return who answers each operation of the table, by its id."""
    names = Names(dependencies.directory)
    health = HealthEndpoint(dependencies)
    lines = LinesEndpoint(dependencies.viewer, names, dependencies.clock, streams)
    builds = BuildsEndpoint(dependencies.registrar, dependencies.starter)
    runs = BuildRunsEndpoint(
        dependencies.starter, dependencies.build_viewer, names, dependencies.clock, streams
    )
    sources = SourcesEndpoint(dependencies.sources)
    commands = CommandsEndpoint(dependencies.handlers, dependencies.store, names)
    return {
        "alive": health.alive,
        "ready": health.ready,
        "metrics": scrapes.get,
        "openapi": described,
        "command": commands.create,
        "follow": lines.get,
        "build": builds.create,
        "announceSource": sources.create,
        "source": sources.get,
        "upload": sources.append,
        "look": runs.get,
        "log": runs.log,
        "cancelBuild": runs.cancel,
        "retryBuild": runs.retry,
        "fetchSource": runs.source,
        "tellClone": ClonesEndpoint(dependencies.clones).create,
        "github": dependencies.webhooks.github,
        "gitlab": dependencies.webhooks.gitlab,
    }


async def described(_: web.Request) -> web.Response:
    """Answer what can be asked, as OpenAPI."""
    return json_response(openapi_document())


class HealthEndpoint:
    """What machines ask."""

    def __init__(self, dependencies: ApiDependencies) -> None:
        self._dependencies = dependencies

    async def alive(self, _: web.Request) -> web.Response:
        """Answer while the process can serve."""
        return web.Response(text="ok\n")

    async def ready(self, _: web.Request) -> web.Response:
        """Answer whether people get answers. A cluster in trouble changes nothing: they must still get some."""
        problem = "; ".join(each for each in (await self._disk_trouble(), self._silence()) if each)
        return json_response({"error": problem}, status=503) if problem else web.Response(text="ok\n")

    async def _disk_trouble(self) -> str:
        try:
            await self._dependencies.try_database()
        except Unavailable as error:
            return str(error)
        return ""

    def _silence(self) -> str:
        """Return why people in Slack get no answer, or ""."""
        slack = self._dependencies.slack
        return "" if slack.ready else slack.problem or "Slack has not said hello yet"

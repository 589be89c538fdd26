"""The API server's face: HTTP on loopback, tokens, faults that tests ordered, watches as streams."""

from collections.abc import Collection
from email.utils import format_datetime
from typing import Any

from aiohttp import web
from orjson import dumps

from bot.playground.cluster.api import Api
from bot.playground.cluster.authorization import Authorizer, Identity
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.faults import Fault, Faults
from bot.playground.cluster.handlers import answer, review, unlisted
from bot.playground.cluster.logs import ContainerLogs, read_log
from bot.playground.cluster.requests import APPLY, ApiRequest, read_request
from bot.playground.cluster.resources import discovery
from bot.playground.cluster.watching import Watches

Document = dict[str, Any]
READYZ = "/readyz"
NOT_READY = "[-]poststarthook/rbac/bootstrap-roles failed: not finished"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


class ApiServer:
    """Serves the API of one cluster until it is stopped."""

    def __init__(
        self,
        api: Api,
        access: Authorizer,
        faults: Faults,
        logs: ContainerLogs,
        extensions: Collection[str] = (),
    ) -> None:
        self._api = api
        self._extensions = extensions
        self._access = access
        self._faults = faults
        self._logs = logs
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self.watches = Watches(api)
        self.url = ""

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_response_prepare.append(self._date)
        # A client that goes away must end its watch at once, not at the next event.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, host, port)
        await self._site.start()
        bound = self._runner.addresses[0][1]
        self.url = f"http://{host}:{bound}"

    async def restart(self, *, down: float, refusing: float) -> None:
        """Die and come back at the same address.

        Args:
            down: seconds of the cluster's clock in which nobody listens.
            refusing: seconds after that in which it has not read its roles yet (about 0.1 s on a real one).
        """
        assert self._runner is not None
        assert self._site is not None
        assert self._runner.server is not None
        host, port = self._runner.addresses[0][:2]
        await self._site.stop()
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await self._api.clock.sleep(down)
        self._faults.starting = refusing > 0
        self._site = web.TCPSite(self._runner, host, port, reuse_address=True)
        await self._site.start()
        await self._api.clock.sleep(refusing)
        self._faults.starting = False

    async def stop(self) -> None:
        """End all watches and close the port."""
        self.watches.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _date(self, _: web.BaseRequest, response: web.StreamResponse) -> None:
        """Say what time it is by the cluster's clock, as an API server does (RFC 9110, `Date`)."""
        response.headers["Date"] = format_datetime(self._api.clock.now(), usegmt=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        await self._faults.running()
        if request.path == READYZ:
            starting = self._faults.starting
            return web.Response(status=500 if starting else 200, text=NOT_READY if starting else "ok")
        try:
            identity = self._access.authenticate(request.headers.get("Authorization"))
            if request.path == REVIEW and request.method == "POST":
                code, document = review(self._access, identity, await request.json())
                return _respond(code, document)
            if request.path == RULES_REVIEW and request.method == "POST":
                return _respond(201, unlisted(await request.json()))
            found = discovery(request.path, self._extensions) if request.method == "GET" else None
            if found is not None:
                return _respond(200, found)
            return await self._call(request, identity, await read_request(request, self._extensions))
        except ApiError as error:
            return _respond(error.code, error.status(), error.headers)

    async def _call(self, request: web.Request, identity: Identity, call: ApiRequest) -> web.StreamResponse:
        fault = self._faults.take(call.verb, request.path)
        if fault is not None:
            await self._api.clock.sleep(fault.delay)
            if fault.status is not None and not fault.after_effect:
                return _fail(request, fault)
        for verb in self._verbs(call):
            refusal = self._access.refusal(identity, verb, call.target, starting=self._faults.starting)
            if refusal is not None:
                raise refusal
        if call.verb == "watch":
            return await self.watches.serve(request, call)
        if call.target.subresource == "log":
            return self._log(call)
        code, document = answer(self._api, call)
        if fault is not None and fault.status is not None:
            return _fail(request, fault)
        return _respond(code, document)

    def _verbs(self, call: ApiRequest) -> tuple[str, ...]:
        """Return the rights that a call needs: an apply of what is not there yet needs that to create it too."""
        target = call.target
        if call.verb != "patch" or call.media != APPLY or target.subresource:
            return (call.verb,)
        there = self._api.storage.get(target.resource.key, target.namespace, target.name)
        return (call.verb,) if there is not None else (call.verb, "create")

    def _log(self, call: ApiRequest) -> web.Response:
        pod = self._api.get(call.target.resource, call.target.namespace, call.target.name)
        text = read_log(pod, self._logs, call.query, self._api.clock.now())
        return web.Response(status=204) if text is None else web.Response(text=text)


def _respond(code: int, document: Document, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=code, body=dumps(document), content_type="application/json", headers=headers or {}
    )


def _fail(request: web.Request, fault: Fault) -> web.Response:
    """Answer as a test ordered; status 0 cuts the connection instead."""
    if not fault.status:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    reasons = {401: "Unauthorized", 403: "Forbidden", 409: "Conflict", 429: "TooManyRequests"}
    reasons |= {410: "Expired", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
    error = ApiError(fault.status, reasons.get(fault.status, "Unknown"), fault.message)
    return _respond(fault.status, error.status(), fault.headers)

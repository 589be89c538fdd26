"""The port on which an API server asks a kubelet for logs: `kubectl logs` and the bot's evidence come from here."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from bot.playground.kubelet.certificate import server_context
from bot.playground.kubelet.logs import (
    BadLogRequest,
    ContainerLog,
    LogOptions,
    choose_run,
    container_statuses,
    read_log_options,
    render,
)
from core.clock import Clock

Document = dict[str, Any]
Find = Callable[[str, str, str], tuple[Document, ContainerLog | None] | None]
"""Return a pod, by namespace and name, and the log of its container, if this node has them."""

FOLLOW_POLL = 0.2  # how late a followed line may come


class LogServer:
    """Serves `/containerLogs/{namespace}/{pod}/{container}` over TLS on loopback."""

    def __init__(self, find: Find, clock: Clock) -> None:
        self._find = find
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._answer)
        # Whoever follows a log would hold up the end for a minute.
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", 0, ssl_context=await asyncio.to_thread(server_context, "kubelet")
        )
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        namespace, pod_name, container = (
            request.match_info[part] for part in ("namespace", "pod", "container")
        )
        found = self._find(namespace, pod_name, container)
        if found is None:
            return web.Response(status=404, text=f'pod "{pod_name}" not found\n')
        pod, container_log = found
        try:
            options = read_log_options(request.query, self._clock.now())
            earlier = choose_run(pod, container, previous=options.previous)
        except (BadLogRequest, ValueError) as refusal:
            return web.Response(status=400, text=str(refusal))
        if container_log is None:
            return web.Response(text=f"unable to retrieve container logs for {_container_id(pod, container)}")
        if options.follow and not options.previous:
            return await self._follow(request, container_log, options)
        return web.Response(
            body=render(container_log.previous if earlier else container_log.current, options)
        )

    async def _follow(
        self, request: web.Request, container_log: ContainerLog, options: LogOptions
    ) -> web.StreamResponse:
        """Send what there is and what comes, until this run of the container is over."""
        response = web.StreamResponse()
        await response.prepare(request)
        lines, rest = container_log.current, LogOptions(timestamps=options.timestamps)
        await response.write(render(lines, options))
        sent = len(lines)
        while container_log.running and container_log.current is lines:
            await self._clock.sleep(FOLLOW_POLL)
            await response.write(render(lines[sent:], rest))
            sent = len(lines)
        return response


def _container_id(pod: Document, container: str) -> str:
    statuses = container_statuses(pod)
    return next((str(entry.get("containerID", "")) for entry in statuses if entry["name"] == container), "")

"""One HTTP application for everything the emulated Slack answers, and the port it stands behind."""

import asyncio
from email.utils import format_datetime

from aiohttp import web

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.page_api import PageApi
from bot.playground.slack.response_urls import ResponseUrlEndpoint
from bot.playground.slack.socket_mode import SocketMode
from bot.playground.slack.webapi.dispatch import WebApiServer

BODY_BYTES = 8 * 1024 * 1024


class WorkspaceServer:
    """Starts and stops the port; it can be closed and opened again at the same address."""

    def __init__(self, context: WorkspaceContext, sockets: SocketMode, page: PageApi) -> None:
        self._context = context
        self._sockets = sockets
        self._page = page
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._address = ("127.0.0.1", 0)

    async def start(self, host: str, port: int) -> None:
        """Serve at this address; port 0 picks a free one."""
        self._stopping.clear()
        self._context.feed.open()
        self._address = (host, port)
        self._runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=1.0, handle_signals=False
        )
        await self._runner.setup()
        await self.open_port()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=BODY_BYTES)
        application.on_response_prepare.append(self._date)
        api = WebApiServer(self._context, self._stopping)
        application.add_routes(
            [
                web.route("*", "/api/{method}", api.handle),
                web.post("/response/{secret}", ResponseUrlEndpoint(self._context, self._stopping).handle),
                web.post("/upload/{file}", self._upload),
                web.get("/socket", self._sockets.handle),
                *self._page.routes(),
            ]
        )
        return application

    async def _date(self, _: web.BaseRequest, response: web.StreamResponse) -> None:
        """Say what time it is by Slack's clock (RFC 9110, `Date`)."""
        response.headers["Date"] = format_datetime(self._context.clock.now(), usegmt=True)

    async def open_port(self) -> None:
        if self._runner is None or self._site is not None:
            return
        host, port = self._address
        self._site = web.TCPSite(self._runner, host, port)
        await self._site.start()
        self._address = (host, int(self._runner.addresses[0][1]))
        self._context.url = f"http://{host}:{self._address[1]}"
        self._context.socket_url = f"ws://{host}:{self._address[1]}/socket"

    async def close_port(self) -> None:
        """Refuse new connections and cut the ones that are open."""
        if self._site is None or self._runner is None:
            return
        await self._site.stop()
        self._site = None
        if self._runner.server is not None:
            for connection in list(self._runner.server.connections):
                if connection.transport is not None:
                    connection.transport.abort()

    async def stop(self) -> None:
        self._stopping.set()
        self._context.feed.close()
        await self._sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = self._site = None

    async def _upload(self, request: web.Request) -> web.Response:
        file = self._context.store.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404)
        file["content"] = await _content(request)
        return web.Response(text=f"OK - {len(file['content'])}")


async def _content(request: web.Request) -> bytes:
    """Return the bytes of an upload: Slack's Python SDK sends them bare, its JavaScript SDK as the one file of a form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for field in (await request.post()).values():
        if isinstance(field, web.FileField):
            return field.file.read()
    return b""

"""A tiny API server that misbehaves on order, and a clock whose pauses cost nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_document

START = datetime(2026, 1, 1, tzinfo=UTC)


class FreeClock:
    """Passes as fast as it is slept; remembers every pause."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Answer:
    """What one request gets: a whole body, or chunks and then an end."""

    status: int = 200
    body: Any = None
    chunks: tuple[bytes, ...] = ()
    end: str = "eof"  # eof, abort, hang, or silent: not even headers
    headers: dict[str, str] = field(default_factory=dict)


HANG = Answer(end="hang")


def pod(name: str, version: int, uid: str = "") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ns", "uid": uid or name, "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def pods(version: int, *items: dict[str, Any], more: str = "") -> Answer:
    metadata = {"resourceVersion": str(version), **({"continue": more} if more else {})}
    return Answer(body={"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": list(items)})


def status(code: int, reason: str, message: str = "", **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


def refused(code: int, reason: str, message: str = "", **details: Any) -> Answer:
    return Answer(status=code, body=status(code, reason, message, **details))


def event(kind: str, item: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def stream(*chunks: bytes, end: str = "eof") -> Answer:
    return Answer(chunks=chunks, end=end)


class FaultServer:
    """Plays its answers in order, the last one for ever; lists and watches have their own."""

    def __init__(self) -> None:
        self.lists: list[Answer] = [pods(10, pod("a", 1), pod("b", 2))]
        self.watches: list[Answer] = [HANG]
        self.others: list[Answer] = []
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.tokens: list[str] = []
        self.bodies: list[tuple[str, str, Any]] = []
        self.hanging = asyncio.Event()
        self._called = asyncio.Condition()
        self.url = ""

    @property
    def watched_from(self) -> list[str]:
        return [query["resourceVersion"] for kind, query in self.calls if kind == "watch"]

    @property
    def listed(self) -> int:
        return sum(1 for kind, _ in self.calls if kind == "list")

    def kubeconfig(self, token: str = "secret") -> dict[str, Any]:
        return {
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{"name": "x", "cluster": {"server": self.url}}],
            "users": [{"name": "x", "user": {"token": token}}],
        }

    async def watched(self, times: int) -> None:
        """Wait until so many watches were asked for."""
        async with self._called:
            await self._called.wait_for(lambda: len(self.watched_from) >= times)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", ""))
        kind, answers = self._answers(request)
        async with self._called:
            self.calls.append((kind, dict(request.query)))
            self._called.notify_all()
        if request.can_read_body:
            self.bodies.append((request.method, request.path, await request.json()))
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return await self._play(request, answer)

    def _answers(self, request: web.Request) -> tuple[str, list[Answer]]:
        if request.query.get("watch"):
            return "watch", self.watches
        if request.method == "GET" and request.path.endswith("/pods"):
            return "list", self.lists
        return "other", self.others

    async def _play(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        if answer.body is not None:
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            return web.Response(status=answer.status, body=body, headers=answer.headers)
        if answer.end == "silent":
            await asyncio.Event().wait()
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        await response.prepare(request)
        for chunk in answer.chunks:
            await response.write(chunk)
        if answer.end == "hang":
            self.hanging.set()
            await asyncio.Event().wait()
        if answer.end == "abort" and request.transport is not None:
            request.transport.abort()
        return response


@asynccontextmanager
async def fault_server() -> AsyncIterator[FaultServer]:
    server = FaultServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def faulty(clock: FreeClock | None = None) -> AsyncIterator[tuple[FaultServer, KubeClient]]:
    async with fault_server() as server:
        client = KubeClient(from_document(server.kubeconfig()), clock=clock or FreeClock())
        async with client:
            yield server, client

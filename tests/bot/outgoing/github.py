"""An emulated GitHub: deployments and their statuses in the shapes that docs.github.com/en/rest/deployments gives."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
DEPLOYMENT_KEYS = {
    "ref",
    "task",
    "auto_merge",
    "required_contexts",
    "payload",
    "environment",
    "description",
    "transient_environment",
    "production_environment",
}
STATUS_KEYS = {
    "state",
    "target_url",
    "log_url",
    "description",
    "environment",
    "environment_url",
    "auto_inactive",
}


@dataclass
class GitHub:
    """One repository, acme/web, with one token that may write deployments.

    Attributes:
        fails: answers in place of the next requests, the first one first.
        asked: method and path of each request.
    """

    token: str = "ghp_good"
    commits: set[str] = field(default_factory=set)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    fails: list[Callable[[], web.Response]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._admit])
        where = "/repos/{owner}/{repo}/deployments"
        app.router.add_get(where, self._list)
        app.router.add_post(where, self._create)
        app.router.add_get(where + "/{id}/statuses", self._list_statuses)
        app.router.add_post(where + "/{id}/statuses", self._create_status)
        return app

    @web.middleware
    async def _admit(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        if self.fails:
            return self.fails.pop(0)()
        assert request.headers["Accept"] == "application/vnd.github+json"
        assert request.headers["X-GitHub-Api-Version"] == "2022-11-28"
        assert request.headers["User-Agent"]
        if request.headers["Authorization"] != f"Bearer {self.token}":
            return web.json_response({"message": "Bad credentials"}, status=401)
        if not request.path.startswith("/repos/acme/web/"):
            return web.json_response({"message": "Not Found"}, status=404)
        response: web.StreamResponse = await handler(request)
        return response

    async def _list(self, request: web.Request) -> web.Response:
        wanted = request.query
        found = [
            each
            for each in reversed(self.deployments)
            if all(each[key] == wanted[key] for key in ("sha", "environment") if key in wanted)
        ]
        return web.json_response(found)

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body.keys() <= DEPLOYMENT_KEYS
        assert len(body["description"]) <= 140
        if body["ref"] not in self.commits:
            return web.json_response({"message": f"No ref found for: {body['ref']}"}, status=422)
        if body.get("auto_merge", True) or body.get("required_contexts") != []:
            return web.json_response({"message": "Conflict"}, status=409)
        made = {"id": len(self.deployments) + 1, "sha": body["ref"], "task": "deploy", **body}
        self.deployments.append(made)
        self.statuses[made["id"]] = []
        return web.json_response(made, status=201)

    async def _list_statuses(self, request: web.Request) -> web.Response:
        return web.json_response(self.statuses[int(request.match_info["id"])][::-1])

    async def _create_status(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body.keys() <= STATUS_KEYS
        assert body["state"] in STATES
        assert len(body["description"]) <= 140
        self.statuses[int(request.match_info["id"])].append(body)
        return web.json_response(body, status=201)


@asynccontextmanager
async def github(*commits: str) -> AsyncGenerator[tuple[GitHub, Callable[[str], str]]]:
    """Serve it; what is yielded besides says where the API of a host is, as `bot.outgoing.github.api_of` does."""
    made = GitHub(commits=set(commits))
    async with TestServer(made.application()) as server:
        yield made, lambda host: str(server.make_url("")).rstrip("/") if host == "github.com" else ""

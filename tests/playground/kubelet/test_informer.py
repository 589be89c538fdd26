"""The informer misses nothing: not what happens while it cannot see, and not what the server has forgotten."""

import contextlib

import aiohttp
import pytest

from bot.playground.kubelet.api import ApiClientError
from bot.playground.kubelet.informer import Informer
from tests.fakes import JumpingClock


def pod(name, version="1"):
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": version}}


def listing(*pods, version="10"):
    return {"metadata": {"resourceVersion": version}, "items": list(pods)}


def event(kind, document):
    return {"type": kind, "object": document}


class End(Exception):
    """The script of the server is over."""


class Server:
    """Answers lists and watches in the order of its script; an exception in it is raised."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []

    def _next(self):
        if not self.script:
            raise End
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def call(self, method, path, *, query):
        self.asked.append("list")
        return self._next()

    async def watch(self, path, query):
        self.asked.append(f"watch from {query['resourceVersion']}")
        for step in self._next():
            if isinstance(step, Exception):
                raise step
            yield step


class ImpatientClock(JumpingClock):
    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds):
        self.slept.append(seconds)


async def seen(server, clock=None):
    changes = []
    with contextlib.suppress(End):
        async for change in Informer(server, clock or ImpatientClock(), "/api/v1/pods").changes():
            changes.append((change.document["metadata"]["name"], change.deleted))  # noqa: PERF401 - what came before the end counts
    return changes


async def test_the_list_comes_first_and_the_watch_goes_on_from_there():
    server = Server(listing(pod("a")), [event("ADDED", pod("b", "11")), event("DELETED", pod("a", "12"))])
    assert await seen(server) == [("a", False), ("b", False), ("a", True)]
    assert server.asked == ["list", "watch from 10", "watch from 12"]


async def test_what_vanished_while_it_could_not_see_is_deleted():
    server = Server(listing(pod("a"), pod("b")), [aiohttp.ClientError("cut")], listing(pod("b")))
    assert await seen(server) == [("a", False), ("b", False), ("a", True), ("b", False)]


@pytest.mark.parametrize(
    "error",
    [ApiClientError(410, "Expired", "too old"), ApiClientError(500, "InternalError", "etcd"), TimeoutError()],
)
async def test_after_an_error_it_pauses_and_lists_again(error):
    server, clock = Server(listing(), error, listing(pod("a"))), ImpatientClock()
    assert await seen(server, clock) == [("a", False)]
    assert server.asked[:3] == ["list", "watch from 10", "list"]
    assert len(clock.slept) == 1


async def test_a_bookmark_moves_the_version_and_is_no_change():
    server = Server(listing(), [event("BOOKMARK", pod("", "40"))])
    assert await seen(server) == []
    assert server.asked[-1] == "watch from 40"


async def test_a_server_that_is_away_for_long_is_asked_every_few_seconds():
    server, clock = Server(*[OSError("refused")] * 2000), ImpatientClock()
    assert await seen(server, clock) == []
    assert max(clock.slept) <= 5
    assert min(clock.slept[-10:]) >= 2.5

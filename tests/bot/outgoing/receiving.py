"""Somebody who is told of events over real HTTP, and the sender that tells them, moved on by hand."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.outgoing.cloud_events import CloudEventRenderer
from bot.outgoing.cluster_events import ClusterEventReceiver
from bot.outgoing.github import DeploymentReceiver
from bot.outgoing.sender import EventSender
from bot.outgoing.signing import new_secret
from bot.outgoing.webhooks import WebhookReceiver
from core.actor import BOT
from core.records.outgoing_event import Subscription
from tests.core.world import World


@dataclass
class Hook:
    """A receiver of webhooks.

    Attributes:
        taken: what came with a good signature and was answered, parsed; `keys`: the ids of what came; `refused`: how many did not.
        answer: what it says to the next ones.
    """

    secret: str
    url: str = ""
    answer: Callable[[], Awaitable[web.StreamResponse]] | None = None
    taken: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    refused: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {key.lower(): value for key, value in request.headers.items()}
        if not signed(self.secret, headers, body):
            self.refused += 1
            return web.Response(status=401)
        self.keys.append(headers["webhook-id"])
        said = await self.answer() if self.answer else web.Response()
        self.taken.append(json.loads(body))
        self.headers.append(headers)
        self.told.set()
        return said

    @property
    def types(self) -> list[str]:
        return [each["type"].removeprefix("convox-bot.") for each in self.taken]


def signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a signature as standardwebhooks.com tells receivers to, written without a look at ours."""
    signed_content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.split("_")[1])
    wanted = base64.b64encode(hmac.new(key, signed_content, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in headers["webhook-signature"].split(" ")


@asynccontextmanager
async def hook(secret: str = "") -> AsyncGenerator[Hook]:
    made = Hook(secret or new_secret())
    app = web.Application()
    app.router.add_post("/in", made.take)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/in"))
        yield made


async def subscribe(w: World, to: Hook, name: str = "WAAAAAAAAAA", **more: Any) -> Subscription:
    made = Subscription(
        id=name,
        kind="webhook",
        host="hooks.test",
        url=to.url,
        secret=to.secret,
        created_at=w.clock.now(),
        created_by=BOT,
        **more,
    )
    await w.store.outgoing.add(made)
    return made


@asynccontextmanager
async def telling(
    w: World,
    *,
    private: bool = True,
    github: Callable[[str], str] = lambda _host: "",
    patience: float = 2,
) -> AsyncGenerator[EventSender]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience))
        )
        renderer = CloudEventRenderer(w.store.read, rack="convox", link=lambda c, ts: f"https://s/{c}/{ts}")
        yield EventSender(
            w.store.outgoing,
            {
                "webhook": WebhookReceiver(session, renderer, w.clock, private=private),
                "kubernetes": ClusterEventReceiver(w.store.read, w.cluster, w.clock),
                "github": DeploymentReceiver(
                    session,
                    w.store.read,
                    rack="convox",
                    link=lambda c, ts: f"https://s/{c}/{ts}",
                    clock=w.clock,
                    api=github,
                    private=private,
                ),
            },
            w.clock,
        )


async def tell(sender: EventSender) -> None:
    """Let everybody be told what is due, and wait for that."""
    await sender._round()
    while tasks := list(sender._telling.values()):
        await asyncio.gather(*tasks)


async def told(w: World, name: str = "WAAAAAAAAAA") -> Subscription:
    return next(each for each in await w.store.outgoing.subscriptions() if each.id == name)

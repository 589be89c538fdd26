"""The real API for a test: application, store and use cases, with a scripted cluster."""

import asyncio
import base64
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from bot.api.delivery_tracker import DeliveryTracker
from bot.api.metrics_snapshot import MetricsSource
from bot.api.server import ApiDependencies, new_api
from bot.api.webhooks.endpoint import WebhookSecrets, WebhooksEndpoint
from bot.handlers.dispatch import Handlers
from bot.http.limits import HttpLimits
from bot.loop_lag import LoopLag
from bot.oidc.jobs import JobTokens
from bot.slack.connection import SlackState
from core.errors import Unreachable
from core.lifecycle.access import Access
from core.rollout.watched_time import BlindTime
from core.usecases.push_receiver import PushReceiver
from core.usecases.source_registrar import SourceRegistrar
from storage.sources import SourceFolder
from tests.bot.api.asking import basic
from tests.bot.api.conforming import ConformingClient
from tests.bot.handling import budgets_of, handlers_of
from tests.core.building.nursery import Builds, builds_of
from tests.core.world import World, world
from tests.fakes import JumpingClock

# Of each vendor the one that is being taken into use, and the one that it takes the place of.
SIGNING_TOKEN = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
SECRETS = WebhookSecrets(
    github=("the new secret of GitHub", "the old secret of GitHub"),
    gitlab=("the secret token of GitLab", SIGNING_TOKEN),
)


@dataclass
class Api:
    """The real application over a real store and a scripted cluster, asked with a token named ci."""

    world: World
    client: TestClient
    slack: SlackState
    handlers: Handlers
    token: str
    lag: LoopLag
    sources: SourceRegistrar
    builds: Builds
    webhooks: WebhooksEndpoint

    @property
    def store(self):
        return self.world.store

    @property
    def url(self):
        return f"http://convox:{self.token}@127.0.0.1:{self.client.port}"

    def get(self, path, **more):
        return self.client.get(path, headers=basic(self.token) | more.pop("headers", {}), **more)

    def post(self, path, **more):
        return self.client.post(path, headers=basic(self.token) | more.pop("headers", {}), **more)

    def command(self, text):
        return self.post("/commands", json={"text": text})

    async def lines(self, promotion, after=0):
        """Return every line of the stream, which must end with a line end."""
        answer = await self.get(f"/promotions/{promotion}/lines", params={"after": str(after)})
        assert answer.status == 200, await answer.text()
        text = await answer.text()
        assert text == "" or text.endswith("\n")
        return text.split("\n")[:-1]


class _Aside:
    """The world's clock for those who only look on: their waiting makes no time pass for a rollout."""

    def __init__(self, clock: JumpingClock) -> None:
        self.now = clock.now
        self.monotonic = clock.monotonic

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.001)


def sources_of(w, path, why_not_buildable=str, *, most=64 << 20, least_free=0.0, why_not_startable=""):
    """The sources of a world, beside its database."""
    folder = SourceFolder(path / "convox.db", w.clock, least_free=least_free)
    access = Access(lambda: w.policy, w.directory)
    return SourceRegistrar(w.store, folder, access, lambda: why_not_startable, why_not_buildable, most=most)


def metrics_of(w, slack, lag, webhooks):
    """What the metrics of a world are made of."""
    read, store = w.store.read, w.store
    return MetricsSource(
        phases=read.phases,
        endings=read.endings,
        times=read.rollout_times,
        builds=read.build_counts,
        oldest_awaiting=read.oldest_awaiting,
        backlog=store.outbox.backlog,
        size=store.size,
        free=store.free_fraction,
        pages=store.retention.pages,
        aged=store.retention.aged_rows,
        policy_refused=lambda: True,
        slack=slack,
        blind=BlindTime(),
        lag=lag,
        database=store.times,
        webhooks=webhooks.counts,
        deliveries=DeliveryTracker(read),
        events=store.outgoing.backlog,
        rack="staging",
        command="/convox-staging",
        clock=w.clock,
    )


class _NoIssuers:
    async def find(self, issuer: str, name: str, kind: str):
        raise Unreachable(f"{issuer} is not there")


@asynccontextmanager
async def serving(path, jobs=None, token="", keys=None):
    """Serve what lies at `path`; `jobs` are played by hand, `token` is that of an earlier life, `keys` knows those of issuers."""
    async with world(path) as made:
        builds = builds_of(made, jobs)
        clock = _Aside(made.clock)
        budgets = budgets_of(clock)
        handlers = handlers_of(made, builds.starter, budgets=budgets)
        slack, lag = SlackState(connected=True, problem=""), LoopLag(made.clock)
        access = Access(lambda: made.policy, made.directory)
        pushes = PushReceiver(made.store, access, builds.starter, made.clock)
        webhooks = WebhooksEndpoint(pushes, SECRETS, made.clock)
        issuers: Any = keys or _NoIssuers()
        parts = ApiDependencies(
            handlers=handlers,
            budgets=budgets,
            registrar=made.registrar,
            starter=builds.starter,
            build_viewer=builds.viewer,
            clones=builds.clones,
            sources=sources_of(made, path, builds.jobs.why_not),
            store=made.store,
            viewer=made.viewer,
            directory=made.directory,
            tokens=made.store.tokens,
            jobs=JobTokens(lambda: made.policy.oidc, issuers, made.clock),
            slack=slack,
            webhooks=webhooks,
            metrics=metrics_of(made, slack, lag, webhooks),
            try_database=made.store.try_out,
            clock=clock,
        )
        token = token or await made.store.tokens.create("ci")
        async with ConformingClient(TestServer(new_api(parts, HttpLimits()))) as client:
            try:
                yield Api(made, client, slack, handlers, token, lag, parts.sources, builds, webhooks)
            finally:
                await builds.supervisor.stop()


async def all_told(store, subject):
    """Have Slack told the whole thread; what it is owed does not age."""
    await store.outbox.card_posted(subject, "1.0", 0)
    while post := await store.outbox.claim_lines(subject, most=50, fitting=len):
        await store.outbox.post_sent(post.id, "2.0")
    last = await store.outbox.claim_verdict(subject, most=0, fits=lambda lines: not lines)
    await store.outbox.post_sent(last.id, "3.0")
    await store.outbox.write_down()

"""The bot as a whole: what lives how long, what stops when."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import ClientSession

from bot.admin.cluster_source import cluster_source
from bot.admin.doctor.examination import examine
from bot.admin.doctor.report import tell_log
from bot.api.metrics_snapshot import version
from bot.background import trace_settled
from bot.clock import SystemClock
from bot.collector import relax
from bot.http.site import listening
from bot.outgoing.github import new_github_session
from bot.outgoing.webhooks import new_webhook_session
from bot.pictures.process import drawer
from bot.policy_file import PolicyFile
from bot.prefixes import name_slash_command
from bot.registry import RegistryClient
from bot.settings import Settings, SettingsError
from bot.slack.connection import new_session
from bot.slack.files import FileSender
from bot.slack.pictures import PictureSender
from bot.tracing.exporting import new_tracer
from bot.tracing.settled import SettledTracer
from bot.wiring.build_side import build_settings
from bot.wiring.doors import Bot, assembled
from bot.wiring.outgoing_side import new_event_sender
from bot.wiring.slack_side import new_slack_side
from bot.wiring.tls import served_certificate
from bot.wiring.use_cases import new_use_cases
from core.clock import Clock
from core.cluster.adapter import KubernetesCluster
from core.cluster.api.client import KubeClient
from core.cluster.builds.adapter import KubernetesBuilds
from core.errors import Unavailable
from core.ports.pictures import Draw
from core.ports.tracer import Tracer
from storage.keys import Keyring
from storage.store import open_store

log = logging.getLogger(__name__)

# After a stop is asked for, what is being said in Slack may take this long; the rest is said by the next start.
LAST_WORDS_SECONDS = 5.0
# What a collector of traces is still to be told may take this long; one that is away is not waited for.
LAST_SPANS_SECONDS = 2.0


@asynccontextmanager
async def wired(
    settings: Settings,
    *,
    clock: Clock,
    kubeconfig: Mapping[str, Any] | None = None,
    registries: bool = False,
    draw: Draw | None = None,
    tracer: Tracer | None = None,
) -> AsyncGenerator[Bot]:
    """Open the database and put the parts together.

    Args:
        settings: what `serve` was told.
        clock: everybody's.
        kubeconfig: a parsed kubeconfig; by default the cluster is found as every Kubernetes client does.
        registries: ask image registries what tags name; where images are made up there are none to ask.
        draw: draws the pictures of rollouts; without it there are none.
        tracer: is told what promotions spend their time with.

    Raises:
        SettingsError: the certificate of the ports.
        Invalid: the policy file, one problem a line, and no good one was kept.
        StorageError, Unavailable: the database, its keys or its schema.
    """
    name_slash_command(settings.convox_command)
    certificate = served_certificate(settings)
    if certificate is not None:
        certificate.complain(clock.now())
    if not settings.convox_database.exists():
        # Nothing is kept that could rule in the place of a bad file, and no database is made for one.
        PolicyFile(settings.convox_policy, everything=settings.convox_open)
    keyring = Keyring([k.get_secret_value() for k in settings.convox_keys])
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.convox_database, keyring, clock))
        last = await store.policies.last()
        policy = PolicyFile(settings.convox_policy, everything=settings.convox_open, last=last)
        session = await stack.enter_async_context(new_session())
        kube = await stack.enter_async_context(
            KubeClient(cluster_source(settings.kubeconfig, kubeconfig), clock=clock)
        )
        builders = KubernetesBuilds(kube, build_settings(settings, clock), rack=settings.convox_rack)
        cluster = KubernetesCluster(kube, rack=settings.convox_rack, router=settings.router, clock=clock)
        slack = new_slack_side(settings, store, policy, session, cluster, clock)
        registry = RegistryClient(await stack.enter_async_context(ClientSession())) if registries else None
        domain = new_use_cases(settings, store, cluster, builders, slack, clock, registry, tracer)
        files = FileSender(slack.calls, session, slack.sender.pacing)
        pictures = PictureSender(
            store.outbox.pictures,
            store.read,
            slack.calls,
            files,
            slack.sender.pacing,
            slack.state,
            clock,
            draw=draw,
        )
        slack.sender.also_wake(pictures.wake)
        events = new_event_sender(
            settings,
            store,
            cluster,
            slack.state,
            clock,
            webhooks=await stack.enter_async_context(
                new_webhook_session(private=settings.convox_webhook_private)
            ),
            github=await stack.enter_async_context(
                new_github_session(private=settings.convox_webhook_private)
            ),
        )
        slack.sender.also_wake(events.wake)
        bot = assembled(
            settings,
            policy,
            store,
            session,
            slack,
            domain,
            cluster,
            kube,
            clock,
            files,
            pictures,
            certificate,
        )
        bot.background["events for others"] = events.run
        if tracer is not None:
            settled = SettledTracer(store.read, tracer)
            bot.background["traces"] = lambda: trace_settled(settled.look, clock)
        yield bot


async def run(bot: Bot, stop: asyncio.Event, *, started: Callable[[], None] = lambda: None) -> None:
    """Run until `stop` is set, then stop in order: the socket to Slack, rollouts, last words, the jobs, HTTP.

    A rollout is never waited for: the next start resumes it. What still comes in over HTTP meanwhile is answered; a
    promotion that it starts begins with the next start. A job that ends with an error ends all others and raises: an
    error of ours, since each survives a Slack and a database in trouble.
    """
    async with AsyncExitStack() as stack:
        tls = bot.certificate.context if bot.certificate is not None else None
        for app, host, port in bot.sites:
            await stack.enter_async_context(listening(app, host, port, tls))
        resumed = await bot.supervisor.resume()
        if resumed:
            log.info("took up %d rollouts where they were", resumed)
        try:
            async with asyncio.TaskGroup() as tasks:
                jobs = {name: tasks.create_task(job(), name=name) for name, job in bot.background.items()}
                started()
                await stop.wait()
                jobs.pop("connection to Slack").cancel()
                await bot.supervisor.stop()
                await bot.builds.stop()
                await _last_words(bot)
                for job in jobs.values():
                    job.cancel()
        finally:
            await bot.supervisor.stop()
            await bot.builds.stop()


async def _last_words(bot: Bot) -> None:
    """Give what is due in Slack a few seconds; what is not said now is said after the next start."""
    deadline = bot.clock.monotonic() + LAST_WORDS_SECONDS
    while bot.slack.ready and bot.clock.monotonic() < deadline:
        try:
            await bot.store.outbox.write_down()
            left = await bot.store.outbox.backlog()
        except Unavailable as error:
            log.warning("what Slack is still to be told is told after the next start: %s", error)
            return
        if not (left.cards or left.lines or left.posts):
            return
        await bot.clock.sleep(0.2)


async def serve(settings: Settings, *, clock: Clock | None = None) -> None:
    """Be `convox-bot serve`: run until SIGTERM or SIGINT; SIGHUP reads the policy again."""
    if os.environ.get("SLACK_CLIENT_ID") and os.environ.get("SLACK_CLIENT_SECRET"):
        raise SettingsError(
            ["SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set: Bolt would switch to OAuth; unset them"]
        )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    tracer = new_tracer(version())
    async with wired(
        settings, clock=clock or SystemClock(), registries=True, draw=drawer(), tracer=tracer
    ) as bot:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, bot.policy.reload)
        relax()
        bot.background["doctor"] = lambda: tell_health(settings, bot.clock)
        try:
            await run(bot, stop, started=lambda: log.info("convox-bot is running"))
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)
            if tracer is not None:
                await asyncio.to_thread(tracer.stop, LAST_SPANS_SECONDS)


async def tell_health(settings: Settings, clock: Clock) -> None:
    """Say in the log what `doctor` would; whatever becomes of that, the bot runs on."""
    try:
        tell_log(await examine(settings, clock, starting=True))
    except Exception:
        log.exception("doctor could not look at everything")

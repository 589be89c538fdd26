"""The only place where everything meets: which adapter serves which port, what lives how long, what stops when."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientSession, web
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.api.server import ApiDependencies, new_api
from bot.background import age_out_sources, await_cluster, expire, remind, start_due
from bot.clock import SystemClock
from bot.collector import relax
from bot.handlers import Handlers
from bot.http.limits import HttpLimits, connections_of, open_files
from bot.http.site import listening
from bot.loop_lag import LoopLag
from bot.pictures.process import drawer
from bot.policy_file import PolicyFile
from bot.prefixes import name_slash_command
from bot.registry import RegistryClient
from bot.settings import Settings, SettingsError
from bot.slack.connection import SlackConnection, SlackState, new_client, new_session
from bot.slack.dialogs import Dialogs
from bot.slack.directory import SlackDirectory
from bot.slack.files import FileSender
from bot.slack.homes import HomeSender
from bot.slack.http_endpoint import new_slack_endpoint
from bot.slack.inbox import InboxWorker
from bot.slack.listeners import new_app
from bot.slack.live_forms import LiveForms
from bot.slack.pictures import PictureSender
from bot.slack.render import MessageRenderer
from bot.slack.sender import Sender
from bot.slack.web_api import WebApi
from bot.slack.workspace import WorkspaceFilter
from bot.slack.workspace_blocks import WorkspaceBlocks
from core.actor import BOT
from core.building.driver import BuildPorts
from core.building.supervisor import BuildSupervisor
from core.clock import Clock
from core.cluster.adapter import KubernetesCluster
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import ConfigurationSource, from_document, from_environment
from core.cluster.builds.adapter import KubernetesBuilds
from core.cluster.builds.settings import BuildSettings
from core.errors import Unavailable
from core.lifecycle.access import Access
from core.lifecycle.gate import Gate
from core.ports.builds import BuildCluster
from core.ports.cluster import Cluster
from core.ports.pictures import Draw
from core.ports.registry import ImageRegistry
from core.records.registry_account import RegistryAccount, host_of
from core.rollout.effects import RolloutPorts
from core.rollout.first_pods import FirstPods
from core.rollout.supervisor import Supervisor
from core.usecases.build_starter import BuildStarter
from core.usecases.chooser import Chooser
from core.usecases.decider import Decider
from core.usecases.explainer import Explainer
from core.usecases.freezer import Freezer
from core.usecases.overview import OverviewReader
from core.usecases.process_viewer import ProcessViewer
from core.usecases.promoter import Promoter
from core.usecases.registrar import Registrar
from core.usecases.reminders import Reminders
from core.usecases.scaler import Scaler
from core.usecases.scheduler import PromotionScheduler
from core.usecases.source_registrar import SourceRegistrar
from core.usecases.viewer import Viewer
from storage.keys import Keyring
from storage.sources import SourceFolder
from storage.store import SqliteStore, open_store

log = logging.getLogger(__name__)

# Under this nothing new starts (engine rule 16): a rollout in flight must still be able to write its end.
LEAST_FREE_DISK = 0.10
# After a stop is asked for, what is being said in Slack may take this long; the rest is said by the next start.
LAST_WORDS_SECONDS = 5.0
# Slack itself gives up after three seconds.
SLACK_BODY_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """One wired convox-bot, not running yet.

    Attributes:
        background: what runs until the end, by its spoken name.
        sites: HTTP applications with the address each listens on.
    """

    store: SqliteStore
    registrar: Registrar
    policy: PolicyFile
    supervisor: Supervisor
    builds: BuildSupervisor
    sender: Sender
    slack: SlackState
    connection: SlackConnection
    clock: Clock
    background: dict[str, Callable[[], Coroutine[Any, Any, None]]]
    sites: list[tuple[web.Application, str, int]] = field(default_factory=list)


@asynccontextmanager
async def wired(
    settings: Settings,
    *,
    clock: Clock,
    kubeconfig: Mapping[str, Any] | None = None,
    registries: bool = False,
    draw: Draw | None = None,
) -> AsyncGenerator[Bot]:
    """Open the database and put the parts together.

    Args:
        settings: what `serve` was told.
        clock: everybody's.
        kubeconfig: a parsed kubeconfig; by default the cluster is found as every Kubernetes client does.
        registries: ask image registries what tags name; where images are made up there are none to ask.
        draw: draws the pictures of rollouts; without it there are none.

    Raises:
        Invalid: the policy file, one problem a line.
        StorageError, Unavailable: the database, its keys or its schema.
    """
    name_slash_command(settings.convox_command)
    policy = PolicyFile(settings.convox_policy, everything=settings.convox_open)
    keyring = Keyring([k.get_secret_value() for k in settings.convox_keys])
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.convox_database, keyring, clock))
        session = await stack.enter_async_context(new_session())
        kube = await stack.enter_async_context(KubeClient(_source(settings, kubeconfig), clock=clock))
        builders = KubernetesBuilds(kube, _build_settings(settings, clock), rack=settings.convox_rack)
        cluster = KubernetesCluster(kube, rack=settings.convox_rack, router=settings.router, clock=clock)
        slack = _slack_side(settings, store, policy, session, cluster, clock)
        registry = RegistryClient(await stack.enter_async_context(ClientSession())) if registries else None
        domain = _use_cases(settings, store, cluster, builders, slack, clock, registry)
        files = FileSender(slack.calls, session)
        pictures = PictureSender(
            store.outbox.pictures, store.read, slack.calls, files, slack.state, clock, draw=draw
        )
        slack.sender.also_wake(pictures.wake)
        yield _assembled(settings, policy, store, session, slack, domain, cluster, clock, files, pictures)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSide:
    """What talks to Slack of its own accord."""

    state: SlackState
    client: AsyncWebClient
    directory: SlackDirectory
    access: Access
    calls: WebApi
    sender: Sender
    dialogs: Dialogs
    support: WorkspaceBlocks


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSide:
    """What makes builds of sources."""

    sources: SourceRegistrar
    starter: BuildStarter
    supervisor: BuildSupervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """What the core does for whoever asks."""

    registrar: Registrar
    decider: Decider
    viewer: Viewer
    scaler: Scaler
    reminders: Reminders
    scheduler: PromotionScheduler
    chooser: Chooser
    overviews: OverviewReader
    supervisor: Supervisor
    first_pods: FirstPods
    builds: BuildSide
    handlers: Handlers


def _slack_side(
    settings: Settings,
    store: SqliteStore,
    policy: PolicyFile,
    session: ClientSession,
    cluster: Cluster,
    clock: Clock,
) -> SlackSide:
    state = SlackState()
    client = new_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
    directory = SlackDirectory(client, clock, lambda: state.team)
    access = Access(lambda: policy.current, directory)
    messages = MessageRenderer(store, cluster, access, clock, state.link, settings.convox_rack)
    web = WebApi(client, state)
    support = WorkspaceBlocks(store.refused_blocks, state, clock)
    sender = Sender(store.outbox, messages, store, web, state, clock, support)
    return SlackSide(
        state=state,
        client=client,
        directory=directory,
        access=access,
        calls=web,
        sender=sender,
        dialogs=Dialogs(web),
        support=support,
    )


def _use_cases(
    settings: Settings,
    store: SqliteStore,
    cluster: Cluster,
    builders: BuildCluster,
    slack: SlackSide,
    clock: Clock,
    registry: ImageRegistry | None = None,
) -> UseCases:
    def why_not_startable() -> str:
        return _why_not_startable(store)

    access, sender = slack.access, slack.sender
    gate = Gate(store, cluster, access)
    ports = RolloutPorts(store=store, cluster=cluster, clock=clock, announcer=sender, gate=gate)
    supervisor = Supervisor(ports)
    registrar = Registrar(store, cluster, access, why_not_startable, registry, sender)
    decider = Decider(store, cluster, access, sender, supervisor, why_not_startable=why_not_startable)
    promoter = Promoter(store, cluster, access, decider, clock, why_not_startable=why_not_startable)
    viewer = Viewer(store, cluster, access, why_not_startable)
    scaler = Scaler(store, cluster, access, sender, why_not_startable=why_not_startable)
    reminders = Reminders(store, access, sender)
    scheduler = PromotionScheduler(store, cluster, access, decider, why_not_startable=why_not_startable)
    chooser = Chooser(store, access, clock)
    builds = _build_side(settings, store, slack, registrar, builders, clock)
    handlers = Handlers(
        registrar=registrar,
        builds=builds.starter,
        promoter=promoter,
        decider=decider,
        viewer=viewer,
        processes=ProcessViewer(store, cluster, access),
        scaler=scaler,
        reminders=reminders,
        freezer=Freezer(store, access, sender, why_not_startable=why_not_startable),
        explainer=Explainer(store, access, clock, why_not_startable=why_not_startable),
        chooser=chooser,
        clock=clock,
    )
    return UseCases(
        registrar=registrar,
        decider=decider,
        viewer=viewer,
        scaler=scaler,
        reminders=reminders,
        scheduler=scheduler,
        chooser=chooser,
        overviews=OverviewReader(store, access, clock, why_not_startable),
        supervisor=supervisor,
        first_pods=FirstPods(ports),
        builds=builds,
        handlers=handlers,
    )


def _why_not_startable(store: SqliteStore) -> str:
    if store.free_fraction() < LEAST_FREE_DISK:
        return "less than 10 % of the database's disk is free, so nothing new starts"
    return ""


def _build_settings(settings: Settings, clock: Clock) -> BuildSettings:
    registry, password = settings.convox_registry or "", settings.convox_registry_password
    account = None
    if password is not None:
        account = RegistryAccount(
            app="",
            host=host_of(f"{registry}/app"),
            user=settings.convox_registry_user or "",
            password=password.get_secret_value(),
            created_at=clock.now(),
            created_by=BOT,
        )
    return BuildSettings(
        registry=registry,
        account=account,
        address=settings.convox_build_address or "",
        image=settings.convox_build_image,
        cpu=settings.convox_build_cpu,
        memory=settings.convox_build_memory,
        disk=settings.convox_build_disk,
        seconds=settings.convox_build_timeout,
    )


def _build_side(
    settings: Settings,
    store: SqliteStore,
    slack: SlackSide,
    registrar: Registrar,
    builders: BuildCluster,
    clock: Clock,
) -> BuildSide:
    def why_not_startable() -> str:
        return _why_not_startable(store)

    folder = SourceFolder(settings.convox_database, clock, least_free=LEAST_FREE_DISK)
    most = settings.convox_max_source << 20
    ports = BuildPorts(
        store=store,
        cluster=builders,
        clock=clock,
        announcer=slack.sender,
        release=registrar.release_build,
        forget_source=folder.delete,
        seconds=settings.convox_build_timeout,
    )
    supervisor = BuildSupervisor(ports)
    return BuildSide(
        sources=SourceRegistrar(store, folder, slack.access, why_not_startable, builders.why_not, most=most),
        starter=BuildStarter(
            store, slack.access, builders, folder, supervisor, why_not_startable=why_not_startable
        ),
        supervisor=supervisor,
    )


def _assembled(
    settings: Settings,
    policy: PolicyFile,
    store: SqliteStore,
    session: ClientSession,
    slack: SlackSide,
    domain: UseCases,
    cluster: KubernetesCluster,
    clock: Clock,
    files: FileSender,
    pictures: PictureSender,
) -> Bot:
    """Open the doors: what Slack delivers, and HTTP."""
    state, secret = slack.state, _value(settings.slack_signing_secret)
    workspaces = WorkspaceFilter(lambda: state.workspace)
    homes = HomeSender(store.homes, domain.overviews, slack.calls, state, clock)
    slack.sender.also_wake(homes.wake)
    inbox = InboxWorker(
        store.inbox,
        domain.handlers,
        store,
        session,
        clock,
        identified=state.identified,
        announcer=slack.sender,
        dialogs=slack.dialogs,
        workspaces=workspaces,
        files=files,
        homes=homes,
        support=slack.support,
        link=state.link,
        rack=settings.convox_rack,
    )
    forms = LiveForms(domain.handlers, domain.chooser, slack.calls, clock)
    app = new_app(
        slack.client,
        signing_secret=secret,
        state=state,
        sink=inbox,
        workspaces=workspaces,
        dialogs=slack.dialogs,
        forms=forms,
    )
    connection = SlackConnection(
        slack.client, app, app_token=_value(settings.slack_app_token), state=state, clock=clock
    )
    limits = HttpLimits(connections=connections_of(open_files()))
    lag = LoopLag(clock)
    builds = domain.builds
    api = new_api(
        ApiDependencies(
            handlers=domain.handlers,
            registrar=domain.registrar,
            sources=builds.sources,
            starter=builds.starter,
            store=store,
            viewer=domain.viewer,
            directory=slack.directory,
            tokens=store.tokens,
            slack=state,
            backlog=store.outbox.backlog,
            phases=store.read.phases,
            try_database=store.try_out,
            lag=lag,
            clock=clock,
        ),
        limits,
    )
    sites = [(api, settings.api_host, settings.api_port)]
    if secret is not None:
        sites.append(
            (
                new_slack_endpoint(app, secret, replace(limits, body_seconds=SLACK_BODY_SECONDS)),
                settings.host,
                settings.port,
            )
        )
    return Bot(
        store=store,
        registrar=domain.registrar,
        policy=policy,
        supervisor=domain.supervisor,
        builds=builds.supervisor,
        sender=slack.sender,
        slack=state,
        connection=connection,
        clock=clock,
        background={
            "sender": slack.sender.run,
            "inbox": inbox.run,
            "dialogs": slack.dialogs.run,
            "modals that answer": forms.run,
            "Home tabs": homes.run,
            "pictures": pictures.run,
            "expiry of approvals": lambda: expire(domain.decider, clock),
            "reminders": lambda: remind(domain.reminders, clock),
            "what waits to start": lambda: start_due(domain.scheduler, clock),
            "connection to Slack": connection.run,
            "counts left over": domain.scaler.resume,
            "age limit of sources": lambda: age_out_sources(builds.sources, clock),
            "loop lag": lag.run,
            "first pods": domain.first_pods.run,
            "builds left over": builds.supervisor.run,
            "first word of the cluster": lambda: await_cluster(cluster.reach, clock),
        },
        sites=sites,
    )


def _source(settings: Settings, kubeconfig: Mapping[str, Any] | None) -> ConfigurationSource:
    """Find the cluster as every Kubernetes client does; KUBECONFIG may also stand in `.env`."""
    if kubeconfig is not None:
        return from_document(kubeconfig)
    return from_environment(
        {**os.environ, "KUBECONFIG": settings.kubeconfig} if settings.kubeconfig else os.environ
    )


def _value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


async def run(bot: Bot, stop: asyncio.Event, *, started: Callable[[], None] = lambda: None) -> None:
    """Run until `stop` is set, then stop in order: the socket to Slack, rollouts, last words, the jobs, HTTP.

    A rollout is never waited for: the next start resumes it. What still comes in over HTTP meanwhile is answered; a
    promotion that it starts begins with the next start. A job that ends with an error ends all others and raises: an
    error of ours, since each survives a Slack and a database in trouble.
    """
    async with AsyncExitStack() as stack:
        for app, host, port in bot.sites:
            await stack.enter_async_context(listening(app, host, port))
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
    async with wired(settings, clock=clock or SystemClock(), registries=True, draw=drawer()) as bot:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, bot.policy.reload)
        relax()
        try:
            await run(bot, stop, started=lambda: log.info("convox-bot is running"))
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

"""The doors of a bot, what Slack delivers and HTTP; and all that runs until its end."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientSession, web
from pydantic import SecretStr
from slack_bolt.app.async_app import AsyncApp

from bot.api.delivery_tracker import DeliveryTracker
from bot.api.metrics_snapshot import MetricsSource
from bot.api.server import ApiDependencies, new_api
from bot.api.webhooks.endpoint import WebhookSecrets, WebhooksEndpoint
from bot.background import (
    age_out_pushes,
    age_out_sources,
    age_records,
    await_cluster,
    count_deliveries,
    expire,
    forget_delays,
    promote_built,
    remind,
    remove_orphans,
    start_due,
    tell_freezes,
)
from bot.believed import confirmed_by
from bot.http.certificate import WatchedCertificate
from bot.http.limits import HttpLimits, connections_of, open_files
from bot.loop_lag import LoopLag
from bot.oidc.discovery import issuer_readers
from bot.oidc.issuers import IssuerKeys
from bot.oidc.jobs import JobTokens
from bot.policy_file import PolicyFile, keep_policy
from bot.settings import Settings
from bot.slack.connection import SlackConnection, SlackState
from bot.slack.files import FileSender
from bot.slack.homes import HomeSender
from bot.slack.http_endpoint import new_slack_endpoint
from bot.slack.inbox import InboxWorker
from bot.slack.listeners import new_app
from bot.slack.live_forms import LiveForms
from bot.slack.pictures import PictureSender
from bot.slack.sender import Sender
from bot.slack.workspace import WorkspaceFilter
from bot.wiring.slack_side import SlackSide
from bot.wiring.use_cases import UseCases
from core.building.supervisor import BuildSupervisor
from core.clock import Clock
from core.cluster.adapter import KubernetesCluster
from core.cluster.api.client import KubeClient
from core.rollout.supervisor import Supervisor
from core.usecases.registrar import Registrar
from storage.store import SqliteStore

# Slack itself gives up after three seconds.
SLACK_BODY_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """One wired convox-bot, not running yet.

    Attributes:
        background: what runs until the end, by its spoken name.
        sites: HTTP applications with the address each listens on.
        certificate: what they show, None where they speak plain HTTP.
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
    certificate: WatchedCertificate | None = None


def assembled(
    settings: Settings,
    policy: PolicyFile,
    store: SqliteStore,
    session: ClientSession,
    slack: SlackSide,
    domain: UseCases,
    cluster: KubernetesCluster,
    kube: KubeClient,
    clock: Clock,
    files: FileSender,
    pictures: PictureSender,
    certificate: WatchedCertificate | None,
) -> Bot:
    """Open the doors: what Slack delivers, and HTTP."""
    homes = HomeSender(store.homes, domain.overviews, slack.calls, slack.state, clock)
    slack.sender.also_wake(homes.wake)
    workspaces = WorkspaceFilter(lambda: slack.state.workspace)
    inbox = InboxWorker(
        store.inbox,
        domain.handlers,
        store,
        session,
        clock,
        identified=slack.state.identified,
        announcer=slack.sender,
        dialogs=slack.dialogs,
        workspaces=workspaces,
        files=files,
        homes=homes,
        support=slack.support,
        link=slack.state.link,
        rack=settings.convox_rack,
    )
    forms = LiveForms(domain.handlers, domain.chooser, slack.calls, clock)
    app = new_app(
        slack.client,
        signing_secret=_value(settings.slack_signing_secret),
        state=slack.state,
        sink=inbox,
        workspaces=workspaces,
        dialogs=slack.dialogs,
        forms=forms,
    )
    connection = SlackConnection(
        slack.client, app, app_token=_value(settings.slack_app_token), state=slack.state, clock=clock
    )
    lag = LoopLag(clock)
    confirmed = confirmed_by(clock, {"the API server": cluster.time, "Slack": slack.calls.time})
    deliveries = DeliveryTracker(store.read)
    return Bot(
        store=store,
        registrar=domain.registrar,
        policy=policy,
        supervisor=domain.supervisor,
        builds=domain.builds.supervisor,
        sender=slack.sender,
        slack=slack.state,
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
            "freezes that begin": lambda: tell_freezes(domain.freezer, clock),
            "what waits to start": lambda: start_due(domain.scheduler, clock),
            "policy that is kept": lambda: keep_policy(policy, store.policies.keep, clock),
            "connection to Slack": connection.run,
            "counts left over": domain.scaler.resume,
            "age limit of sources": lambda: age_out_sources(domain.builds.sources, clock, confirmed),
            "age limit of pushes": lambda: age_out_pushes(domain.builds.pushes, clock, confirmed),
            "age limit of records": lambda: age_records(
                store.retention, lambda: policy.current, clock, confirmed
            ),
            "delays that cannot be": lambda: forget_delays(store.forget_delays, clock),
            "releases to promote": lambda: promote_built(domain.build_promoter, clock),
            "loop lag": lag.run,
            "numbers of deliveries": lambda: count_deliveries(deliveries.look, clock),
            "first pods": domain.first_pods.run,
            "builds left over": domain.builds.supervisor.run,
            "Jobs left over": lambda: remove_orphans(domain.builds.supervisor, clock),
            "first word of the cluster": lambda: await_cluster(cluster.reach, clock),
            **({"certificate": lambda: certificate.keep(clock)} if certificate is not None else {}),
        },
        sites=_sites(settings, policy, store, session, kube, slack, domain, app, lag, deliveries, clock),
        certificate=certificate,
    )


def _sites(
    settings: Settings,
    policy: PolicyFile,
    store: SqliteStore,
    session: ClientSession,
    kube: KubeClient,
    slack: SlackSide,
    domain: UseCases,
    app: AsyncApp,
    lag: LoopLag,
    deliveries: DeliveryTracker,
    clock: Clock,
) -> list[tuple[web.Application, str, int]]:
    """Return the API, and the address that Slack delivers to where it does so by HTTP."""
    limits = HttpLimits(connections=connections_of(open_files()))
    secrets = WebhookSecrets(
        github=[each.get_secret_value() for each in settings.convox_github_webhook_secrets or ()],
        gitlab=[each.get_secret_value() for each in settings.convox_gitlab_webhook_secrets or ()],
    )
    webhooks = WebhooksEndpoint(domain.builds.pushes, secrets, clock)
    api = ApiDependencies(
        handlers=domain.handlers,
        budgets=domain.budgets,
        registrar=domain.registrar,
        sources=domain.builds.sources,
        starter=domain.builds.starter,
        build_viewer=domain.builds.viewer,
        clones=domain.builds.clones,
        webhooks=webhooks,
        store=store,
        viewer=domain.viewer,
        directory=slack.directory,
        tokens=store.tokens,
        jobs=JobTokens(
            lambda: policy.current.oidc, IssuerKeys(issuer_readers(session, kube.document), clock), clock
        ),
        slack=slack.state,
        metrics=MetricsSource(
            phases=store.read.phases,
            endings=store.read.endings,
            times=store.read.rollout_times,
            builds=store.read.build_counts,
            oldest_awaiting=store.read.oldest_awaiting,
            backlog=store.outbox.backlog,
            size=store.size,
            pages=store.retention.pages,
            aged=store.retention.aged_rows,
            free=store.free_fraction,
            policy_refused=lambda: bool(policy.problem),
            slack=slack.state,
            blind=domain.blind,
            lag=lag,
            database=store.times,
            webhooks=webhooks.counts,
            deliveries=deliveries,
            events=store.outgoing.backlog,
            rack=settings.convox_rack,
            command=settings.convox_command,
            clock=clock,
        ),
        try_database=store.try_out,
        clock=clock,
    )
    sites = [(new_api(api, limits), settings.api_host, settings.api_port)]
    if secret := _value(settings.slack_signing_secret):
        endpoint = new_slack_endpoint(app, secret, replace(limits, body_seconds=SLACK_BODY_SECONDS))
        sites.append((endpoint, settings.host, settings.port))
    return sites


def _value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None

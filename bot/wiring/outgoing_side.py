"""The side of everybody else: who tells webhooks, Kubernetes and GitHub of events."""

from aiohttp import ClientSession

from bot.outgoing.cloud_events import CloudEventRenderer
from bot.outgoing.cluster_events import ClusterEventReceiver
from bot.outgoing.github import DeploymentReceiver
from bot.outgoing.sender import EventSender
from bot.outgoing.webhooks import WebhookReceiver
from bot.settings import Settings
from bot.slack.connection import SlackState
from core.clock import Clock
from core.ports.cluster import Cluster
from storage.store import SqliteStore


def new_event_sender(
    settings: Settings,
    store: SqliteStore,
    cluster: Cluster,
    slack: SlackState,
    clock: Clock,
    *,
    webhooks: ClientSession,
    github: ClientSession,
) -> EventSender:
    """Put the receivers together.

    Args:
        settings: with the rack's name, and whom webhooks may reach.
        store: the records, and what is to be told.
        cluster: where Events are written.
        slack: knows the addresses of cards.
        clock: everybody's.
        webhooks: with which webhooks are called; `new_connector` says whom it reaches.
        github: with which hosts of git are asked that an app has named; as above.
    """
    rack = settings.convox_rack
    renderer = CloudEventRenderer(store.read, rack=rack, link=slack.link)
    return EventSender(
        store.outgoing,
        {
            "webhook": WebhookReceiver(webhooks, renderer, clock, private=settings.convox_webhook_private),
            "kubernetes": ClusterEventReceiver(store.read, cluster, clock),
            "github": DeploymentReceiver(
                github,
                store.read,
                rack=rack,
                link=slack.link,
                clock=clock,
                private=settings.convox_webhook_private,
            ),
        },
        clock,
    )

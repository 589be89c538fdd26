"""What is looked at, in which order, and what a look that cannot be taken means for those behind it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from bot.admin.cluster_source import cluster_source
from bot.admin.doctor.bounded import Look, look_at_all
from bot.admin.doctor.check import HealthCheck
from bot.admin.doctor.looks.cluster import ClusterLooks
from bot.admin.doctor.looks.database import DatabaseLook, look_at_database
from bot.admin.doctor.looks.files import certificate_check, database_checks, policy_check, push_checks
from bot.admin.doctor.looks.others import job_checks, registry_checks
from bot.admin.doctor.looks.slack import SlackLooks
from bot.oidc.discovery import issuer_readers
from bot.prefixes import name_slash_command
from bot.settings import Settings
from core.clock import Clock
from core.cluster.api.client import KubeClient

# Of everything that answers over a network; each part has less. Reading the database takes as long as it is large.
ALL_SECONDS = 90.0
# `--all`: a channel takes 1.5 s, and a rack of some hundred apps ends well before.
UNHURRIED_SECONDS = 1800.0


async def examine(
    settings: Settings,
    clock: Clock,
    *,
    kubeconfig: Mapping[str, Any] | None = None,
    starting: bool = False,
    every: bool = False,
) -> list[HealthCheck]:
    """Look at everything that the bot needs, whether it runs or not; nothing is changed by it, and nothing raised.

    Args:
        settings: those of `serve`.
        clock: this machine's.
        kubeconfig: a parsed one; by default the cluster is found as every Kubernetes client does.
        starting: a bot starts with these settings: what it does by itself, and what takes long, is left out.
        every: each channel is looked at, however long Slack makes that take.
    """
    # What it says to type is typed in Slack as it is called there.
    name_slash_command(settings.convox_command)
    keys = [key.get_secret_value() for key in settings.convox_keys]
    database = await look_at_database(settings.convox_database, keys, whole=not starting)
    here = [
        Look("database", lambda: asyncio.to_thread(database_checks, settings, database, starting=starting)),
        Look("policy", lambda: asyncio.to_thread(policy_check, settings)),
        Look("builds by push", lambda: asyncio.to_thread(push_checks, settings, database)),
        Look("certificate", lambda: asyncio.to_thread(certificate_check, settings, clock)),
    ]
    unhurried = every or starting
    async with (
        aiohttp.ClientSession() as session,
        KubeClient(cluster_source(settings.kubeconfig, kubeconfig), clock=clock) as client,
    ):
        slack = SlackLooks(settings, session, clock)
        readers = issuer_readers(session, client.document)
        cluster = ClusterLooks(settings, client, clock)
        there = [
            Look("Slack", lambda: _slack(slack, database, starting=starting, unhurried=unhurried)),
            Look("cluster", lambda: cluster.all(database)),
            Look("registry", lambda: registry_checks(settings, session, clock)),
            Look("jobs of CI", lambda: job_checks(settings, readers, starting=starting)),
        ]
        seconds = UNHURRIED_SECONDS if unhurried else ALL_SECONDS
        looks = [*here, *there]
        return await look_at_all(looks, at_once=len(looks), seconds=seconds)


async def _slack(
    slack: SlackLooks, database: DatabaseLook, *, starting: bool, unhurried: bool
) -> Sequence[HealthCheck]:
    # A start needs the one call a minute (Tier 1) of the other token itself.
    tokens, identity = await slack.tokens(app_token=not starting)
    if identity is None:
        return tokens
    linked = {app: channel for app, channel in database.apps.items() if channel is not None}
    channels = slack.each_channel if unhurried else slack.some_channels
    return [*tokens, *await channels(linked, identity)]

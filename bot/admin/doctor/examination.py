"""What is looked at, in which order, and what a look that cannot be taken means for those behind it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

import aiohttp

from bot.admin.audit import AppAuditHead
from bot.admin.check import check_policy
from bot.admin.cluster_source import cluster_source
from bot.admin.doctor import judgements as judge
from bot.admin.doctor.judgements import HealthCheck
from bot.admin.doctor.probes import DatabaseLook, ask_slack, look_at_database, look_for_heads
from bot.http.certificate import CertificateError, CertificateFiles, CertificateRecord, read_certificate
from bot.oidc.discovery import issuer_readers
from bot.oidc.issuers import IssuerReader
from bot.prefixes import name_slash_command
from bot.registry import RegistryClient
from bot.settings import Settings
from core.actor import BOT
from core.clock import Clock
from core.cluster.adoption import NamespaceAdopter
from core.cluster.api.client import KubeClient
from core.cluster.builds.adapter import PLACE
from core.cluster.inspection import ClusterInspector
from core.cluster.labels import namespace_name
from core.errors import Invalid, Rejected, Unreachable
from core.policy.authorization import Policy, parse_policy
from core.policy.oidc_rules import KeySource
from core.policy.oidc_width import width
from core.policy.rules import OIDC
from core.records.claim import Claim
from core.records.registry_account import RegistryAccount, host_of
from storage.filesystem import free_fraction

# conversations.history is Tier 3, 50 a minute, of which a running bot takes its share: so many at once, then 40 a minute, and once more
# where Slack says when.
CHANNELS_AT_ONCE, CHANNEL_PAUSE, MOST_PATIENCE = 10, 1.5, 60.0


async def examine(
    settings: Settings,
    clock: Clock,
    *,
    kubeconfig: Mapping[str, Any] | None = None,
    starting: bool = False,
) -> list[HealthCheck]:
    """Look at everything that the bot needs, whether it runs or not; nothing is changed by it.

    Args:
        settings: those of `serve`.
        clock: this machine's.
        kubeconfig: a parsed one; by default the cluster is found as every Kubernetes client does.
        starting: a bot starts with these settings: what it does by itself, and what takes long, is left out.
    """
    # What it says to type is typed in Slack as it is called there.
    name_slash_command(settings.convox_command)
    keys = [key.get_secret_value() for key in settings.convox_keys]
    database = await look_at_database(settings.convox_database, keys, whole=not starting)
    found = [*_database(settings, database, starting=starting), await asyncio.to_thread(_policy, settings)]
    found += await asyncio.to_thread(_pushes, settings, database)
    found += await asyncio.to_thread(_certificate, settings, clock)
    async with aiohttp.ClientSession() as session:
        found += [each async for each in _slack(settings, session, database, clock, starting=starting)]
        async with KubeClient(cluster_source(settings.kubeconfig, kubeconfig), clock=clock) as client:
            found += [each async for each in _cluster(settings, client, database, clock)]
            found += await _jobs(settings, issuer_readers(session, client.document), starting=starting)
        found.append(await _registry(settings, session, clock))
    return found


def _database(settings: Settings, look: DatabaseLook, *, starting: bool) -> list[HealthCheck]:
    path = settings.convox_database
    folder = path.resolve().parent
    if not folder.is_dir():
        remedy = f"mkdir -p {folder}; in a pod, is the volume mounted there?"
        problem = f"there is no folder {folder} for CONVOX_DATABASE"
        return [HealthCheck(name="database", problem=problem, remedy=remedy)]
    whole = judge.judge_database(look.error, look.size)
    if look.missing:
        whole = HealthCheck(name="database", note=f"there is no {path} yet: `serve` makes it")
    return [
        whole,
        *([] if starting else [judge.judge_audit(look.chain.rows, look.chain.broken)]),
        judge.judge_keys(look.key_error, look.old_keys),
        judge.judge_receivers(look.receivers),
        judge.judge_disk(str(folder), free_fraction(folder)),
    ]


def _policy(settings: Settings) -> HealthCheck:
    path = settings.convox_policy
    problems: tuple[str, ...] = ()
    if path is not None:
        try:
            problems = check_policy(path.read_text(encoding="utf-8")).problems
        except OSError as error:
            problems = (f"{path} cannot be read: {error.strerror}: is CONVOX_POLICY right?",)
        except UnicodeDecodeError as error:
            problems = (f"{path} cannot be read: {error}",)
    return judge.judge_policy(str(path or ""), problems, open_to_all=settings.convox_open)


def _certificate(settings: Settings, clock: Clock) -> list[HealthCheck]:
    """Look at the certificate of the ports, where there is one."""
    certificate, key = settings.convox_tls_cert, settings.convox_tls_key
    if certificate is None or key is None:
        return []
    try:
        found: CertificateRecord | str = read_certificate(CertificateFiles(certificate=certificate, key=key))
    except CertificateError as error:
        found = str(error)
    return [judge.judge_certificate(str(certificate), found, clock.now())]


def _read_policy(settings: Settings) -> Policy:
    """Return the policy of the file, an empty one where it cannot be read: that is told of as such."""
    try:
        text = settings.convox_policy.read_text(encoding="utf-8") if settings.convox_policy else ""
        return parse_policy(text, open_to_all=settings.convox_open)
    except (OSError, UnicodeDecodeError, Invalid):
        return Policy()


def _pushes(settings: Settings, database: DatabaseLook) -> list[HealthCheck]:
    """Look at the rules of pushes, where there are any."""
    rules = _read_policy(settings).builds
    if not rules:
        return []
    known = None if database.missing or database.error else database.apps
    signed = settings.convox_github_webhook_secrets or settings.convox_gitlab_webhook_secrets
    return [judge.judge_pushes({rule.app for rule in rules}, known, signed=bool(signed))]


async def _slack(
    settings: Settings,
    session: aiohttp.ClientSession,
    database: DatabaseLook,
    clock: Clock,
    *,
    starting: bool,
) -> AsyncIterator[HealthCheck]:
    url, token = settings.slack_api_url, settings.slack_bot_token.get_secret_value()
    said = await ask_slack(session, url, token, "auth.test")
    yield judge.judge_slack("SLACK_BOT_TOKEN", said.error)
    # One call a minute (Tier 1), which a start needs itself.
    if settings.slack_app_token is not None and not starting and not said.error.startswith(judge.SILENCE):
        app_token = settings.slack_app_token.get_secret_value()
        opened = await ask_slack(session, url, app_token, "apps.connections.open")
        yield judge.judge_slack("SLACK_APP_TOKEN", opened.error)
    if said.at is not None:
        yield judge.judge_clock("Slack", said.at, clock.now())
    if said.error:
        return
    yield judge.judge_scopes(said.scopes)
    linked = {app: channel for app, channel in database.apps.items() if channel is not None}
    async for each in _channels(settings, session, linked, clock):
        yield each


async def _channels(
    settings: Settings, session: aiohttp.ClientSession, linked: Mapping[str, str], clock: Clock
) -> AsyncIterator[HealthCheck]:
    """Look at the channels of apps, at the pace that Slack allows."""
    url, token = settings.slack_api_url, settings.slack_bot_token.get_secret_value()
    for number, (app, channel) in enumerate(linked.items()):
        if number >= CHANNELS_AT_ONCE:
            await clock.sleep(CHANNEL_PAUSE)
        seen = await ask_slack(session, url, token, "conversations.history", channel=channel, limit="1")
        if 0 < seen.retry_after <= MOST_PATIENCE:
            await clock.sleep(seen.retry_after)
            seen = await ask_slack(session, url, token, "conversations.history", channel=channel, limit="1")
        yield judge.judge_channel(app, channel, seen.error)


async def _cluster(
    settings: Settings, client: KubeClient, database: DatabaseLook, clock: Clock
) -> AsyncIterator[HealthCheck]:
    rack = settings.convox_rack
    inspector = ClusterInspector(client, rack=rack, router=settings.router)
    try:
        theirs = await inspector.time()
        yield judge.judge_cluster("")
        yield judge.judge_clock("the API server", theirs, clock.now())
        reachable = set()
        for app in database.apps:
            missing, exists = await inspector.missing(app), await inspector.exists(app)
            yield judge.judge_rights(rack, app, missing, exists)
            if exists is not False and not missing:
                reachable.add(app)
        async for check in _anchors(settings, client, database, reachable):
            yield check
        yield judge.judge_router(settings.convox_router, await inspector.router_parts())
        if settings.convox_registry:
            missing = await inspector.missing_for_builds()
            yield judge.judge_build_rights(namespace_name(rack, PLACE), missing)
    except (Rejected, Unreachable) as error:
        yield judge.judge_cluster(str(error))


async def _jobs(
    settings: Settings, readers: Mapping[KeySource, IssuerReader], *, starting: bool
) -> list[HealthCheck]:
    """Look at the rules of tokens of CI, where there are any, and at their issuers, which a bot asks by itself."""
    policy = await asyncio.to_thread(_read_policy, settings)
    given = {who for grant in policy.grants for who in grant.who}
    found = [
        judge.judge_job_rule(rule.name, width(rule), given=policy.everything or f"{OIDC}{rule.name}" in given)
        for rule in policy.oidc
    ]
    issuers = [] if starting else sorted({(rule.issuer, rule.keys) for rule in policy.oidc})
    return found + list(
        await asyncio.gather(*(_issuer(readers[keys], issuer, keys) for issuer, keys in issuers))
    )


async def _issuer(reader: IssuerReader, issuer: str, keys: KeySource) -> HealthCheck:
    try:
        return judge.judge_issuer(issuer, keys, "", len(await reader.read(issuer)))
    except Unreachable as error:
        return judge.judge_issuer(issuer, keys, str(error), 0)


async def _anchors(
    settings: Settings, client: KubeClient, database: DatabaseLook, reachable: Collection[str]
) -> AsyncIterator[HealthCheck]:
    """Look whether each app's next promotion may write, and whether the audit is the one that the cluster remembers."""
    adopter, heads = NamespaceAdopter(client, rack=settings.convox_rack), []
    for app in database.records:
        if app.name not in reachable:
            continue
        coming = Claim(installation=database.installation, token=app.token + 1, promotion="")
        refused, anchor = await adopter.refusal(app, coming)
        owner = anchor.installation if anchor and anchor.installation != database.installation else ""
        yield judge.judge_anchor(app.name, namespace_name(settings.convox_rack, app.name), refused, owner)
        if anchor and (head := anchor.head_of(database.installation)):
            heads.append(AppAuditHead(app=app.name, head=head))
    if database.records:
        yield judge.judge_heads(heads, await look_for_heads(settings.convox_database, heads))


async def _registry(settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> HealthCheck:
    registry = settings.convox_registry or ""
    if not registry:
        return judge.judge_registry(registry, "")
    host, password = host_of(f"{registry}/app"), settings.convox_registry_password
    account = (
        None
        if password is None
        else RegistryAccount(
            app="",
            host=host,
            user=settings.convox_registry_user or "",
            secret=password.get_secret_value(),
            created_at=clock.now(),
            created_by=BOT,
        )
    )
    try:
        await RegistryClient(session).check(host, account)
    except Unreachable as error:
        return judge.judge_registry(registry, str(error))
    return judge.judge_registry(registry, "")

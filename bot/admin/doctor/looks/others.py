"""Looking at whom the bot asks over the internet beside Slack: the registry, and the issuers of tokens of CI."""

import asyncio
from collections.abc import Mapping

import aiohttp

from bot.admin.doctor.check import HealthCheck
from bot.admin.doctor.judgements.machine import judge_registry
from bot.admin.doctor.judgements.policy import judge_issuer, judge_job_rule
from bot.admin.doctor.looks.files import read_policy
from bot.oidc.issuers import IssuerReader
from bot.registry import RegistryClient, api_address
from bot.settings import Settings
from core.actor import BOT
from core.clock import Clock
from core.errors import Unreachable
from core.policy.oidc_rules import KeySource
from core.policy.oidc_width import width
from core.policy.rules import OIDC
from core.records.registry_account import RegistryAccount, host_of


async def registry_checks(
    settings: Settings, session: aiohttp.ClientSession, clock: Clock
) -> list[HealthCheck]:
    """Look at the registry that builds are pushed to."""
    registry = settings.convox_registry or ""
    if not registry:
        return [judge_registry(registry, "")]
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
        return [judge_registry(registry, str(error), api_address(host))]
    return [judge_registry(registry, "")]


async def job_checks(
    settings: Settings, readers: Mapping[KeySource, IssuerReader], *, starting: bool
) -> list[HealthCheck]:
    """Look at the rules of tokens of CI, where there are any, and at their issuers, which a bot asks by itself."""
    policy = await asyncio.to_thread(read_policy, settings)
    given = {who for grant in policy.grants for who in grant.who}
    found = [
        judge_job_rule(rule.name, width(rule), given=policy.everything or f"{OIDC}{rule.name}" in given)
        for rule in policy.oidc
    ]
    issuers = [] if starting else sorted({(rule.issuer, rule.keys) for rule in policy.oidc})
    return found + list(
        await asyncio.gather(*(_issuer(readers[keys], issuer, keys) for issuer, keys in issuers))
    )


async def _issuer(reader: IssuerReader, issuer: str, keys: KeySource) -> HealthCheck:
    try:
        return judge_issuer(issuer, keys, "", (await reader.read(issuer)).usable())
    except Unreachable as error:
        return judge_issuer(issuer, keys, str(error), 0)

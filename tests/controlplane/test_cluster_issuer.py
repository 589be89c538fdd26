"""A real API server as an issuer of OpenID Connect: the tokens that it signs for pods, and what the bot makes of them over time."""

import json
from datetime import UTC, datetime

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.oidc.discovery import CLUSTER_KEYS, CONFIGURATION, ClusterIssuer, issuer_readers
from bot.oidc.issuers import AGAIN_SECONDS, IssuerKeys
from bot.oidc.jobs import JobTokens
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_file
from core.errors import Unauthorized, Unreachable
from core.policy.authorization import parse_policy
from tests.controlplane.support import eventually
from tests.fakes import JumpingClock

# Of tests/controlplane/flags.py; no name of this machine's network.
ISSUER = "https://kubernetes.default.svc.cluster.local"
AUDIENCE = "https://convox-bot.convox-system:3001"
RULES = f"""\
oidc:
  - name: deployer
    issuer: {ISSUER}
    keys: cluster
    audience: {AUDIENCE}
    subject: "system:serviceaccount:{{namespace}}:deployer"
"""


@pytest.fixture
async def namespace(control_plane, app_namespace):
    made = await app_namespace()
    await control_plane.kubectl("create", "serviceaccount", "deployer", f"-n{made}")
    return made


@pytest.fixture
async def documents(control_plane):
    """Reads documents of the API server with the rights of deploy/ and no more."""
    async with KubeClient(
        from_file(str(control_plane.kubeconfig("convox-bot"))), clock=SystemClock()
    ) as kube:
        yield kube.document


async def token(control_plane, namespace, *more, account="deployer", audience=AUDIENCE, duration="2h"):
    words = (
        "create",
        "token",
        account,
        f"-n{namespace}",
        f"--audience={audience}",
        f"--duration={duration}",
        *more,
    )
    return (await control_plane.kubectl(*words)).strip()


async def refusal(jobs, text):
    with pytest.raises(Unauthorized) as refused:
        await jobs.check(text)
    return str(refused.value)


async def test_its_tokens_are_taken_for_their_time_and_with_its_keys_of_today(
    control_plane, namespace, documents
):
    clock = JumpingClock(datetime.now(UTC))
    rules = parse_policy(RULES.format(namespace=namespace), open_to_all=True).oidc
    async with aiohttp.ClientSession() as session:
        jobs = JobTokens(lambda: rules, IssuerKeys(issuer_readers(session, documents), clock), clock)
        short = await token(control_plane, namespace, duration="10m")
        long = await token(control_plane, namespace)
        job = await jobs.check(short)
        assert (job.actor.key, job.actor.plain) == ("oidc:deployer", f"kubernetes:{namespace}/deployer")
        assert job.jwt_id != (await jobs.check(long)).jwt_id

        clock.jump(700)
        assert await refusal(jobs, short) == "this token has expired"
        await jobs.check(long)

        await control_plane.rotate_signing_key()
        new = await token(control_plane, namespace)
        clock.jump(AGAIN_SECONDS)
        assert (await jobs.check(new)).actor.key == "oidc:deployer"
        assert await refusal(jobs, long) == "this token is signed with a key that its issuer does not name"


async def test_it_is_asked_as_the_bot_and_not_by_everybody_and_says_as_whom_it_signs(
    control_plane, documents
):
    reader = ClusterIssuer(documents)
    assert await reader.read(ISSUER)
    with pytest.raises(Unreachable, match=f"this cluster signs as the issuer {ISSUER}, not as {ISSUER}/"):
        await reader.read(f"{ISSUER}/")
    async with aiohttp.ClientSession() as session:
        for path in (CONFIGURATION, CLUSTER_KEYS):
            async with session.get(f"{control_plane.url}{path}", ssl=False) as answer:
                assert answer.status in {401, 403}
    binding = json.loads(
        await control_plane.kubectl(
            "get", "clusterrolebinding/system:service-account-issuer-discovery", "-ojson"
        )
    )
    assert [each["name"] for each in binding["subjects"]] == ["system:serviceaccounts"]


async def test_who_may_not_ask_is_told_which_path(control_plane, documents):
    name = "clusterrolebinding/system:service-account-issuer-discovery"
    kept = await control_plane.kubectl("get", name, "-ojson")

    async def why_not() -> str:
        """Return nothing while the API server has not taken note that the right is gone."""
        try:
            await ClusterIssuer(documents).read(ISSUER)
        except Unreachable as error:
            return str(error)
        return ""

    await control_plane.kubectl("delete", name)
    try:
        said = await eventually(why_not)
        assert said.startswith("this cluster does not say its keys: ")
        assert "cannot get path" in said
    finally:
        await control_plane.kubectl("create", "-f-", stdin=kept)

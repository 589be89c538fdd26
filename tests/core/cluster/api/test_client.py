"""Every answer of an API server becomes a document, a refusal that a person understands, or "not now"."""

import asyncio
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from core.cluster.api.address import Address
from core.cluster.api.client import KubeClient
from core.cluster.api.connection_pools import environment_proxy
from core.cluster.api.credentials import from_document
from core.cluster.api.refusals import ApiRejected, ApiUnreachable, read_status, refusal
from core.errors import Denied, Rejected, Unreachable
from tests.core.cluster.faultserver import Answer, FreeClock, fault_server, faulty, refused, status

WEB = Address(kind="Deployment", namespace="convox-myapp", name="web", rack="convox", app="myapp")
PODS = Address(kind="Pod", namespace="convox-myapp", rack="convox", app="myapp")


def judged(code: int, reason: str, message: str, verb: str = "patch", **details: Any) -> str:
    raw = Answer(body=status(code, reason, message, **details)).body
    return str(refusal(read_status(code, str(raw).replace("'", '"').encode()), verb, WEB))


def conflict(field: str, manager: str) -> dict[str, str]:
    return {
        "reason": "FieldManagerConflict",
        "field": field,
        "message": f'conflict with "{manager}" using apps/v1',
    }


async def applied(answer: Answer) -> dict[str, Any]:
    async with faulty() as (server, client):
        server.others = [answer]
        return await client.apply(WEB, {"kind": "Deployment"}, manager="convox-bot", force=False)


async def test_paths_are_those_of_the_api_server():
    assert WEB.path == "/apis/apps/v1/namespaces/convox-myapp/deployments/web"
    scale = Address(kind="Deployment", namespace="n", name="web", subresource="scale")
    assert scale.path == "/apis/apps/v1/namespaces/n/deployments/web/scale"
    assert Address(kind="Namespace", name="n").path == "/api/v1/namespaces/n"
    assert PODS.path == "/api/v1/namespaces/convox-myapp/pods"
    assert (
        Address(kind="Secret", namespace="a/b", name="../x").path == "/api/v1/namespaces/a%2Fb/secrets/..%2Fx"
    )


async def test_an_apply_is_strict_and_never_forced_unasked():
    async with faulty() as (server, client):
        server.others = [Answer(body={"kind": "Deployment"})]
        await client.apply(WEB, {"kind": "Deployment"}, manager="convox-bot", force=False, dry_run=True)
        assert server.calls[0][1] == {
            "fieldManager": "convox-bot",
            "force": "false",
            "fieldValidation": "Strict",
            "dryRun": "All",
        }


async def test_a_missing_right_names_verb_resource_namespace_and_what_to_apply():
    message = (
        'deployments.apps "web" is forbidden: User "system:serviceaccount:convox-system:convox-bot" cannot patch'
        ' resource "deployments" in API group "apps" in the namespace "convox-myapp"'
    )
    with pytest.raises(ApiRejected) as caught:
        await applied(refused(403, "Forbidden", message))
    assert str(caught.value) == (
        "the bot may not patch deployments in namespace convox-myapp; an administrator grants it with"
        " `convox-bot app-manifest myapp | kubectl apply -f -`"
    )
    assert caught.value.status.code == 403


async def test_a_403_that_is_no_missing_right_keeps_its_reason():
    quota = 'deployments.apps "web" is forbidden: exceeded quota: count, requested: count/deployments.apps=1'
    with pytest.raises(Rejected, match=r"^Deployment/web: exceeded quota: count, requested: .*=1 \(403\)$"):
        await applied(refused(403, "Forbidden", quota))


async def test_a_missing_namespace_says_who_makes_it():
    with pytest.raises(Rejected) as caught:
        await applied(refused(404, "NotFound", 'namespaces "convox-myapp" not found'))
    assert str(caught.value) == (
        "namespace convox-myapp does not exist; an administrator creates it with"
        " `convox-bot app-manifest myapp | kubectl apply -f -`"
    )


async def test_a_field_conflict_names_each_field_and_its_manager():
    causes = [conflict(".spec.replicas", "kubectl-scale"), conflict(".spec.paused", "argo")]
    with pytest.raises(ApiRejected) as caught:
        await applied(refused(409, "Conflict", "Apply failed with 2 conflicts", causes=causes))
    assert str(caught.value) == (
        "Deployment/web: another tool owns .spec.replicas (set by kubectl-scale), .spec.paused (set by argo);"
        " the bot does not overwrite it unasked: promote with `--overwrite`, which takes it away, or roll back,"
        " which does so too"
    )


async def test_a_lost_race_is_not_a_refusal():
    message = 'Operation cannot be fulfilled on deployments.apps "web": the object has been modified'
    with pytest.raises(ApiUnreachable) as caught:
        await applied(refused(409, "Conflict", message))
    assert caught.value.status.code == 409


@pytest.mark.parametrize("code", [302, 401, 408, 410, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_unreachable(code: int):
    with pytest.raises(Unreachable):
        await applied(Answer(status=code, body=b"<html>"))


@pytest.mark.parametrize("code", [400, 403, 404, 405, 413, 415, 422])
async def test_what_will_not_pass_is_rejected(code: int):
    with pytest.raises(Rejected):
        await applied(Answer(status=code, body=status(code, "Whatever", "no")))


@pytest.mark.parametrize("code", [400, 403, 404, 422])
async def test_a_page_of_a_gateway_is_not_the_api_servers_word(code: int):
    page = Answer(status=code, body=b"<html>default backend</html>")
    with pytest.raises(
        ApiUnreachable, match=f"what answered for Deployment/web is not the API server: .*{code}"
    ):
        await applied(page)
    async with faulty() as (server, client):
        server.others = [page]
        with pytest.raises(Unreachable):
            await client.get(WEB)


async def test_a_watch_without_an_answer_says_how_long_it_has_waited():
    async with faulty() as (server, client):
        server.watches = [Answer(end="silent")]
        with pytest.raises(Unreachable, match=r"did not answer within 0.2 s \(watch pods\)"):
            async with client.watch(PODS, {}, idle=0.2):
                pass


async def test_a_wait_that_the_server_asks_for_is_kept():
    with pytest.raises(ApiUnreachable) as by_header:
        await applied(Answer(status=429, body=b"busy", headers={"Retry-After": "3"}))
    assert by_header.value.status.retry_after == 3
    with pytest.raises(ApiUnreachable) as by_details:
        await applied(refused(503, "ServiceUnavailable", "", retryAfterSeconds=5))
    assert by_details.value.status.retry_after == 5


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b'"text"', b""])
async def test_a_success_that_is_not_kubernetes_is_unreachable(body: bytes):
    with pytest.raises(Unreachable, match="does not speak Kubernetes' JSON"):
        await applied(Answer(body=body))


async def test_what_is_not_there_is_none():
    async with faulty() as (server, client):
        server.others = [refused(404, "NotFound", 'deployments.apps "web" not found', name="web")]
        assert await client.get(WEB) is None
        assert await client.delete(WEB, {}) is False


async def test_a_path_that_the_server_does_not_know_is_not_an_object_that_is_not_there():
    """One that has just started knows few kinds yet; a baseline without objects would be removed."""
    async with faulty() as (server, client):
        server.others = [refused(404, "NotFound", "the server could not find the requested resource")]
        with pytest.raises(Denied, match="could not find the requested resource"):
            await client.get(WEB)


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (Answer(body=b"ok"), True),
        (Answer(status=500, body=b"[-]poststarthook/rbac/bootstrap-roles failed"), False),
        (refused(503, "ServiceUnavailable"), False),
        (Answer(end="abort"), False),
        (refused(403, "Forbidden"), None),
        (refused(401, "Unauthorized"), None),
        (Answer(status=403, body=b"forbidden by a proxy"), None),
    ],
)
async def test_what_the_server_says_of_itself(answer: Answer, ready: bool | None):
    async with faulty() as (server, client):
        server.others = [answer]
        assert await client.ready() is ready


async def test_a_document_that_is_no_object_is_read_by_its_path_and_a_refusal_names_the_path():
    where = "/.well-known/openid-configuration"
    async with faulty() as (server, client):
        server.others = [Answer(body={"issuer": "https://kubernetes.default.svc"})]
        assert await client.document(where) == {"issuer": "https://kubernetes.default.svc"}
        words = f'forbidden: User "bot" cannot get path "{where}"'
        server.others = [refused(403, "Forbidden", words)]
        with pytest.raises(Denied, match="cannot get path"):
            await client.document(where)


async def test_connections_ask_by_themselves_whether_the_other_side_still_lives():
    async with faulty() as (server, client), client.watch(PODS, {"resourceVersion": "1"}, idle=30):
        server.others = [Answer(body={"kind": "Deployment"})]
        await client.get(WEB)
        port = int(server.url.rpartition(":")[2])
        loop: Any = asyncio.get_running_loop()
        sockets = [transport.get_extra_info("socket") for transport in loop._transports.values()]
        ours = [s for s in sockets if s.type == socket.SOCK_STREAM and s.getpeername()[1] == port]
        assert len(ours) == 2, "one for calls, one for watches"
        assert all(s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) for s in ours)
        assert all(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10 for s in ours)


async def test_a_dropped_connection_is_unreachable():
    async with faulty() as (server, client):
        server.others = [Answer(end="abort")]
        with pytest.raises(Unreachable, match="cannot be reached"):
            await client.get(WEB)


async def test_nobody_listening_is_unreachable():
    async with fault_server() as server:
        config = server.kubeconfig()
    async with KubeClient(from_document(config), clock=FreeClock()) as client:
        with pytest.raises(Unreachable, match=r"cannot be reached: .*\(get Deployment/web\)"):
            await client.get(WEB)


async def test_a_silent_server_is_given_up_in_time():
    async with faulty() as (server, client):
        server.others = [Answer(end="hang")]
        with pytest.raises(Unreachable, match=r"did not answer within 0.05 s"):
            await client.text(WEB, {}, seconds=0.05)


async def test_open_watches_never_keep_a_call_waiting():
    async with faulty() as (server, client), AsyncExitStack() as watches:
        for _ in range(40):
            await watches.enter_async_context(client.watch(PODS, {"resourceVersion": "1"}, idle=30))
        server.others = [Answer(body={"kind": "Deployment"})]
        async with asyncio.timeout(5):
            assert await client.get(WEB) == {"kind": "Deployment"}


async def test_a_request_looks_for_no_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Who the bot is stands in its token; a netrc that knows the host would make aiohttp refuse to send both."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with faulty() as (server, client):
        server.others = [Answer(body={"kind": "Deployment"})]
        assert await client.get(WEB) == {"kind": "Deployment"}
        sessions = client._transport._sessions
        assert sessions is not None
        assert not sessions.pool(watch=False).trust_env
        assert sessions.proxy_options is sessions.proxy_options, (
            "the environment is read once, not for each request"
        )


def test_the_environments_proxy_is_used_where_it_does_not_except_the_server(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert environment_proxy("https://10.0.0.1:6443") is None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert environment_proxy("https://10.0.0.1:6443") == "http://proxy.example:3128"
    assert environment_proxy("http://10.0.0.1:8080") is None
    monkeypatch.setenv("NO_PROXY", "10.0.0.1,localhost")
    assert environment_proxy("https://10.0.0.1:6443") is None
    assert environment_proxy("https://10.0.0.2:6443") == "http://proxy.example:3128"

"""Tokens expire: they are renewed before or when they are refused, once for all who wait, and never in vain."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from core.cluster import credentials
from core.cluster.client import KubeClient
from core.cluster.credentials import (
    Credentials,
    Loaded,
    bearer,
    from_document,
    from_environment,
    from_file,
    in_cluster,
)
from core.cluster.resources import Address
from core.errors import Unreachable
from core.ports import Clock
from tests.core.cluster.faultserver import Answer, FaultServer, FreeClock, fault_server, refused

WEB = Address(kind="Deployment", namespace="ns", name="web")
OK = Answer(body={"kind": "Deployment"})
DENIED = refused(401, "Unauthorized")
SERVICE = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


class Tokens:
    """A source that gives a new token at each reading."""

    def __init__(self, server: FaultServer, *, lifetime: timedelta | None = None) -> None:
        self.read = 0
        self._server = server
        self._lifetime = lifetime

    async def __call__(self, clock: Clock) -> Loaded:
        self.read += 1
        await asyncio.sleep(0)
        loaded = await from_document(self._server.kubeconfig(f"token-{self.read}"))(clock)
        return Loaded(loaded.configuration, clock.now() + self._lifetime if self._lifetime else None)


async def test_nothing_is_read_before_the_first_call():
    async with fault_server() as server:
        tokens = Tokens(server)
        async with KubeClient(tokens, clock=FreeClock()):
            assert tokens.read == 0


async def test_a_refused_token_is_renewed_and_the_call_repeated():
    async with fault_server() as server:
        server.others = [DENIED, OK]
        async with KubeClient(Tokens(server), clock=FreeClock()) as client:
            assert await client.get(WEB) == {"kind": "Deployment"}
        assert server.tokens == ["Bearer token-1", "Bearer token-2"]


async def test_many_refused_at_once_renew_once():
    async with fault_server() as server:
        server.others = [*[DENIED] * 5, OK]
        tokens = Tokens(server)
        async with KubeClient(tokens, clock=FreeClock()) as client:
            await asyncio.gather(*(client.get(WEB) for _ in range(5)))
        assert tokens.read == 2
        assert server.tokens.count("Bearer token-2") == 5


async def test_a_token_that_stays_refused_is_unreachable_not_a_loop():
    async with fault_server() as server:
        server.others = [DENIED]
        tokens = Tokens(server)
        async with KubeClient(tokens, clock=FreeClock()) as client:
            with pytest.raises(Unreachable, match=r"\(401\)"):
                await client.get(WEB)
        assert tokens.read == 2


async def test_a_token_is_renewed_when_it_is_due():
    clock = FreeClock()
    async with fault_server() as server:
        server.others = [OK]
        async with KubeClient(Tokens(server, lifetime=timedelta(minutes=10)), clock=clock) as client:
            await client.get(WEB)
            await clock.sleep(599)
            await client.get(WEB)
            await clock.sleep(1)
            await client.get(WEB)
        assert server.tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


async def test_the_newline_of_a_token_file_is_no_part_of_the_token(tmp_path: Path):
    token, certificate = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("abc\n")
    certificate.write_text("a certificate")
    loaded = await in_cluster(SERVICE, token=str(token), certificate=str(certificate))(FreeClock())
    assert await bearer(loaded.configuration) == "Bearer abc"
    assert loaded.configuration.host == "https://10.0.0.1:443"


async def test_the_token_file_of_a_pod_is_read_again_every_minute(tmp_path: Path):
    token, certificate, clock = tmp_path / "token", tmp_path / "ca.crt", FreeClock()
    token.write_text("first")
    certificate.write_text("a certificate")
    own = Credentials(in_cluster(SERVICE, token=str(token), certificate=str(certificate)), clock=clock)
    await own.current()
    token.write_text("second")
    assert await bearer((await own.current()).configuration) == "Bearer first"
    await clock.sleep(60)
    assert await bearer((await own.current()).configuration) == "Bearer second"


async def test_an_exec_plugin_is_run_again_when_its_token_is_refused(tmp_path: Path):
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "import json, pathlib, sys\n"
        "runs = pathlib.Path(sys.argv[1]); runs.write_text(runs.read_text() + 'x')\n"
        "token = f'run-{len(runs.read_text())}'\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',"
        " 'status': {'token': token}}))\n"
    )
    runs = tmp_path / "runs"
    runs.write_text("")
    async with fault_server() as server:
        server.others = [OK, DENIED, OK]
        config = server.kubeconfig()
        config["users"][0]["user"] = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": sys.executable,
                "args": [str(plugin), str(runs)],
            }
        }
        path = tmp_path / "config"
        path.write_text(yaml.safe_dump(config))
        async with KubeClient(from_file(str(path)), clock=FreeClock()) as client:
            await client.get(WEB)
            await client.get(WEB)
        assert server.tokens == ["Bearer run-1", "Bearer run-1", "Bearer run-2"]


async def test_an_exec_token_is_renewed_a_minute_before_it_ends(tmp_path: Path):
    clock = FreeClock()
    ends = (clock.now() + timedelta(minutes=15)).isoformat()
    status = {"token": "abc", "expirationTimestamp": ends}
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    async with fault_server() as server:
        config = server.kubeconfig()
    plugin = {
        "apiVersion": credential["apiVersion"],
        "command": sys.executable,
        "args": ["-c", f"print({json.dumps(json.dumps(credential))})"],
    }
    config["users"][0]["user"] = {"exec": plugin}
    loaded = await from_document(config)(clock)
    assert loaded.renew_at == clock.now() + timedelta(minutes=14)


async def test_a_plugin_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch):
    async def hang(_: Clock) -> Loaded:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(credentials, "LOADING_SECONDS", 0.01)
    with pytest.raises(Unreachable, match="credentials were not there after"):
        await Credentials(hang, clock=FreeClock()).current()


@pytest.mark.parametrize(
    "text",
    ["", "no yaml: [", "{}", "current-context: x\ncontexts: []\n"],
    ids=["empty", "broken", "blank", "dangling"],
)
async def test_a_configuration_that_cannot_be_read_is_unreachable_and_says_so(tmp_path: Path, text: str):
    path = tmp_path / "config"
    path.write_text(text)
    async with KubeClient(from_file(str(path)), clock=FreeClock()) as client:
        with pytest.raises(Unreachable, match="the cluster's credentials cannot be loaded"):
            await client.get(WEB)


async def test_a_missing_configuration_is_unreachable(tmp_path: Path):
    own = Credentials(from_environment({"KUBECONFIG": str(tmp_path / "nothing")}), clock=FreeClock())
    with pytest.raises(Unreachable, match="cannot be loaded"):
        await own.current()


async def test_the_environment_chooses_as_every_client_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with fault_server() as server:
        explicit, home = tmp_path / "explicit", tmp_path / "home"
        (home / ".kube").mkdir(parents=True)
        explicit.write_text(yaml.safe_dump(server.kubeconfig("explicit")))
        (home / ".kube" / "config").write_text(yaml.safe_dump(server.kubeconfig("home")))
        monkeypatch.setenv("HOME", str(home))
        chosen = [
            await bearer((await from_environment(environ)(FreeClock())).configuration)
            for environ in ({"KUBECONFIG": str(explicit), **SERVICE}, dict[str, str]())
        ]
    assert chosen == ["Bearer explicit", "Bearer home"]
    # Outside of a pod there is no such file, which shows that the pod's own account was looked for.
    with pytest.raises(Unreachable, match="Service token file does not exist"):
        await Credentials(from_environment(SERVICE), clock=FreeClock()).current()

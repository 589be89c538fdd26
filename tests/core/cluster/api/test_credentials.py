"""Tokens expire: they are renewed before or when they are refused, once for all who wait, and never in vain."""

import asyncio
import json
import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_asyncio.client import Configuration

from core.clock import Clock
from core.cluster.api import credentials
from core.cluster.api.address import Address
from core.cluster.api.client import KubeClient
from core.cluster.api.connection_pools import connection_identity
from core.cluster.api.credentials import (
    Credentials,
    LoadedConfiguration,
    bearer,
    from_document,
    from_environment,
    from_file,
    in_cluster,
)
from core.errors import Unreachable
from tests.core.cluster.faultserver import Answer, FaultServer, FreeClock, fault_server, refused

WEB = Address(kind="Deployment", namespace="ns", name="web")
OK = Answer(body={"kind": "Deployment"})
DENIED = refused(401, "Unauthorized")
SERVICE = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
VERSION = "client.authentication.k8s.io/v1"
PRINTS = f"print({json.dumps(json.dumps({'apiVersion': VERSION, 'status': {'token': 'abc'}}))})"


class Tokens:
    """A source that gives a new token at each reading."""

    def __init__(self, server: FaultServer, *, lifetime: timedelta | None = None) -> None:
        self.read = 0
        self._server = server
        self._lifetime = lifetime

    async def __call__(self, clock: Clock) -> LoadedConfiguration:
        self.read += 1
        await asyncio.sleep(0)
        loaded = await from_document(self._server.kubeconfig(f"token-{self.read}"))(clock)
        return LoadedConfiguration(
            loaded.configuration, clock.now() + self._lifetime if self._lifetime else None
        )


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
    async def hang(_: Clock) -> LoadedConfiguration:
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


async def test_a_plugin_that_needs_longer_than_one_request_gets_to_its_end():
    begun = []

    async def slow(_: Clock) -> LoadedConfiguration:
        begun.append(1)
        await asyncio.sleep(0.3)
        return LoadedConfiguration(Configuration())

    own = Credentials(slow, clock=FreeClock())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await own.current()
    assert (await own.current()).renew_at is None
    assert len(begun) == 1
    await own.close()


async def test_a_missing_configuration_is_unreachable(tmp_path: Path):
    own = Credentials(from_environment({"KUBECONFIG": str(tmp_path / "nothing")}), clock=FreeClock())
    with pytest.raises(Unreachable, match=r"^there is no kubeconfig at .*/nothing$"):
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


def with_plugin(*command: str) -> dict[str, Any]:
    user = {"exec": {"apiVersion": VERSION, "command": command[0], "args": list(command[1:])}}
    return {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "x", "user": user}],
    }


def printing(text: str) -> dict[str, Any]:
    return with_plugin(sys.executable, "-c", f"print({text!r})")


async def test_a_plugin_that_nobody_waits_for_any_more_is_ended(tmp_path: Path):
    pid_file = tmp_path / "pid"
    script = f"echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 97"
    own = Credentials(from_document(with_plugin("sh", "-c", script)), clock=FreeClock())
    waiting = asyncio.create_task(own.current(), name="who waits for credentials")
    async with asyncio.timeout(20):
        while not pid_file.exists():  # noqa: ASYNC110 — another process makes it
            await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await own.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (with_plugin("sh", "-c", "echo no network >&2; exit 3"), "sh ended with code 3: no network"),
        (with_plugin("/nowhere/plugin"), "No such file or directory"),
        (printing("hunter2"), "prints is no ExecCredential"),
        (printing(json.dumps({"apiVersion": "v0", "status": {}})), f"speaks v0, not {VERSION}"),
        (printing(json.dumps({"apiVersion": VERSION, "status": {}})), "neither a token nor a certificate"),
    ],
    ids=["fails", "absent", "noise", "other version", "empty"],
)
async def test_a_plugin_that_gives_nothing_says_why_and_never_what_it_printed(
    document: dict[str, Any], says: str
):
    with pytest.raises(Unreachable, match=re.escape(says)) as caught:
        await Credentials(from_document(document), clock=FreeClock()).current()
    assert "hunter2" not in str(caught.value)


async def test_a_plugin_may_give_a_certificate():
    status = {"clientCertificateData": "a certificate", "clientKeyData": "a key"}
    document = printing(json.dumps({"apiVersion": VERSION, "status": status}))
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    loaded = await from_document(document)(FreeClock())
    files = [Path(loaded.configuration.cert_file), Path(loaded.configuration.key_file)]
    assert [await asyncio.to_thread(path.read_text) for path in files] == ["a certificate", "a key"]


class Blips:
    """A source whose first reading is good for ten minutes, to be renewed after nine; every other one fails."""

    def __init__(self) -> None:
        self.read = 0

    async def __call__(self, clock: Clock) -> LoadedConfiguration:
        self.read += 1
        await asyncio.sleep(0)
        if self.read > 1:
            raise OSError("no network")
        loaded = await from_document(with_plugin(sys.executable, "-c", PRINTS))(clock)
        minutes = timedelta(minutes=1)
        return LoadedConfiguration(
            loaded.configuration, clock.now() + 9 * minutes, clock.now() + 10 * minutes
        )


async def test_a_token_that_cannot_be_renewed_is_used_until_it_ends():
    clock = FreeClock()
    own = Credentials(Blips(), clock=clock)
    first = await own.current()
    await clock.sleep(590)
    assert await own.current() is first
    await clock.sleep(10)
    with pytest.raises(Unreachable, match="no network"):
        await own.current()


async def test_a_failed_try_stands_for_all_who_ask_in_the_next_seconds():
    clock, source = FreeClock(), Blips()
    source.read = 1
    own = Credentials(source, clock=clock)
    answers = await asyncio.gather(*(own.current() for _ in range(5)), return_exceptions=True)
    assert [type(a) for a in answers] == [Unreachable] * 5
    assert source.read == 2
    await clock.sleep(5)
    with pytest.raises(Unreachable):
        await own.current()
    assert source.read == 3


async def test_a_call_waits_for_credentials_no_longer_than_for_its_answer():
    async def hang(_: Clock) -> LoadedConfiguration:
        await asyncio.Event().wait()
        raise AssertionError

    async with KubeClient(hang, clock=FreeClock()) as client:
        with pytest.raises(Unreachable, match="did not answer within 0.05 s"):
            await client.text(WEB, {}, seconds=0.05)


def test_a_certificate_that_is_replaced_in_place_needs_new_connections(tmp_path: Path):
    configuration = Configuration()
    certificate = tmp_path / "ca.crt"
    configuration.ssl_ca_cert = str(certificate)
    missing = connection_identity(configuration)
    certificate.write_text("first")
    first = connection_identity(configuration)
    assert first == connection_identity(configuration)
    fresh = tmp_path / "fresh"
    fresh.write_text("other")
    fresh.replace(certificate)
    assert len({missing, first, connection_identity(configuration)}) == 3

"""Doctor on a real API server with the rights of deploy/: what is broken is mended by typing what it says, as it stands."""

import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
import yaml

from bot.admin.cluster_source import cluster_source
from bot.admin.doctor.check import HealthCheck
from bot.admin.doctor.examination import examine
from bot.clock import SystemClock
from bot.playground.slack.workspace import SlackWorkspace
from bot.settings import Settings, read_settings
from core.cluster.adapter import KubernetesCluster
from core.cluster.api.client import KubeClient
from core.records.anchor import AuditHead
from core.records.app import App
from core.records.claim import Claim
from storage.keys import Keyring
from storage.store import open_store
from tests.bot.admin.doctor.test_remedies import commands_of
from tests.controlplane import assets
from tests.controlplane.plane import ControlPlane
from tests.controlplane.support import eventually
from tests.docs.pages import ROOT
from tests.storage.making import ALICE

RACK = "mend"


@dataclass
class Operator:
    """Somebody with the bot's settings, this repository, and the rights of an administrator, at a shell."""

    environ: dict[str, str]
    path: str
    plane: ControlPlane

    async def doctor(self) -> dict[str, HealthCheck]:
        found = await examine(read_settings(Settings, self.environ, None), SystemClock())
        return {check.name: check for check in found}

    async def wrong(self) -> dict[str, HealthCheck]:
        return {name: check for name, check in (await self.doctor()).items() if not check.ok}

    async def finds(self, *names: str) -> dict[str, HealthCheck]:
        """Look until these and nothing else are wrong: the API server takes note of a right some time after it was written."""
        found: dict[str, HealthCheck] = {}

        async def as_expected() -> bool:
            nonlocal found
            found = await self.wrong()
            return set(found) == set(names)

        try:
            await eventually(as_expected)
        except AssertionError:
            raise AssertionError(f"{found}, where {names} should be wrong") from None
        return found

    async def type(self, line: str) -> str:
        child = await asyncio.create_subprocess_exec(
            "bash",
            "-ec",
            f"set -o pipefail; {line}",
            cwd=ROOT,
            env={"PATH": self.path, "HOME": os.environ["HOME"], **self.environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await child.communicate()
        assert child.returncode == 0, f"{line}\n{said.decode()}"
        return said.decode()


@pytest_asyncio.fixture
async def operator(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Operator]:
    binaries, programs, data = assets.find(), tmp_path / "bin", tmp_path / "data"
    assert binaries is not None, "the control plane runs from there"
    programs.mkdir()
    kubectl = programs / "kubectl"
    admin = control_plane.kubeconfig()
    # The administrator's own configuration, whatever the bot's is.
    real = shlex.join([str(binaries / "kubectl"), f"--kubeconfig={admin}"])
    kubectl.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    kubectl.chmod(0o755)
    slack = SlackWorkspace(SystemClock())
    await slack.start()
    environ = {
        "SLACK_BOT_TOKEN": slack.credentials.bot_token,
        "SLACK_APP_TOKEN": slack.credentials.app_token,
        "SLACK_API_URL": slack.api_url,
        "CONVOX_KEYS": Keyring.generate(),
        "CONVOX_DATABASE": str(data / "convox.db"),
        "CONVOX_OPEN": "1",
        "CONVOX_RACK": RACK,
        "KUBECONFIG": str(control_plane.kubeconfig("convox-bot")),
    }
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    try:
        yield Operator(environ, path, control_plane)
    finally:
        await slack.stop()
        await control_plane.install()
        for namespace in (f"{RACK}-myapp", f"{RACK}-builds", f"{RACK}-bots"):
            await control_plane.kubectl(
                "delete", "namespace", namespace, "--ignore-not-found", "--wait=false"
            )


async def without_logs(plane: ControlPlane) -> None:
    """Take a right out of the role, as of an older version."""
    role = json.loads(await plane.kubectl("get", "clusterrole", "convox-bot-app", "-o", "json"))
    role["rules"] = [rule for rule in role["rules"] if "pods/log" not in rule["resources"]]
    await plane.kubectl("replace", "-f", "-", stdin=json.dumps(role))


async def another_bot(plane: ControlPlane, folder: Path) -> str:
    """Return the kubeconfig of a bot that is installed elsewhere, under another name."""
    for line in ("create namespace mend-bots", "create serviceaccount robot -n mend-bots"):
        await plane.kubectl(*line.split())
    token = await plane.kubectl("create", "token", "robot", "-n", "mend-bots")
    config = yaml.safe_load(plane.kubeconfig("convox-bot").read_text())
    config["users"][0]["user"] = {"token": token.strip()}
    path = folder / "robot.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


async def promoted_since(operator: Operator, installation: str) -> None:
    """Leave in the cluster what a promotion leaves that a restored backup knows nothing of."""
    app = App(name="myapp", created_at=SystemClock().now(), created_by=ALICE)
    claim = Claim(installation=installation, token=7, promotion="PSINCEBACKUP")
    async with KubeClient(cluster_source(operator.environ["KUBECONFIG"]), clock=SystemClock()) as client:
        cluster = KubernetesCluster(client, rack=RACK, clock=SystemClock())
        await cluster.claim_anchor(app, claim)
        await cluster.keep_audit_head(app, claim, AuditHead(rows=900, hash="d" * 64))


async def test_what_is_broken_in_the_cluster_is_mended_by_typing_what_doctor_says(operator: Operator):
    """One bot's life: its folder, its namespaces, its role, a restored backup, another installation."""
    environ, rights = operator.environ, f"rights in {RACK}-myapp"

    async def mended(name: str, line: int = 0) -> None:
        """Type the command of a remedy; then that check is ok."""
        found = await operator.finds(name)
        command = commands_of(found[name].remedy)[line]
        if command.startswith("convox-bot adopt"):
            command += " --yes"  # Nobody sits at a terminal here to agree.
        await operator.type(command)
        await operator.finds()

    folder = Path(environ["CONVOX_DATABASE"]).parent
    assert list(await operator.wrong()) == ["database"]
    await mended("database")
    assert folder.is_dir()

    keyring = Keyring([environ["CONVOX_KEYS"]])
    async with open_store(Path(environ["CONVOX_DATABASE"]), keyring, SystemClock()) as store:
        async with store.transaction() as tx:
            await tx.add_app(App(name="myapp", created_at=tx.now, created_by=ALICE))
            await tx.audit(ALICE, "app.create", "myapp", {})
        ours = await store.read.installation()
    await mended(rights)

    environ["KUBECONFIG"] = await another_bot(operator.plane, folder)
    await mended(rights)
    environ["KUBECONFIG"] = str(operator.plane.kubeconfig("convox-bot"))
    await mended(rights)  # A RoleBinding of one bot at a time: it was the other's until now.

    await operator.plane.kubectl("delete", "rolebinding", "convox-bot", "-n", f"{RACK}-myapp")
    await mended(rights)
    await without_logs(operator.plane)
    await mended(rights)

    environ |= {"CONVOX_REGISTRY": "127.0.0.1:9/apps", "CONVOX_BUILD_ADDRESS": "http://bot:3001"}
    found = await operator.finds(f"rights in {RACK}-builds", "registry")
    await operator.type(found[f"rights in {RACK}-builds"].remedy)
    await operator.finds("registry")
    del environ["CONVOX_REGISTRY"]

    await promoted_since(operator, ours)
    found = await operator.finds(f"anchor in {RACK}-myapp", "audit against the cluster")
    assert commands_of(found["audit against the cluster"].remedy)[0] == "convox-bot adopt myapp"
    await operator.type(f"{found[f'anchor in {RACK}-myapp'].remedy} --yes")
    await operator.finds()

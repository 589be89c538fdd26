"""The Helm chart on a real API server, by real Helm: installed over plain manifests, changed, and taken away but for the database."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.plane import ControlPlane
from tests.tools.programs import needed

DEPLOY = Path(__file__).parents[2] / "deploy"
SPACE = ("-n", "convox-system")


@pytest.fixture
def program() -> Path:
    return needed("helm")


async def test_helm_takes_over_from_the_manifests_changes_a_policy_and_leaves_the_database(
    control_plane: ControlPlane, program: Path, tmp_path: Path
):
    async def helm(*words: str) -> str:
        config = f"--kubeconfig={control_plane.kubeconfig()}"
        child = await asyncio.create_subprocess_exec(
            program,
            *words,
            *SPACE,
            config,
            env={"HOME": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await child.communicate()
        assert child.returncode == 0, out.decode()
        return out.decode()

    async def template() -> dict[str, Any]:
        said = await control_plane.kubectl("get", "deployment", "convox-bot", *SPACE, "-o", "json")
        return json.loads(said)["spec"]["template"]

    chart = ("convox-bot", str(DEPLOY / "chart"), "--take-ownership")
    everything = ("--set", "selfService=true,builds.enabled=true")
    policy = tmp_path / "policy.yaml"
    policy.write_text((DEPLOY / "policy.yaml").read_text())
    try:
        said = await helm("install", *chart, *everything, f"--set-file=policy={policy}")
        assert "STATUS: deployed" in said
        assert "convox-bot app-manifest myapp" in said
        before = await template()

        policy.write_text(policy.read_text().replace("U02BOB", "U03CAROL"))
        assert "REVISION: 2" in await helm("upgrade", *chart, f"--set-file=policy={policy}")
        after = await template()
        assert after["spec"] == before["spec"]
        assert after["metadata"] != before["metadata"]
        held = await control_plane.kubectl("get", "configmap", "convox-bot-policy", *SPACE, "-o", "yaml")
        assert "U03CAROL" in held

        await helm("uninstall", "convox-bot")
        left = await control_plane.kubectl("get", "deployment,pvc,service", *SPACE, "-o", "name")
        assert left.split() == ["persistentvolumeclaim/convox-bot"]
    finally:
        # The other tests of this plane need what an administrator has applied, and this one has taken away.
        await control_plane.install()
        await control_plane.kubectl(
            "delete", "pvc", "convox-bot", *SPACE, "--ignore-not-found", "--wait=false"
        )

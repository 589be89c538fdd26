"""A job of a CI that runs in the bot's own cluster promotes with the token that the cluster signs for its pod, as examples/ci/kubernetes.yml has it."""

import json
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot.playground.kubelet.simulated import SimulatedKubelet
from tests.controlplane.fixtures import AppNamespaces
from tests.controlplane.plane import ControlPlane
from tests.serve.conftest import LOOPBACK, POLICY, Door, Serve, Settings
from tests.serve.program import Finished, ended, run

pytestmark = pytest.mark.controlplane

EXAMPLE = Path(__file__).parents[2] / "examples/ci/kubernetes.yml"
RULES = """\
oidc:
  - name: deployer
    issuer: https://kubernetes.default.svc.cluster.local
    keys: cluster
    audience: https://convox-bot.convox-system:3001
    subject: "system:serviceaccount:ci:deployer"
"""
MANIFEST = """\
services:
  web:
    image: registry.example/shop/web:v1
    scale: {count: 1, cpu: 10, memory: 16}
    termination: {grace: 1}
"""


def projected(job: dict[str, Any]) -> dict[str, Any]:
    """Return what the pod of the example asks the kubelet for."""
    volumes = {each["name"]: each for each in job["spec"]["template"]["spec"]["volumes"]}
    (source,) = volumes["convox-bot"]["projected"]["sources"]
    return source["serviceAccountToken"]


class Job:
    """The client in a pod, whose volume a kubelet keeps filled: here the test asks for the token as a kubelet does."""

    def __init__(self, folder: Path, settings: Settings, plane: ControlPlane, asked: dict[str, Any]) -> None:
        self._folder = folder
        self._plane = plane
        self._asked = asked
        self._file = folder / "token"
        self._settings = {
            "RACK_URL": f"http://{LOOPBACK}:{settings['API_PORT']}",
            "CONVOX_OIDC_TOKEN_FILE": str(self._file),
        }

    async def mount(self, *, account: str = "deployer", pod: str = "", audience: str = "") -> str:
        """Put a token where the pod has it."""
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={pod}") if pod else ()
        words = (
            f"--audience={audience or self._asked['audience']}",
            f"--duration={self._asked['expirationSeconds']}s",
        )
        self._file.write_text(await self._plane.kubectl("create", "token", account, "-nci", *words, *bound))
        return self._file.read_text()

    async def do(self, *words: str) -> Finished:
        return await run(self._folder, self._settings, "do", *words)

    async def build(self, app: str) -> str:
        (self._folder / "convox.yml").write_text(MANIFEST)
        done = await run(self._folder, self._settings, "build", "-a", app, "--id")
        assert done.status == 0, done.err
        return done.out.strip()


@pytest.fixture
def settings(settings: Settings, control_plane: ControlPlane, tmp_path: Path) -> Settings:
    (tmp_path / "policy.yml").write_text(POLICY.replace('"token:ci"', '"oidc:deployer"') + RULES)
    return settings | {"KUBECONFIG": str(control_plane.kubeconfig("convox-bot"))}


async def test_a_pod_builds_and_promotes_with_its_own_token_and_no_other_is_taken(
    settings: Settings,
    serve: Serve,
    session: aiohttp.ClientSession,
    app_namespace: AppNamespaces,
    kubelet: SimulatedKubelet,
    control_plane: ControlPlane,
    tmp_path: Path,
):
    app = (await app_namespace()).removeprefix("convox-")
    namespace, account, example = list(yaml.safe_load_all(EXAMPLE.read_text()))
    await control_plane.kubectl(
        "apply", "--validate=strict", "-f-", stdin=yaml.safe_dump_all([namespace, account])
    )
    await control_plane.kubectl("wait", "--for=create", "serviceaccount/default", "-nci", "--timeout=60s")
    try:
        await control_plane.kubectl("create", "--validate=strict", "-f-", stdin=json.dumps(example))
        await control_plane.kubectl(
            "wait", "--for=create", "pod", "-lbatch.kubernetes.io/job-name", "-nci", "--timeout=60s"
        )
        (pod,) = (await control_plane.kubectl("get", "pods", "-nci", "-oname")).split()
        await control_plane.kubectl("create", "serviceaccount", "other", "-nci")
        program = serve(settings)
        await Door(session, settings).answers("/readyz", 200, program)
        job = Job(tmp_path, settings, control_plane, projected(example))

        secret = await job.mount(pod=pod.removeprefix("pod/"))
        assert (await job.do("apps", "create", app)).status == 0
        release = await job.build(app)
        done = await job.do("releases", "promote", release, "-a", app)
        assert (done.status, done.out.splitlines()[-1]) == (0, "OK"), done
        asked = await job.do("releases", "history", "-a", app)
        assert f"kubernetes:ci/deployer ({pod.replace('pod/', 'pod ')})" in asked.out
        # One pod, one promotion of an app.
        again = await job.do("releases", "promote", release, "-a", app)
        assert (again.status, "asks once" in again.err + again.out) == (1, True), again

        await job.mount(audience="https://kubernetes.default.svc.cluster.local")
        assert "this token is for another audience than the policy asks for" in await refused(job)
        await job.mount(account="other")
        assert (
            "no rule under oidc: of the policy file takes this job, whose subject is system:serviceaccount:ci:other"
            in (await refused(job))
        )
        assert secret.strip() not in program.log.read_text()
        program.send(signal.SIGTERM)
        assert await ended(program) == 0
    finally:
        await control_plane.kubectl("delete", "namespace", "--wait=false", "ci")


async def refused(job: Job) -> str:
    done = await job.do("whoami")
    assert done.status == 1
    return done.out + done.err

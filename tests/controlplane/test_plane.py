"""The control plane starts, obeys RBAC, can be frozen, and leaves nothing behind."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.playground.kubelet.api import ApiClientError, connect
from tests.controlplane import plane as plane_module
from tests.controlplane.fixtures import refusal
from tests.controlplane.plane import ControlPlane, ControlPlaneError
from tests.controlplane.support import DEPLOYMENTS, deployment, eventually


async def test_the_bot_may_work_in_the_namespace_of_an_app_and_nowhere_else(control_plane, app_namespace):
    namespace = await app_namespace()
    async with connect(control_plane.kubeconfig("convox-bot")) as bot:
        own = await bot.call("GET", f"/api/v1/namespaces/{namespace}")
        assert own["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "convox-bot"
        for path in (
            "/api/v1/namespaces/convox-system/secrets",
            "/api/v1/namespaces/default",
            "/api/v1/nodes",
        ):
            with pytest.raises(ApiClientError, match="403 Forbidden"):
                await bot.call("GET", path)


async def test_frozen_controllers_accept_a_deployment_and_do_nothing(control_plane, app_namespace):
    namespace = await app_namespace()
    path = DEPLOYMENTS.format(namespace)
    async with connect(control_plane.kubeconfig("convox-bot")) as bot:

        async def observed():
            return (await bot.call("GET", f"{path}/web")).get("status", {}).get("observedGeneration")

        control_plane.freeze_controllers()
        try:
            await bot.call("POST", path, deployment("web", "shop/web:1"))
            await asyncio.sleep(0.5)
            assert await observed() is None
        finally:
            control_plane.thaw_controllers()
        assert await eventually(observed) == 1


async def test_a_program_that_cannot_start_is_named_with_the_end_of_its_log(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "etcd").write_text("#!/bin/sh\necho the disk is made of cheese >&2\nexit 7\n")
    (programs / "etcd").chmod(0o755)
    with pytest.raises(ControlPlaneError, match=r"(?s)etcd ended with status 7; .*made of cheese"):
        await ControlPlane(programs, tmp_path / "state").start()


async def test_a_program_that_never_answers_is_given_up_and_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(plane_module, "READY_SECONDS", 0.3)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "etcd").write_text("#!/bin/sh\necho $$; exec sleep 60\n")
    (programs / "etcd").chmod(0o755)
    with pytest.raises(ControlPlaneError, match="etcd did not answer within 0 s"):
        await ControlPlane(programs, tmp_path / "state").start()
    pid = int((tmp_path / "state" / "etcd.log").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children when their parent is killed")
def test_the_children_of_a_killed_test_run_end_with_it():
    script = """
import sys, tempfile, time
from pathlib import Path
from tests.controlplane.processes import Process
child = Process(["/bin/sleep", "60"], Path(tempfile.gettempdir()) / f"orphan.{sys.argv[1]}.log")
print(child.pid, flush=True)
time.sleep(60)
"""
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(os.getpid())], cwd=root, stdout=subprocess.PIPE, text=True
    )
    with parent:
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while state_of(pid) not in ("", "Z"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def state_of(pid):
    """Return the state letter of a process, "" if there is none; Z is dead and waits to be buried."""
    try:
        return re.search(r"\) (\w)", Path(f"/proc/{pid}/stat").read_text())[1]
    except FileNotFoundError:
        return ""


def test_without_a_control_plane_tests_are_skipped_and_fail_in_ci():
    assert refusal(True, {}) is None
    assert refusal(False, {}) is pytest.skip.Exception
    assert refusal(False, {"CI": "true"}) is pytest.fail.Exception

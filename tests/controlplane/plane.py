"""A real control plane on loopback, RBAC on: ring C of the tests runs against it."""

import asyncio
import secrets
import signal
import time
from pathlib import Path
from typing import Self

import aiohttp
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.playground.kubelet.certificate import private_pem, self_signed
from core.cluster.namespace_objects import namespace_objects
from tests.controlplane import flags
from tests.controlplane.processes import Process, free_ports

# Everything answers within 5 s on two idle cores; a machine that also compiles needs several times that.
READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
_DEPLOY = Path(__file__).parents[2] / "deploy"
_SERVICE_ACCOUNT = "system:serviceaccount:convox-system:convox-bot"
# short name: (user, groups). The bot comes as the ServiceAccount of deploy/, so that its real rights are tested.
USERS = {
    "admin": ("admin", "system:masters"),
    "convox-bot": (_SERVICE_ACCOUNT, "system:serviceaccounts,system:serviceaccounts:convox-system"),
}


class ControlPlaneError(Exception):
    """Carries the tail of the log that says why."""


class ControlPlane:
    """etcd, kube-apiserver, kube-controller-manager and kube-scheduler with a state directory of their own.

    The children are plain processes and belong to no event loop, so one plane serves tests with a loop each.
    """

    def __init__(self, binaries: Path, state: Path) -> None:
        self._binaries = binaries
        self._layout = flags.Layout(state)
        self._ports = flags.Ports(*free_ports(5))
        self._processes: dict[str, Process] = {}
        self.tokens = {user: secrets.token_hex(16) for user in USERS}
        self.started_in: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._ports.apiserver}"

    @property
    def _readyz(self) -> str:
        return f"{self.url}/readyz"

    @property
    def certificate(self) -> Path:
        """The certificate authority to trust."""
        return self._layout.certificate

    def kubeconfig(self, user: str = "admin") -> Path:
        """Return the kubeconfig of `admin`, who may everything, or of `convox-bot`, who may what `deploy/` gives."""
        return self._layout.kubeconfig(user)

    async def start(self) -> None:
        """Start everything and wait until all of it answers, or raise with the log of what did not."""
        began = time.monotonic()
        self._write_files()
        try:
            await self._launch("etcd", flags.etcd, f"http://127.0.0.1:{self._ports.etcd}/health")
            await self._launch("kube-apiserver", flags.apiserver, self._readyz)
            controllers, scheduler = (
                f"https://127.0.0.1:{port}/healthz"
                for port in (self._ports.controllers, self._ports.scheduler)
            )
            async with asyncio.TaskGroup() as both:
                both.create_task(
                    self._launch("kube-controller-manager", flags.controller_manager, controllers)
                )
                both.create_task(self._launch("kube-scheduler", flags.scheduler, scheduler))
        except BaseException:
            await self.stop()
            raise
        self.started_in["all"] = time.monotonic() - began

    async def stop(self) -> None:
        """End everything, the newest first."""
        while self._processes:
            _, process = self._processes.popitem()
            process.kill()

    def freeze_controllers(self) -> None:
        """Stop the controllers in mid-air: specs are accepted and no status follows, as under a busy manager."""
        self._processes["kube-controller-manager"].send(signal.SIGSTOP)

    def thaw_controllers(self) -> None:
        self._processes["kube-controller-manager"].send(signal.SIGCONT)

    def freeze_server(self) -> None:
        """Let the API server stand still: the kernel goes on taking connections, and nothing comes out of them."""
        self._processes["kube-apiserver"].send(signal.SIGSTOP)

    def thaw_server(self) -> None:
        self._processes["kube-apiserver"].send(signal.SIGCONT)

    async def restart_server(self) -> None:
        """Kill the API server and start it again; it answers before it is ready, and then refuses."""
        self._processes.pop("kube-apiserver").kill()
        await self._launch("kube-apiserver", flags.apiserver, self._readyz)

    async def rotate_signing_key(self) -> None:
        """Sign the tokens of ServiceAccounts with another key from now on, and take none of the one before any more."""
        self._write_signing_key()
        await self.restart_server()

    def _write_signing_key(self) -> None:
        # As kubeadm makes it.
        key = rsa.generate_private_key(65537, 2048)
        self._layout.signing_key.write_bytes(private_pem(key))

    async def kubectl(self, *words: str, user: str = "admin", stdin: str = "") -> str:
        """Run kubectl as `user` and return what it prints; raise ControlPlaneError with what it complains about."""
        command = [
            f"--kubeconfig={self.kubeconfig(user)}",
            f"--cache-dir={self._layout.state / 'discovery'}",
            *words,
        ]
        child = await asyncio.create_subprocess_exec(
            self._binaries / "kubectl",
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, complaint = await child.communicate(stdin.encode())
        if child.returncode:
            raise ControlPlaneError(complaint.decode().strip())
        return out.decode()

    def _write_files(self) -> None:
        self._layout.state.mkdir(parents=True, exist_ok=True)
        certificate, key = self_signed("kube-apiserver")
        self._layout.certificate.write_bytes(certificate)
        self._layout.key.write_bytes(key)
        self._write_signing_key()
        rows = [
            f'{self.tokens[short]},{user},{short},"{groups}"\n' for short, (user, groups) in USERS.items()
        ]
        self._layout.tokens.write_text("".join(rows))
        for user, token in self.tokens.items():
            self._layout.kubeconfig(user).write_text(flags.kubeconfig(self._layout, self._ports, token))

    async def create_app(self, rack: str, app: str) -> str:
        """Do what an administrator does for an app, wait until pods can be made there, return the namespace."""
        await self.kubectl("apply", "-f", "-", stdin=namespace_objects(rack, app))
        namespace = f"{rack}-{app}"
        # Admission rejects pods until the controller has made the namespace's own ServiceAccount. Where a scenario before
        # this one has frozen the API server, the controllers come back to it only after pauses of up to 30 s each.
        await self.kubectl(
            "wait", "--for=create", "serviceaccount/default", f"-n{namespace}", "--timeout=120s"
        )
        return namespace

    async def install(self) -> None:
        """Do what an administrator does once: the bot's namespace, ServiceAccount and ClusterRole."""
        for name in ("namespace.yaml", "rbac.yaml"):
            await self.kubectl("apply", "-f", str(_DEPLOY / name))

    async def _launch(self, name: str, arguments: flags.Arguments, health: str) -> None:
        began = time.monotonic()
        command = [str(self._binaries / name), *arguments(self._layout, self._ports)]
        process = self._processes[name] = Process(command, self._layout.log(name))
        try:
            async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
                while not await _answers(session, health):
                    if (status := process.ended()) is not None:
                        raise ControlPlaneError(f"{name} ended with status {status}; {process.tail()}")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise ControlPlaneError(
                f"{name} did not answer within {READY_SECONDS:.0f} s; {process.tail()}"
            ) from None
        self.started_in[name] = time.monotonic() - began


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, ssl=False, timeout=aiohttp.ClientTimeout(total=5)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False

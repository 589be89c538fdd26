"""Runs the pod of a build's Job as a kubelet does, without one: its volumes, its containers, their users, logs and endings.

The images are this machine's own file system with what the image of rootless BuildKit adds to that (`entry.sh`). The
network is this machine's.
"""

import asyncio
import base64
import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.ports.builds import JobLogLine

Json = Mapping[str, Any]
ENTRY = Path(__file__).with_name("entry.sh")
TERMINATION_LOG = "/dev/termination-log"
# As the Dockerfile of the image says.
IMAGE_ENV = {
    "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/home/user",
    "USER": "user",
    "XDG_RUNTIME_DIR": "/run/user/1000",
    "TMPDIR": "/home/user/.local/tmp",
}


@dataclass
class LocalPod:
    """One pod.

    Attributes:
        folder: where its volumes and file systems are.
        job: as it would be sent to the API server.
        secret: of which its volumes and variables are made.
        programs: a folder with the real BuildKit.
        lines: the log of the container that builds, so far.
        document: what the API server would tell of it.
    """

    folder: Path
    job: Json
    secret: Json
    programs: Path
    lines: list[JobLogLine] = field(default_factory=list)
    document: dict[str, Any] = field(
        default_factory=lambda: {"status": {"initContainerStatuses": [], "containerStatuses": []}}
    )

    @property
    def spec(self) -> Json:
        spec: Json = self.job["spec"]["template"]["spec"]
        return spec

    async def run(self) -> int:
        """Run its containers one after the other and return how the last one ended."""
        self._make_volumes()
        code = 0
        for where, containers in (("init", self.spec["initContainers"]), ("", self.spec["containers"])):
            for container in containers:
                code = await self._container(
                    container, f"{where}ContainerStatuses" if where else "containerStatuses"
                )
                if code:
                    return code
        return code

    def _make_volumes(self) -> None:
        group = self.spec["securityContext"]["fsGroup"]
        for volume in self.spec["volumes"]:
            folder = self.folder / "volumes" / volume["name"]
            folder.mkdir(parents=True)
            for item in volume.get("secret", {}).get("items", ()):
                (folder / item["path"]).write_bytes(base64.b64decode(self.secret["data"][item["key"]]))
            os.chown(folder, 0, group)
            folder.chmod(0o755 if "secret" in volume else 0o2777)

    async def _container(self, container: Json, statuses: str) -> int:
        folder = self.folder / container["name"]
        folder.mkdir()
        message = folder / "termination-log"
        message.touch()
        message.chmod(0o666)
        mounts = [
            (self.folder / "volumes" / each["name"], each["mountPath"]) for each in container["volumeMounts"]
        ]
        table = "".join(f"{source} {target}\n" for source, target in [*mounts, (message, TERMINATION_LOG)])
        (folder / "mounts").write_text(table, encoding="utf-8")
        status = {"name": container["name"], "state": {"running": {}}}
        self.document["status"][statuses].append(status)
        code = await self._process(folder, container)
        ended = {"exitCode": code, "message": message.read_text(encoding="utf-8")}
        status["state"] = {"terminated": ended}
        return code

    async def _process(self, folder: Path, container: Json) -> int:
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", str(ENTRY)]
        words += [str(folder), str(self.programs), str(folder / "mounts"), *self._as_its_user(container)]
        process = await asyncio.create_subprocess_exec(
            *words,
            "env",
            "-i",
            *(f"{name}={value}" for name, value in self._environment(container).items()),
            *container["command"],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                text = line.decode("utf-8", "replace").rstrip("\n")
                self.lines.append(JobLogLine(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", text))
            return await process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def _as_its_user(self, container: Json) -> list[str]:
        user, limits = self.spec["securityContext"], container["securityContext"]
        words = ["setpriv", "--reuid", str(user["runAsUser"]), "--regid", str(user["runAsGroup"])]
        words += ["--groups", str(user["fsGroup"])]
        if not limits["allowPrivilegeEscalation"]:
            words.append("--no-new-privs")
        if "ALL" in limits.get("capabilities", {}).get("drop", ()):
            words += ["--bounding-set=-all", "--inh-caps=-all"]
        return words

    def _environment(self, container: Json) -> dict[str, str]:
        found = dict(IMAGE_ENV)
        for each in container.get("env", ()):
            if "value" in each:
                found[each["name"]] = each["value"]
            else:
                key = each["valueFrom"]["secretKeyRef"]["key"]
                found[each["name"]] = base64.b64decode(self.secret["data"][key]).decode()
        return found

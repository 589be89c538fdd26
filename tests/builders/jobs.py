"""Builds that really happen: the port `BuildCluster` with the very Job and Secret that Kubernetes would be sent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.cluster.builds.adapter import KubernetesBuilds
from core.cluster.builds.job import render_job, render_secret, script_of
from core.cluster.builds.reading import job_status
from core.cluster.builds.settings import BuildSettings
from core.ports.builds import BuildJobSpec, BuildJobStatus, JobLogLine
from core.redaction import Redactor
from tests.builders.pod import LocalPod

# Real time that one look takes at most: the clock of the world jumps meanwhile.
LOOK_SECONDS = 0.2


@dataclass
class LocalJobs:
    """Jobs whose pods are processes of this machine.

    Attributes:
        settings: may be changed between two builds.
        programs: a folder with the real BuildKit.
        escalates: whether the node lets newuidmap, which is setuid, do its work.
        kept: what was written in each build, before anything is redacted.
    """

    folder: Path
    programs: Path
    settings: BuildSettings
    escalates: bool = True
    kept: dict[str, LocalPod] = field(default_factory=dict)
    _tasks: dict[str, "asyncio.Task[int]"] = field(default_factory=dict)

    def why_not(self) -> str:
        return ""

    def image(self, app: str, service: str, build: str, digest: str) -> str:
        return KubernetesBuilds.image(self._named, app, service, build, digest)

    @property
    def _named(self) -> Any:
        named: Any = object.__new__(KubernetesBuilds)
        named._settings = self.settings
        return named

    def script(self, spec: BuildJobSpec, said: Sequence[str]) -> str:
        return script_of(spec, self.settings, said)

    async def start(self, spec: BuildJobSpec) -> str:
        job = render_job(spec, self.settings, "convox-builds")
        if not self.escalates:
            limits = job["spec"]["template"]["spec"]["containers"][0]["securityContext"]
            limits["allowPrivilegeEscalation"] = False
        secret = render_secret(spec, self.settings, "convox-builds", "uid")
        pod = LocalPod(self.folder / spec.build, job, secret, self.programs)
        self.kept[spec.build] = pod
        self._tasks[spec.build] = asyncio.create_task(pod.run(), name=f"the pod of {spec.build}")
        return "uid"

    async def look(self, build: str) -> BuildJobStatus:
        task = self._tasks.get(build)
        if task is None:
            return job_status(None, [])
        await asyncio.wait({task}, timeout=LOOK_SECONDS)
        job: dict[str, Any] = {"metadata": {"uid": "uid"}, "status": {"conditions": []}}
        if task.done():
            kind = "Failed" if task.result() else "Complete"
            job["status"]["conditions"].append({"type": kind, "status": "True"})
        return job_status(job, [self.kept[build].document])

    async def log(self, build: str, since: str, redact: Redactor) -> list[JobLogLine]:
        lines = self.kept[build].lines
        return [JobLogLine(line.at, redact(line.text)) for line in lines if line.at >= since]

    async def remove(self, build: str) -> None:
        if task := self._tasks.pop(build, None):
            task.cancel()
            await asyncio.wait({task})

    async def left(self, installation: str) -> list[str]:
        return list(self._tasks)

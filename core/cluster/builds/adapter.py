"""Builds on Kubernetes: the port `BuildCluster` over one namespace of the rack that an administrator has made."""

from collections.abc import Sequence

from core.cluster.api.address import Address
from core.cluster.api.client import KubeClient
from core.cluster.api.refusals import ApiRejected
from core.cluster.builds.job import (
    BUILD_LABEL,
    CONTAINER,
    INSTALLATION_LABEL,
    job_name,
    render_job,
    render_secret,
    script_of,
)
from core.cluster.builds.reading import job_status
from core.cluster.builds.script import tag
from core.cluster.builds.settings import BuildSettings
from core.cluster.documents import Document, labels_of, name_of
from core.cluster.evidence import LOG_COLLECTED, plain_line
from core.cluster.kinds.event import EVENT
from core.cluster.kinds.job import JOB
from core.cluster.kinds.pod import POD
from core.cluster.kinds.secret import SECRET
from core.cluster.labels import namespace_name
from core.cluster.logs import aligned
from core.errors import Rejected
from core.failpoints import failpoint
from core.ports.builds import BuildJobSpec, BuildJobStatus, JobLogLine
from core.redaction import Redactor

LIST_SECONDS = 15.0
LOG_SECONDS = 15.0
# Of one answer; what is cut is read with the next one, from the last line on.
LIMIT_BYTES = 1 << 20
PLACE = "builds"
# What this asks for in its namespace; deploy/builds.yaml grants it, which a test compares.
RIGHTS = {
    "jobs": frozenset({"create", "get", "list", "delete"}),
    "secrets": frozenset({"create"}),
    "pods": frozenset({"list"}),
    "pods/log": frozenset({"get"}),
    "events": frozenset({"list"}),
}


class KubernetesBuilds:
    """Implements `core.ports.builds.BuildCluster`, which says what each method is for and what it raises."""

    def __init__(self, client: KubeClient, settings: BuildSettings, *, rack: str) -> None:
        self._client = client
        self._settings = settings
        self._namespace = namespace_name(rack, PLACE)
        self._rack = rack
        account = settings.account
        self._own = Redactor(account.secrets if account else ())

    def why_not(self) -> str:
        missing = [
            name
            for name, value in (
                ("CONVOX_REGISTRY", self._settings.registry),
                ("CONVOX_BUILD_ADDRESS", self._settings.address),
            )
            if not value
        ]
        are = "is" if len(missing) == 1 else "are"
        return f"this rack builds nothing, since {' and '.join(missing)} {are} not set" if missing else ""

    def image(self, app: str, service: str, build: str, digest: str) -> str:
        return f"{self._settings.repository(app)}:{tag(service, build)}@{digest}"

    def script(self, spec: BuildJobSpec, said: Sequence[str]) -> str:
        return script_of(spec, self._settings, said)

    async def start(self, spec: BuildJobSpec) -> str:
        job = await self._made(
            JOB.name, job_name(spec.build), render_job(spec, self._settings, self._namespace)
        )
        uid = str(job["metadata"]["uid"])
        failpoint("build.before_secret")
        # The pod waits for it. It cannot come first: only so it is the Job's, and goes with it.
        await self._create(SECRET.name, render_secret(spec, self._settings, self._namespace, uid))
        return uid

    async def look(self, build: str) -> BuildJobStatus:
        job = await self._client.get(self._at(JOB.name, job_name(build)))
        pods = await self._pods(build) if job else []
        return job_status(job, pods, await self._events(build) if job and not pods else [])

    async def log(self, build: str, since: str, redact: Redactor) -> list[JobLogLine]:
        pods = await self._pods(build)
        if not pods:
            return []
        params = {"container": CONTAINER, "timestamps": "true", "limitBytes": str(LIMIT_BYTES)}
        if since:
            params["sinceTime"] = since
        try:
            body = await self._client.text(
                self._at(POD.name, name_of(pods[0]), "log"), params, seconds=LOG_SECONDS
            )
        except ApiRejected as error:
            if error.status.code in {400, 404}:
                return []  # it waits to start, or is gone meanwhile
            raise
        return [] if body.startswith(LOG_COLLECTED) else await self._lines(body, redact)

    async def _lines(self, body: bytes, redact: Redactor) -> list[JobLogLine]:
        """Return whole lines without any value, also one that goes over several of them."""
        text = body.decode("utf-8", "replace")
        if len(body) >= LIMIT_BYTES:
            text = text[: text.rfind("\n") + 1]
        timed = [line.partition(" ")[::2] for line in text.split("\n") if line]
        if not timed:
            return []
        said = [each for _, each in timed]
        masked = self._own(await redact.long("\n".join(said), torn=True)).split("\n")
        times = aligned([at for at, _ in timed], said, masked)
        return [JobLogLine(at, plain_line(each)) for at, each in zip(times, masked, strict=True)]

    async def remove(self, build: str) -> None:
        await self._client.delete(
            self._at(JOB.name, job_name(build)), {"propagationPolicy": "Foreground", "gracePeriodSeconds": 0}
        )

    async def left(self, installation: str) -> list[str]:
        jobs, _ = await self._client.list(
            self._at(JOB.name), label_selector=f"{INSTALLATION_LABEL}={installation}", seconds=LIST_SECONDS
        )
        return [str(labels_of(job).get(BUILD_LABEL, "")) for job in jobs]

    async def _pods(self, build: str) -> Sequence[Document]:
        found, _ = await self._client.list(
            self._at(POD.name), label_selector=f"{BUILD_LABEL}={build}", seconds=LIST_SECONDS
        )
        return found

    async def _events(self, build: str) -> Sequence[Document]:
        """Return what is told of a Job, oldest first; nothing where the bot may not read it, as before it was to."""
        about = f"involvedObject.kind={JOB.name},involvedObject.name={job_name(build)}"
        try:
            found, _ = await self._client.list(
                self._at(EVENT.name), field_selector=about, seconds=LIST_SECONDS
            )
        except ApiRejected as error:
            if error.status.code == 403:
                return []
            raise
        return sorted(found, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""))

    async def _made(self, kind: str, name: str, body: Document) -> Document:
        if (made := await self._create(kind, body)) is not None:
            return made
        found = await self._client.get(self._at(kind, name))
        if found is None or labels_of(found) != body["metadata"]["labels"]:
            raise Rejected(
                f"{kind}/{name} of the namespace {self._namespace} is not the bot's own: delete it"
            )
        return found

    async def _create(self, kind: str, body: Document) -> Document | None:
        """Create an object; return None where it is there already."""
        try:
            return await self._client.create(self._at(kind), body)
        except ApiRejected as error:
            if error.status.reason == "AlreadyExists":
                return None
            if error.status.code in {403, 404}:
                hint = "an administrator applies deploy/builds.yaml"
                raise Rejected(f"nothing can be built in {self._namespace} ({error}): {hint}") from error
            raise

    def _at(self, kind: str, name: str = "", subresource: str = "") -> Address:
        return Address(
            kind=kind,
            namespace=self._namespace,
            name=name,
            subresource=subresource,
            rack=self._rack,
            app=PLACE,
        )

"""The cluster as a build needs it: a Job that is started once, looked at, and removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core.manifest.image_builds import ImageBuild
from core.records.git_account import GitAccount
from core.records.registry_account import RegistryAccount
from core.redaction import Redactor

BuildJobPhase = Literal["gone", "waiting", "running", "succeeded", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GitClone:
    """What a Job is to clone, before anybody knows what it builds.

    Attributes:
        url: without credentials.
        ref: a branch or a tag, "" for the one that the repository shows first.
        commit: the very one, "" for the newest of `ref`.
        manifest_path: where convox.yml lies.
        account: of the app at the host, if it has one.
    """

    url: str
    ref: str = ""
    commit: str = ""
    manifest_path: str = "convox.yml"
    account: GitAccount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJobSpec:
    """What a Job is to build.

    Attributes:
        installation: whose Job it is, so that two bots on one cluster remove nothing of each other.
        images: in the order in which they are built; none where a clone is still to tell.
        token: with which the source is fetched from the bot, or what was cloned is told.
        git: what is cloned, None where the source was uploaded.
        secrets: name → value, for BuildKit secrets; in no `repr`.
        logins: of the app at registries, for the images that its Dockerfiles begin with.
    """

    build: str
    app: str
    installation: str
    images: tuple[ImageBuild, ...]
    token: str = field(repr=False)
    no_cache: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    logins: Sequence[RegistryAccount] = ()
    git: GitClone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJobStatus:
    """How a Job is at one look.

    Attributes:
        job: its uid, "" where it is gone.
        reason: what it waits for, or why it failed, as far as the cluster tells.
        hindered: what it waits for is not what each build waits for at first; only somebody else can change it.
        lasting: what is said of it, as of what hinders it, once it has been so for a while; "" where that means nothing.
        digests: of its images, in the order of the spec, where it succeeded.
    """

    phase: BuildJobPhase
    job: str = ""
    reason: str = ""
    hindered: bool = False
    lasting: str = ""
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobLogLine:
    """A line of a log: when it was written, as the cluster writes that, and its text without any value."""

    at: str
    text: str


class BuildRunner(Protocol):
    """Takes builds to their end."""

    def look(self, app: str) -> None:
        """Do what is to be done of an app's builds: one was asked for, or one was cancelled."""
        ...


class BuildCluster(Protocol):
    """Where builds are made.

    Every method raises Unreachable where the cluster could not be asked, and Rejected where it refuses for good.
    """

    def why_not(self) -> str:
        """Return what a person has to set before anything can be built, "" where nothing is missing."""
        ...

    def image(self, app: str, service: str, build: str, digest: str) -> str:
        """Return the reference, by digest, of an image that a Job has pushed."""
        ...

    def script(self, spec: BuildJobSpec, said: Sequence[str]) -> str:
        """Return what the pod of a build runs once it has cloned; `said`: the first lines of its log."""
        ...

    async def start(self, spec: BuildJobSpec) -> str:
        """Make the Job and what it needs, where they are not there yet; return the Job's uid."""
        ...

    async def look(self, build: str) -> BuildJobStatus:
        """Return how the Job of a build is."""
        ...

    async def log(self, build: str, since: str, redact: Redactor) -> list[JobLogLine]:
        """Return the lines written at or after a moment, "" for all, as many as one answer holds; in their order."""
        ...

    async def remove(self, build: str) -> None:
        """Remove the Job with everything that belongs to it; one that is gone is fine."""
        ...

    async def left(self, installation: str) -> list[str]:
        """Return the builds of which this installation has a Job in the cluster."""
        ...

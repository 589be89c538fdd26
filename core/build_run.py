"""A build that the cluster makes: from a source to images, and the only table of what may follow what.

Its own small table beside the promotion's, since the two have no phase in common: a build touches nothing that runs. As
there, nothing here knows a clock, a database or a cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from core.actor import Actor
from core.errors import Conflict
from core.records.build import BuildEntry, BuildStatus
from core.records.push import PromoteAfter
from core.sentence import EMPTY_SENTENCE, Sentence


class BuildEvent(StrEnum):
    """What can happen to a build."""

    STARTED = "started"  # its turn has come: from here on it may touch the cluster
    COMPLETED = "completed"  # its images are pushed, and its release is made
    FAILED = "failed"
    CANCELLED = "cancelled"  # by a person, or by a newer one that was to be built alone


TRANSITIONS: Mapping[tuple[BuildStatus, BuildEvent], BuildStatus] = {
    (BuildStatus.CREATED, BuildEvent.STARTED): BuildStatus.RUNNING,
    (BuildStatus.CREATED, BuildEvent.FAILED): BuildStatus.FAILED,
    (BuildStatus.CREATED, BuildEvent.CANCELLED): BuildStatus.CANCELLED,
    (BuildStatus.RUNNING, BuildEvent.COMPLETED): BuildStatus.COMPLETE,
    (BuildStatus.RUNNING, BuildEvent.FAILED): BuildStatus.FAILED,
    (BuildStatus.RUNNING, BuildEvent.CANCELLED): BuildStatus.CANCELLED,
}
ENDED = frozenset({BuildStatus.COMPLETE, BuildStatus.FAILED, BuildStatus.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What somebody asked to have built; it never changes.

    Attributes:
        manifest: the text of convox.yml; of a git repository "" until its clone has told it.
        manifest_path: where that lies in the source: there the clone looks for it; of what was uploaded, for display.
        source: the id of what was uploaded, "" for a git repository.
        git_url: what is cloned, without credentials; "" for what was uploaded.
        git_ref: its branch or tag, "" for the one that it shows first, or where only the commit was named.
        author: who wrote the commit, "" until the clone has told it.
        committed_at: when, as git writes it (ISO 8601); "" until then.
        build_args: name → value, given to every image.
        copy_images: what `image:` names is copied into the registry of the rack.
        images: service → image that exists already, for services that are not to be built.
        promote: whoever asked promotes its release next, so no channel is told of the build alone.
        promote_after: what the bot does with its release of its own accord, in the name of whoever asked.
        pushed_to: of a push, its branch or tag as git has it (`refs/heads/main`); "" for any other.
        compare: a page that shows what the push brought, or "".
        description, message, git_sha, repository: as of a `Build`; a `git_sha` that is known before the clone is what is cloned.
    """

    manifest: str = ""
    manifest_path: str = "convox.yml"
    source: str = ""
    git_url: str = ""
    git_ref: str = ""
    author: str = ""
    committed_at: str = ""
    build_args: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    no_cache: bool = False
    copy_images: bool = False
    images: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    description: str = ""
    message: str = ""
    git_sha: str = ""
    repository: str = ""
    promote: bool = False
    promote_after: PromoteAfter = "never"
    pushed_to: str = ""
    compare: str = ""

    @property
    def title(self) -> str:
        """What lists call it: its description, or until its commit is known what is cloned."""
        what = f"{self.git_url.partition('://')[2]} {self.git_ref or self.git_sha[:10]}"
        return self.description or what.strip()

    @property
    def awaits_clone(self) -> bool:
        """Nobody knows yet what is built: only the clone of its repository tells."""
        return bool(self.git_url) and not self.manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRun:
    """A build on its way from a source to a release.

    Attributes:
        base: the release whose variables it is built with, since it began; "" where the app had none, None before it begins.
        job: uid of the Job that builds it, once that is known to be there.
        release: what it made, "" unless it is complete.
        reason: why it failed or was cancelled.
        log_since: time of the last line of the log that is stored, as the cluster writes it; "" before the first.
        log_seen: digests of the lines with that very time that are stored: where reading goes on after a restart.
        waits: what keeps its pod from starting, "" while nothing does.
        cleared: nothing of it is left in the cluster, and its source is gone.
    """

    id: str
    app: str
    request: BuildRequest
    status: BuildStatus = BuildStatus.CREATED
    created_at: datetime
    created_by: Actor
    started_at: datetime | None = None
    ended_at: datetime | None = None
    base: str | None = None
    job: str = ""
    release: str = ""
    reason: Sentence = EMPTY_SENTENCE
    log_since: str = ""
    log_seen: tuple[str, ...] = ()
    waits: str = ""
    cleared: bool = False

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def started(self, at: datetime, base: str = "") -> "BuildRun":
        """Return the build whose turn has come; `base`: see above."""
        return replace(self, status=self._after(BuildEvent.STARTED), started_at=at, base=base)

    def completed(self, release: str, at: datetime) -> "BuildRun":
        """Return the build that has made a release."""
        return replace(self, status=self._after(BuildEvent.COMPLETED), release=release, ended_at=at, waits="")

    def failed(self, reason: Sentence, at: datetime) -> "BuildRun":
        return replace(self, status=self._after(BuildEvent.FAILED), reason=reason, ended_at=at, waits="")

    def cancelled(self, reason: Sentence, at: datetime) -> "BuildRun":
        """Return the build that was stopped; raise Conflict(`build B… has already ended: …`) where it has ended."""
        return replace(self, status=self._after(BuildEvent.CANCELLED), reason=reason, ended_at=at, waits="")

    def cloned(self, request: BuildRequest) -> "BuildRun":
        """Return the build whose repository has told what is built; raise Conflict where it builds nothing any more."""
        if self.status is not BuildStatus.RUNNING:
            raise Conflict(f"build {self.id} is {self.status}, so nothing is cloned for it")
        return replace(self, request=request)

    def entry(self) -> BuildEntry:
        """Return it as lists show builds."""
        return BuildEntry(
            id=self.id,
            app=self.app,
            images=self.request.images,
            description=self.request.title,
            git_sha=self.request.git_sha,
            repository=self.request.repository,
            status=self.status,
            release=self.release,
            started_at=self.started_at or self.created_at,
            ended_at=self.ended_at,
            created_by=self.created_by,
        )

    def _after(self, event: BuildEvent) -> BuildStatus:
        """Return what follows; raise Conflict where nothing does."""
        following = TRANSITIONS.get((self.status, event))
        if following is None:
            if self.ended:
                raise Conflict(f"build {self.id} has already ended: {self.status}")
            raise Conflict(f"build {self.id} is {self.status}, so it cannot be {event}")
        return following

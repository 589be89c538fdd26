"""The records, as the core reads and writes them: one consistent state, or one transaction."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from core.actor import Actor, JwtId
from core.policy.retention import AgingRecords
from core.ports.build_runs import BuildRunReader, BuildRunWriter
from core.ports.notices import Announcement, NoticeKind
from core.ports.outbox import Card
from core.promotion import Phase, Promotion, PromotionEntry
from core.records.anchor import AuditHead
from core.records.app import App
from core.records.approval import Approval
from core.records.build import Build, BuildEntry
from core.records.bundle import Bundle, Ref
from core.records.freeze import Freeze
from core.records.git_account import GitAccount
from core.records.intent import Intent
from core.records.line import Line
from core.records.live_entry import LiveEntry
from core.records.milestone import Milestone
from core.records.pod_sample import PodSample
from core.records.progress import Progress
from core.records.registry_account import RegistryAccount
from core.records.release import Release, ReleaseEntry, ReleaseStatus
from core.records.reminder import Reminder
from core.records.scale_job import ScaleJob
from core.records.step import PruneJob, Step
from core.records.workload_count import WorkloadCount
from core.sentence import Sentence


class StoreReader(BuildRunReader, Protocol):
    """Read records; every method sees one consistent state of the database.

    None returns everything that grows with history, or has to look at it: what is asked of all releases is kept in plain columns.
    """

    async def app(self, name: str) -> App:
        """Return the app, or raise NotFound(`app not found: NAME`)."""
        ...

    async def any_app(self, name: str) -> App:
        """Return the app, also one that was deleted, for what is still said and done of it; else as `app`."""
        ...

    async def apps(self) -> list[App]:
        """Return every app that was not deleted, by name."""
        ...

    async def app_of_channel(self, channel: str) -> App | None: ...

    async def build(self, app: str, build_id: str) -> Build:
        """Return the build, or raise NotFound(`no such build: ID`)."""
        ...

    async def build_entry(self, app: str, build_id: str) -> BuildEntry:
        """Return the build, or raise NotFound as `build` does."""
        ...

    async def builds(self, app: str, limit: int) -> list[BuildEntry]:
        """Return the newest builds first."""
        ...

    async def freezes(self) -> list[Freeze]:
        """Return the freezes that people have called, also those that are over by themselves; one an app, and one of all."""
        ...

    async def git_accounts(self, app: str) -> list[GitAccount]:
        """Return the accounts of the app at hosts of git, by host."""
        ...

    async def registry_logins(self, app: str) -> list[RegistryAccount]:
        """Return the logins of the app at registries, by host."""
        ...

    async def known_images(self, app: str, images: Collection[str]) -> frozenset[str]:
        """Return those of the images, each without a digest, that a build of the app has had."""
        ...

    async def release(self, app: str, release_id: str) -> Release:
        """Return the release, or raise NotFound(`no such release: ID`)."""
        ...

    async def releases(self, app: str, limit: int) -> list[Release]:
        """Return releases by sequence, newest first, each with its environment."""
        ...

    async def releases_made(self, releases: Sequence[str]) -> dict[str, datetime]:
        """Return for each of these releases that has a build when its commit was made, or where that is not known the build."""
        ...

    async def release_entry(self, app: str, release_id: str) -> ReleaseEntry:
        """Return the release, or raise NotFound as `release` does."""
        ...

    async def release_entries(
        self, app: str, limit: int, *, below: int | None = None, above: int | None = None
    ) -> list[ReleaseEntry]:
        """Return releases by sequence, newest first, of those below and above a sequence if one is given."""
        ...

    async def held_entries(self, app: str, limit: int) -> list[ReleaseEntry]:
        """Return releases on hold, newest first: of the newest `limit` that failed themselves, with the others of their builds."""
        ...

    async def release_status(self, release_id: str) -> ReleaseStatus:
        """Return what has happened to a release; an empty status where nothing has."""
        ...

    async def why_build_held(self, build: str) -> Sentence:
        """Return why the newest release of the build that is on hold is so; nothing where none is."""
        ...

    async def ways_back(self, app: str, limit: int) -> list[str]:
        """Return the newest releases that were verified and are neither withdrawn nor on hold."""
        ...

    async def bundle(self, release_id: str) -> Bundle | None: ...

    async def has_bundle(self, release_id: str) -> bool: ...

    async def bundle_refs(self, app: str, kinds: Collection[str]) -> frozenset[Ref]:
        """Return every object of these kinds that a stored bundle of the app has ever had."""
        ...

    async def promotion(self, promotion_id: str) -> Promotion:
        """Return the promotion, or raise NotFound(`no such promotion: ID`)."""
        ...

    async def phase_and_token(self, promotion_id: str) -> tuple[Phase, int]:
        """Return what says whether somebody has moved a promotion on, for whoever asks every second; else as `promotion`."""
        ...

    async def promotions(self, app: str, limit: int) -> list[Promotion]:
        """Return the newest promotions first."""
        ...

    async def ended_since(self, app: str, since: datetime, limit: int) -> list[PromotionEntry]:
        """Return the last promotions that have touched the cluster and ended since a moment, the oldest of them first."""
        ...

    async def live_before(self, app: str, promotion_id: str) -> Promotion | None:
        """Return the newest promotion before that one which said what is active, by ending Running or Reverted."""
        ...

    async def live_entries(
        self, app: str, at: datetime, limit: int, *, later: bool = False
    ) -> list[LiveEntry]:
        """Return ends of promotions that said what is active, until a moment and newest first; `later`, after it and oldest first."""
        ...

    async def stopped_by(self, release_id: str) -> frozenset[str]:
        """Return the releases that were rolling out when the promotion of this one took their place."""
        ...

    async def in_flight(self, app: str) -> Promotion | None:
        """Return the one promotion of the app that may touch the cluster, if any."""
        ...

    async def awaiting(self, app: str) -> list[Promotion]:
        """Return the promotions of the app that wait before they start, for approval or for something else, oldest first."""
        ...

    async def all_awaiting(self) -> list[Promotion]:
        """Return the promotions that wait before they start, app by app."""
        ...

    async def unsettled(self) -> list[Promotion]:
        """Return every promotion that has not ended, oldest first: the work of a restart."""
        ...

    async def intent(self, promotion_id: str) -> Intent | None: ...

    async def steps(self, promotion_id: str) -> list[Step]:
        """Return the newest state of every step, in the order in which they were first sent."""
        ...

    async def workload_counts(self, app: str) -> Mapping[Ref, WorkloadCount]:
        """Return what is recorded of the count of each workload that the app has or had."""
        ...

    async def approvals(self, promotion_id: str) -> list[Approval]:
        """Return decisions in the order in which they were made."""
        ...

    async def lines(self, subject: str, after: int = 0, limit: int = 500) -> list[tuple[int, Line]]:
        """Return (number, line) with number > after; numbers begin at 1 and have no gaps."""
        ...

    async def evidence(self, promotion_id: str) -> Line | None:
        """Return the block of log lines that proves why it failed, None where there is none."""
        ...

    async def promotion_aged(self, promotion_id: str, records: AgingRecords) -> bool:
        """Return whether such records of a promotion are not kept any more."""
        ...

    async def samples(self, promotion_id: str) -> list[PodSample]:
        """Return how many pods there were over time, oldest first; rows are few, however long it took."""
        ...

    async def succeeded(self, app: str, *, limit: int, but: str = "") -> list[tuple[datetime, datetime]]:
        """Return when the last promotions of the app began and ended that ended Running, newest first, without this one."""
        ...

    async def card(self, subject: str) -> Card | None: ...

    async def digest_cards(self, digest: int) -> list[Card]:
        """Return the cards that a digest stands for, oldest first."""
        ...

    async def promotion_of_card(self, channel: str, ts: str) -> str | None:
        """Return the promotion whose card a message is, if it is one."""
        ...

    async def build_of_card(self, channel: str, ts: str) -> str | None:
        """Return the build whose card a message is, if it is one."""
        ...

    async def notice_place(self, notice: int) -> tuple[str, str | None] | None:
        """Return the channel and the ts of a notice, or None; no ts while it is not known to be posted."""
        ...

    async def announcement(self, notice: int) -> Announcement | None:
        """Return the build that a notice announces, if it is such."""
        ...

    async def announced(self, channel: str, ts: str) -> Announcement | None:
        """Return the build that a message announces, if it is such."""
        ...

    async def reminder(self, promotion_id: str) -> Reminder | None:
        """Return when those who can approve a promotion are reminded, if they are or were."""
        ...

    async def reminders_due(self, now: datetime) -> list[str]:
        """Return the promotions of which somebody is to be reminded by now."""
        ...

    async def scale_jobs(self) -> list[ScaleJob]:
        """Return the counts that were asked for and have no outcome yet, in order."""
        ...

    async def prune_jobs(self, app: str) -> list[PruneJob]:
        """Return what is still to be removed of an app, oldest promotion first."""
        ...

    async def apps_to_prune(self) -> list[str]:
        """Return the apps of which something is still to be removed."""
        ...

    async def last_touched_phase(self, app: str, before: str) -> Phase | None:
        """Return the phase of the last promotion of the app, other than `before`, in TOUCHED_ENDINGS."""
        ...

    async def last_touched(self, app: str) -> Promotion | None:
        """Return the newest promotion of the app that has begun to write, if any: the one that claimed its anchor last."""
        ...

    async def unproved(self) -> list[Promotion]:
        """Return the last touched promotion of each app that ended with nothing running and that nobody has judged since.

        Its release was neither verified nor put on hold.
        """
        ...

    async def keyed_digest(self, *parts: str) -> str:
        """Return an HMAC of the parts under the installation's stored key, for showing (engine rule 18)."""
        ...

    async def installation(self) -> str:
        """Return this database's own random id, written into every anchor (engine rule 14)."""
        ...

    async def audit_head(self) -> AuditHead | None:
        """Return how far the audit is, None where it has no row yet."""
        ...

    async def audit_has(self, head: AuditHead) -> bool:
        """Return whether the audit was there once: its row of that number closes with that hash."""
        ...


class Transaction(StoreReader, BuildRunWriter, Protocol):
    """Write records: one transaction of the database, committed when its block ends without an error.

    Attributes:
        now: the one moment of everything that the transaction writes.
    """

    now: datetime

    async def add_app(self, app: App) -> None:
        """Make it, or make one anew that was deleted; raise Conflict(`app already exists: NAME`) where it does."""
        ...

    async def save_app(self, app: App) -> None: ...

    async def lock_app(self, name: str, *, locked: bool) -> None: ...

    async def delete_app(self, name: str) -> None:
        """Take the app out of all lists, with nothing active, and no release of it an automatic target any more; its records stay."""
        ...

    async def link(self, app: str, channel: str | None) -> None:
        """Link the channel to the app and to no other; None unlinks."""
        ...

    async def add_build(self, build: Build) -> None:
        """Raise Taken where the id is; whoever made it up takes another."""
        ...

    async def save_freeze(self, freeze: Freeze) -> None:
        """Keep a freeze, in place of the one that the app had."""
        ...

    async def remove_freeze(self, app: str) -> bool:
        """Forget a freeze; return False where there was none."""
        ...

    async def save_git_account(self, account: GitAccount) -> None:
        """Keep an account, in place of the one that the app had at that host."""
        ...

    async def remove_git_account(self, app: str, host: str) -> bool:
        """Return whether there was one to be forgotten."""
        ...

    async def save_registry_login(self, login: RegistryAccount) -> None:
        """Keep a login, in place of the one that the app had at that registry."""
        ...

    async def remove_registry_login(self, app: str, host: str) -> bool:
        """Forget a login; return False where there was none."""
        ...

    async def add_release(self, release: Release) -> None:
        """Raise Taken where the id is; whoever made it up takes another."""
        ...

    async def next_sequence(self, app: str) -> int:
        """Return the next release number of the app."""
        ...

    async def save_release_status(self, status: ReleaseStatus) -> None: ...

    async def save_bundle(self, bundle: Bundle, sealed: bytes | None = None) -> None:
        """Store the bundle of a release once: the same one again is fine, another one raises Conflict.

        Args:
            bundle: the objects.
            sealed: what `Store.seal_bundle` made of it, so that no transaction takes the time that this takes.
        """
        ...

    async def use_jwt_id(self, app: str, jwt_id: JwtId) -> bool:
        """Note that a job's token has asked for a promotion of an app; False where it had before."""
        ...

    async def add_promotion(self, promotion: Promotion) -> None:
        """Raise Conflict where the app already has one in flight (unique index, engine rule 1), Taken where the id is."""
        ...

    async def save_promotion(self, promotion: Promotion, *, was: Phase) -> None:
        """Store the promotion; raise Conflict where it is no longer in phase `was`."""
        ...

    async def add_milestones(self, reached: Mapping[Milestone, float]) -> None:
        """Count what a rollout has reached, with the seconds since it started, for graphs."""
        ...

    async def save_progress(
        self, promotion_id: str, progress: Progress, *, was: Phase, revision: int
    ) -> None:
        """Store what was watched, without moving the phase; silently nothing where the phase has moved on."""
        ...

    async def save_intent(self, promotion_id: str, intent: Intent) -> None:
        """Store the intent once; a second time raises Conflict."""
        ...

    async def save_step(self, step: Step) -> None:
        """Insert the step, or move it on to its new state; key: promotion, stage, ref, action."""
        ...

    async def save_workload_count(self, counted: WorkloadCount) -> None:
        """Keep how many pods a workload was to have and has, in place of what was recorded of it before."""
        ...

    async def forget_replicas(self, app: str, ref: Ref) -> None:
        """Note that a workload was taken away: should it come back, nobody asks how many pods it had."""
        ...

    async def add_approval(self, approval: Approval) -> None:
        """Raise Conflict where the same person has already decided."""
        ...

    async def add_lines(self, subject: str, lines: Sequence[Line]) -> int:
        """Append the lines whose key is new; return how many were."""
        ...

    async def add_samples(self, promotion_id: str, samples: Sequence[PodSample]) -> None:
        """Keep how many pods there were; beyond a number of rows for a promotion nothing is added."""
        ...

    async def add_picture(self, promotion_id: str) -> None:
        """Write the outbox row of the picture of how it went; one for a promotion."""
        ...

    async def add_card(self, subject: str, channel: str) -> None:
        """Write the outbox row of the card of a promotion or a build, its first."""
        ...

    async def add_terminal(self, subject: str) -> None:
        """Write the outbox row of the terminal message; unique for a thread (engine rule 40)."""
        ...

    async def add_notice(
        self,
        channel: str,
        said: Sentence,
        *,
        kind: NoticeKind = "notice",
        promotion: str | None = None,
        release: Release | None = None,
        whom: Sequence[str] = (),
    ) -> bool:
        """Write the outbox row of a message beside cards and threads; False where that build, or a reminder that waits, has one.

        Args:
            channel: where it is posted.
            said: the words.
            kind: what it is for.
            promotion: what it is about, if it waits for an approval.
            release: what it announces.
            whom: who is called by it, as the policy names them.
        """
        ...

    async def schedule_reminder(self, promotion_id: str, due_at: datetime) -> None:
        """Remind those who can approve it then, and no longer at another time."""
        ...

    async def reminded(self, promotion_id: str, told_at: datetime | None) -> None:
        """Nothing more is due; `told_at` is when somebody was reminded, None where nobody was."""
        ...

    async def add_scale_job(self, job: ScaleJob) -> ScaleJob:
        """Keep a count that is about to be set; return the job with its id."""
        ...

    async def finish_scale_job(self, job_id: int) -> None: ...

    async def add_prune_job(self, job: PruneJob) -> None: ...

    async def finish_prune_job(self, promotion_id: str) -> None: ...

    async def audit(self, actor: Actor, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Append a row to the hash chain; `detail` holds ids and key names, never values of an environment."""
        ...


class Store(Protocol):
    """The records."""

    def transaction(self, *, delivery: int | None = None) -> AbstractAsyncContextManager[Transaction]:
        """Begin to write; other writers wait. A transaction contains SQL and nothing else.

        Args:
            delivery: whose request this carries out, if it came by one: where something is changed, the same
                transaction marks that delivery as done, so that a restart does not carry it out again. What is
                found on the way, such as an expiry, is no part of it.
        """
        ...

    async def seal_bundle(self, bundle: Bundle) -> bytes:
        """Return what `save_bundle` stores; made before the transaction, for it takes long where much is in it."""
        ...

    @property
    def read(self) -> StoreReader:
        """Read outside a transaction, never waiting for a writer."""
        ...

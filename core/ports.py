"""What the core needs from outside: a clock, a store, a cluster, a directory of people, an announcer."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from core.actor import Actor
from core.app import App
from core.approval import Approval
from core.build import Build
from core.manifest import Manifest
from core.policy import Rules
from core.progress import Applied, Bundle, Intent, Line, Observation, Ref, Target, Trouble
from core.promotion import Phase, Progress, Promotion
from core.release import Release, Standing


class Clock(Protocol):
    """Time, so that tests and the playground can run it faster than the wall."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump, from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One effect on the cluster: its row is written before (`sent`) and after (`done`) it.

    Attributes:
        stage: `forward`, `back` or `prune`.
        action: `anchor`, `apply`, `scale` or `remove`.
        token: the fencing number it was sent under.
        replicas: of a Deployment that is pruned, the count it had; one that is made again gets it back.
    """

    promotion: str
    stage: str
    ref: Ref
    action: str
    state: str
    token: int
    uid: str = ""
    generation: int = 0
    changed: bool = True
    replicas: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The parent message of a promotion as far as Slack has it.

    Attributes:
        ts: Slack's name of the message, None until it was posted.
        shown: revision of the promotion that the message shows; -1 before the first.
        failed: Slack's permanent error (`not_in_channel` …) where it will never be shown, else "".
    """

    promotion: str
    channel: str
    ts: str | None = None
    shown: int = -1
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneJob:
    """Objects of earlier bundles that are to be removed once the promotion has ended (engine rule 26)."""

    promotion: str
    app: str
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that Slack delivered and that is still to be carried out.

    Attributes:
        done: a transaction has already carried it out; only its answer is missing.
    """

    id: int
    kind: str
    payload: bytes = field(repr=False)
    received_at: datetime
    done: bool = False


class Reader(Protocol):
    """Read records; every method sees one consistent state of the database."""

    async def app(self, name: str) -> App:
        """Return the app, or raise NotFound(`app not found: NAME`)."""
        ...

    async def apps(self) -> list[App]:
        """Return every app, by name."""
        ...

    async def app_of_channel(self, channel: str) -> App | None: ...

    async def build(self, app: str, build_id: str) -> Build:
        """Return the build, or raise NotFound(`no such build: ID`)."""
        ...

    async def builds(self, app: str, limit: int) -> list[Build]:
        """Return the newest builds first."""
        ...

    async def release(self, app: str, release_id: str) -> Release:
        """Return the release, or raise NotFound(`no such release: ID`)."""
        ...

    async def releases(self, app: str, limit: int) -> list[Release]:
        """Return releases by sequence, newest first."""
        ...

    async def standing(self, release_id: str) -> Standing:
        """Return what has happened to a release; an empty standing where nothing has."""
        ...

    async def standings(self, app: str) -> Mapping[str, Standing]:
        """Return release id → standing for every release of the app that has one."""
        ...

    async def bundle(self, release_id: str) -> Bundle | None: ...

    async def bundles(self, app: str) -> list[Bundle]:
        """Return every stored bundle of the app, oldest release first."""
        ...

    async def promotion(self, promotion_id: str) -> Promotion:
        """Return the promotion, or raise NotFound(`no such promotion: ID`)."""
        ...

    async def promotions(self, app: str, limit: int) -> list[Promotion]:
        """Return the newest promotions first."""
        ...

    async def in_flight(self, app: str) -> Promotion | None:
        """Return the one promotion of the app that may touch the cluster, if any."""
        ...

    async def awaiting(self, app: str) -> list[Promotion]: ...

    async def unsettled(self) -> list[Promotion]:
        """Return every promotion that has not ended, oldest first: the work of a restart."""
        ...

    async def intent(self, promotion_id: str) -> Intent | None: ...

    async def steps(self, promotion_id: str) -> list[Step]:
        """Return the newest state of every step, in the order in which they were first sent."""
        ...

    async def approvals(self, promotion_id: str) -> list[Approval]:
        """Return decisions in the order in which they were made."""
        ...

    async def lines(self, promotion_id: str, after: int = 0, limit: int = 500) -> list[tuple[int, Line]]:
        """Return (number, line) with number > after; numbers begin at 1 and have no gaps."""
        ...

    async def card(self, promotion_id: str) -> Card | None: ...

    async def prune_jobs(self) -> list[PruneJob]: ...

    async def last_touched_phase(self, app: str, before: str) -> Phase | None:
        """Return the phase of the last promotion of the app, other than `before`, in TOUCHED_ENDINGS."""
        ...

    async def digest(self, *parts: str) -> str:
        """Return an HMAC of the parts under the installation's stored key, for showing (engine rule 18)."""
        ...

    async def installation(self) -> str:
        """Return this database's own random id, written into every anchor (engine rule 14)."""
        ...


class Transaction(Reader, Protocol):
    """Write records: one SQLite transaction, committed when its block ends without an error.

    Attributes:
        now: the one moment of everything that the transaction writes.
    """

    now: datetime

    async def add_app(self, app: App) -> None:
        """Raise Conflict(`app already exists: NAME`) where it does."""
        ...

    async def save_app(self, app: App) -> None: ...

    async def link(self, app: str, channel: str | None) -> None:
        """Link the channel to the app and to no other; None unlinks."""
        ...

    async def add_build(self, build: Build) -> None: ...

    async def add_release(self, release: Release) -> None: ...

    async def next_sequence(self, app: str) -> int:
        """Return the next release number of the app."""
        ...

    async def save_standing(self, standing: Standing) -> None: ...

    async def save_bundle(self, bundle: Bundle) -> None:
        """Store the bundle of a release once; storing another for the same release raises Conflict."""
        ...

    async def add_promotion(self, promotion: Promotion) -> None:
        """Raise Conflict where the app already has one in flight (unique index, engine rule 1)."""
        ...

    async def save_promotion(self, promotion: Promotion, *, was: Phase) -> None:
        """Store the promotion; raise Conflict where it is no longer in phase `was`."""
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

    async def add_approval(self, approval: Approval) -> None:
        """Raise Conflict where the same person has already decided."""
        ...

    async def add_lines(self, promotion_id: str, lines: Sequence[Line]) -> int:
        """Append the lines whose key is new; return how many were."""
        ...

    async def add_card(self, promotion_id: str, channel: str) -> None:
        """Write the card's outbox row, the first of a promotion."""
        ...

    async def add_terminal(self, promotion_id: str) -> None:
        """Write the outbox row of the terminal message; unique for a promotion (engine rule 40)."""
        ...

    async def add_prune_job(self, job: PruneJob) -> None: ...

    async def finish_prune_job(self, promotion_id: str) -> None: ...

    async def audit(self, actor: Actor, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Append a row to the hash chain; `detail` holds ids and key names, never values of an environment."""
        ...


class Store(Protocol):
    """The records."""

    def transaction(self, *, aside: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """Begin to write; other writers wait. A transaction contains SQL and nothing else.

        Args:
            aside: it is not what the request at hand asks for, such as an expiry that was found on the way: a
                restart after it carries the request out as if nothing had happened.
        """
        ...

    @property
    def read(self) -> Reader:
        """Read outside a transaction, never waiting for a writer."""
        ...


class Watch(Protocol):
    """One app's namespace, live."""

    def aim(self, target: Target) -> None:
        """Judge everything from now on towards this target."""
        ...

    async def next(self, seconds: float) -> Observation:
        """Return when something has changed, at the latest after so many seconds."""
        ...

    async def fresh(self) -> Observation:
        """Read Deployments and pods anew and return what is so now: a watch may be silent because it is dead.

        What a verdict rests on is asked for just before it; where it cannot be read, the look is not synced.
        """
        ...


class Cluster(Protocol):
    """Kubernetes, as far as a rollout needs it.

    Every method raises Rejected where the cluster says no for good, with a sentence that names what and, for a
    missing right, which; and Unreachable where asking again may help.

    Attributes:
        rack: whose namespaces it works in.
    """

    rack: str

    def render(self, release: Release, build: Build, manifest: Manifest, app: App, rules: Rules) -> Bundle:
        """Render a release; pure. Raises Invalid for what cannot be rendered."""
        ...

    async def create_namespace(self, app: str) -> str | None:
        """Create what an app needs, where the bot may; return None, or the command for an administrator."""
        ...

    async def look(self, app: str, refs: Sequence[Ref]) -> Intent:
        """Read the namespace and the named objects as they are now (a consistent read)."""
        ...

    async def check_anchor(self, app: App, *, installation: str, token: int) -> None:
        """Raise Rejected where the namespace belongs to another installation, uid or newer token (rule 14)."""
        ...

    async def claim_anchor(self, app: App, *, installation: str, token: int) -> Applied:
        """Write our installation and token into the anchor by compare-and-set (rule 14)."""
        ...

    async def preflight(self, app: str, bundle: Bundle, *, token: int, force: bool) -> None:
        """Server-side dry run of the whole bundle, forced as the applies will be (rule 19).

        Raises Rejected with every reason at once.
        """
        ...

    async def apply(self, app: str, bundle: Bundle, ref: Ref, *, token: int, force: bool) -> Applied:
        """Apply one object, fenced by uid and resourceVersion of a read that checked its token (rule 15)."""
        ...

    async def scale(self, app: str, name: str, replicas: int, *, token: int) -> Applied:
        """Set a Deployment's count through the /scale subresource (rule 20)."""
        ...

    async def remove(self, app: str, ref: Ref, *, uid: str, token: int) -> None:
        """Delete one object of ours if it still has this uid; already gone is fine."""
        ...

    def watch(self, app: str, intent: Intent) -> AbstractAsyncContextManager[Watch]:
        """Watch the app's objects; lines tell what differs from the intent's baseline."""
        ...

    async def evidence(self, app: str, trouble: Trouble) -> str:
        """Return the last log lines that prove a trouble, or "" (bounded: 20 lines, 5 s)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What Slack says of a user now.

    Attributes:
        member: a full member of our workspace: no guest, no stranger, not deactivated, no bot.
        why_not: if not, a sentence that says which.
    """

    id: str
    name: str
    member: bool
    why_not: str = ""


class Directory(Protocol):
    """Who people are. Raises Unreachable where Slack does not answer: unknown means no (promise 6)."""

    async def person(self, user_id: str) -> Person: ...

    async def group(self, group_id: str) -> frozenset[str]:
        """Return the user ids of a user group, at most 60 s old."""
        ...


class Announcer(Protocol):
    """Whoever brings outbox rows to people; it is told that there are new ones, after the commit."""

    def wake(self) -> None: ...

    async def carded(self, promotion_id: str, seconds: float) -> Card | None:
        """Wait until the promotion's card is posted or has failed for good, or so many seconds."""
        ...


class Driver(Protocol):
    """Whoever drives started promotions to their end."""

    def drive(self, promotion: Promotion) -> None:
        """Go on with the promotion in a task of its own; returns at once."""
        ...

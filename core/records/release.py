"""A release: one build with one environment, never changed after it is made."""

from dataclasses import dataclass
from datetime import datetime

from core.actor import Actor
from core.records.environment import Environment
from core.sentence import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An immutable snapshot.

    Attributes:
        sequence: order within the app, taken in the transaction that makes the release; "older" means lower.
        build: id of the build, or None for an environment before the first build.
        copy_of: the release that a rollback copied forward, or None.
    """

    id: str
    app: str
    sequence: int
    build: str | None
    environment: Environment
    description: str
    created_at: datetime
    created_by: Actor
    copy_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEnvironment:
    """An environment, and the id of the release that has it; "" where there is no release yet."""

    release: str
    environment: Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStatus:
    """What has happened to a release since it was made; kept beside it, since a release never changes.

    Attributes:
        verified_at: when it was last seen healthy through its settle window.
        held: why promoting it (or its build) again needs `--anyway`, or None. Engine rule 7.
        withdrawn: a person rolled back away from it, or it is the copy of a rollback that never began; never an
            automatic target. Engine rule 6.
        spares_build: a person stopped it, and it is not the build's own release but a change of its variables or a copy: what
            holds it says nothing of the build.
    """

    release: str
    verified_at: datetime | None = None
    held: Sentence | None = None
    withdrawn: bool = False
    spares_build: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEntry:
    """A release with what has happened to it and to its build, as guards and lists need it: nothing of it is sealed.

    Attributes:
        id, app, sequence, build, description, created_at, copy_of: as of `Release`.
        verified: it was seen healthy through its settle window once.
        held: its own promotion failed or was stopped.
        withdrawn: as of `ReleaseStatus`.
        made_by_build: it came with its build; others of that build changed the environment.
        build_held: a release of its build is on hold, and not as a change of variables that a person stopped.
        build_verified: a release of its build was verified and is not on hold.
    """

    id: str
    app: str
    sequence: int
    build: str | None
    description: str
    created_at: datetime
    copy_of: str | None = None
    verified: bool = False
    held: bool = False
    withdrawn: bool = False
    made_by_build: bool = False
    build_held: bool = False
    build_verified: bool = False

    @property
    def on_hold(self) -> bool:
        """Whether promoting it needs `--anyway` (engine rule 7).

        A release is held by its own failed promotion, and by that of another release of the same build unless a third one
        of that build was verified. A person who stopped a change of variables has said nothing of the build.
        """
        return self.held or (self.build_held and not self.build_verified)

    @property
    def in_vain(self) -> bool:
        """Whether it is the copy of a rollback that never ran: nobody has to know of it."""
        return self.copy_of is not None and self.withdrawn and not self.verified

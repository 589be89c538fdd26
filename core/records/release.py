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

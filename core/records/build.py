"""A build: the manifest and the images that CI has made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from core.actor import Actor
from core.errors import Invalid

# Lists, cards and dialogs show one line; a commit message is longer, and is kept whole beside it.
MAX_DESCRIPTION_CHARS = 500
MAX_MESSAGE_BYTES = 64 << 10


class BuildStatus(StrEnum):
    """Where a build is, in Convox's words and with one of ours; what CI registers is complete from the beginning."""

    CREATED = "created"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCounts:
    """What graphs ask of the builds that the cluster makes, over all apps.

    Attributes:
        waiting: how many wait for their turn; `running`: how many are being built.
        endings: how many have ended in a state since there is this database, and for how many seconds they ran in all.
    """

    waiting: int
    running: int
    endings: Mapping[BuildStatus, tuple[int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEntry:
    """A build as lists need it, without its manifest, which is stored sealed.

    Attributes:
        images: service name → image reference, for every service of the manifest.
        repository: where `git_sha` lies: an https address without credentials where it is one, else what was given; "" if unknown.
        release: the one release that this build made; "" while it has made none.
        ended_at: None while it has not.
        reused: services whose image came with this build under a tag that an earlier build of the app had too: a node may
            still have what it meant then.
    """

    id: str
    app: str
    images: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    description: str = ""
    git_sha: str = ""
    repository: str = ""
    status: BuildStatus = BuildStatus.COMPLETE
    release: str
    started_at: datetime
    ended_at: datetime | None
    created_by: Actor
    reused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build(BuildEntry):
    """What CI registered; it never changes.

    Attributes:
        manifest: the text of convox.yml, as given.
        message: the whole text that it was described with, "" where `description` is all of it.
        committed_at: when its commit was made; None where nobody said.
    """

    manifest: str
    message: str = ""
    committed_at: datetime | None = None

    @property
    def text(self) -> str:
        """What it was described with, however long."""
        return self.message or self.description


def described(text: str) -> tuple[str, str]:
    """Return the description of a build, which is one line, and the message, "" where the description is all of it.

    It is shown in tables and on terminals: nothing in it moves a cursor, and line ends stay in the message only.

    Raises:
        Invalid: it is larger than `MAX_MESSAGE_BYTES`.
    """
    if len(text.encode(errors="replace")) > MAX_MESSAGE_BYTES:
        raise Invalid(
            f"the description is larger than {MAX_MESSAGE_BYTES >> 10} KiB",
            hint="its first line is what lists show; leave out what nobody reads",
        )
    rows = [_printable(row).rstrip() for row in text.splitlines()]
    whole = "\n".join(rows).strip("\n")
    first = " ".join(next((row for row in rows if row), "").split())
    short = first if len(first) <= MAX_DESCRIPTION_CHARS else first[: MAX_DESCRIPTION_CHARS - 1] + "…"
    return short, "" if whole.split() == short.split() else whole


def printable_line(text: str) -> str:
    """Return text that somebody else wrote as one line, in which nothing moves a cursor."""
    return " ".join(_printable(text).split())


def _printable(row: str) -> str:
    return "".join(char if char.isprintable() else " " for char in row.expandtabs(4))


def is_pinned(image: str) -> bool:
    """Tell whether a reference names its content (`…@sha256:…`) and so cannot be re-pushed."""
    return "@sha256:" in image


def moment_of_commit(said: str) -> datetime | None:
    """Return the moment that git wrote of a commit (ISO 8601), None where there is none, or none with a zone."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else None

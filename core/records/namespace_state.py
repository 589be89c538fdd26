"""A namespace as whoever is to adopt it finds it: its anchor, and what of ours is in it."""

from dataclasses import dataclass
from datetime import datetime

from core.records.anchor import Anchor
from core.records.bundle import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveObject:
    """One object of a bot in the cluster.

    Attributes:
        token: the fencing number that it was written with last, 0 where it bears none.
        release: of a workload, which release its pods are made for; "" for all others.
        images: of a workload, container → image, for whoever has to register a build of them.
    """

    ref: Ref
    token: int = 0
    release: str = ""
    images: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceState:
    """The namespace of an app, read while somebody may be writing to it.

    Attributes:
        uid: of the namespace itself.
        refused: why the anchor keeps the next promotion of this database from writing; "" where it does not.
        anchor: None where there is none.
        objects: those that are known of, and every workload.
        written_at: when a bot has changed something last, by the API server's clock; None where that is not to be seen.
        now: what time it is by the same clock; None where it does not say.
    """

    namespace: str
    uid: str
    refused: str = ""
    anchor: Anchor | None = None
    objects: tuple[LiveObject, ...] = ()
    written_at: datetime | None = None
    now: datetime | None = None

    @property
    def quiet_for(self) -> float | None:
        """Return for how many seconds no bot has changed anything, None where that cannot be told."""
        if self.written_at is None or self.now is None:
            return None
        return max(0.0, (self.now - self.written_at).total_seconds())

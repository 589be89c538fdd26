"""Changes that wait for the next look, one an object: without it a slow reader would make the server close its watches."""

from core.cluster.api.client import Json
from core.cluster.documents import uid_of
from core.cluster.snapshot import Delta, DeltaType
from core.cluster.watching.reflector import WatchEvent


class DeltaQueue:
    """Keeps the newest state of every changed object; bounded by how many objects there are.

    Objects that came and went between two looks are kept too, as deleted: their pods have a story to tell.
    """

    def __init__(self) -> None:
        self._deltas: dict[tuple[str, str], Delta] = {}

    def put(self, kind: str, change: WatchEvent) -> None:
        """Take in an ADDED, MODIFIED or DELETED change."""
        assert change.object is not None
        assert change.type in {"ADDED", "MODIFIED", "DELETED"}
        key = (kind, uid_of(change.object))
        self._deltas[key] = _merged(kind, self._deltas.get(key), change.type, change.object)

    def take(self) -> list[Delta]:
        """Return what has come since the last time, in the order in which each object first changed."""
        taken, self._deltas = list(self._deltas.values()), {}
        return taken


def _merged(kind: str, before: Delta | None, change: DeltaType, document: Json) -> Delta:
    if change == "DELETED":
        return Delta(kind, "DELETED", document)
    fresh = change == "ADDED" or (before is not None and before.type == "ADDED")
    return Delta(kind, "ADDED" if fresh else "MODIFIED", document)

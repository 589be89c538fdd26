"""What every use case that makes records stands on."""

from collections.abc import Callable

from core.lifecycle.access import Access
from core.ports.announcer import Announcer
from core.ports.cluster import Cluster
from core.ports.registry import ImageRegistry
from core.ports.store import Store


class RecordUseCase:
    """Make records: for each the right first, then one transaction with its audit row."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        why_not_startable: Callable[[], str],
        registry: ImageRegistry | None = None,
        announcer: Announcer | None = None,
    ) -> None:
        """Wire the use cases.

        Args:
            store: the records.
            cluster: makes namespaces.
            access: who may do what.
            why_not_startable: says why nothing may be written now, or "".
            registry: is asked what tags name; without one they stay tags.
            announcer: is woken after a commit that wrote a message; without one it goes out with the next.
        """
        self._announcer = announcer
        self._registry = registry
        self._store = store
        self._cluster = cluster
        self._access = access
        self._why_not_startable = why_not_startable

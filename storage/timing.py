"""How long the database takes: a disk that has become slow shows here before anybody waits for an answer."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from time import perf_counter
from types import MappingProxyType

from core.histogram import Histogram


class DatabaseTask(StrEnum):
    """What the database is busy with; of a transaction from BEGIN to the end of COMMIT, which waits for the disk."""

    READ = "read"  # one statement
    RECORDS = "records"  # a transaction of a use case or a rollout
    INBOX = "inbox"  # what Slack delivers is kept, which somebody waits for by the second
    OUTBOX = "outbox"  # what Slack was told
    UPKEEP = "upkeep"  # the rest: tokens, the policy that is kept, keys
    QUEUE = "queue"  # nothing: a transaction waits for its turn


class DatabaseTimes:
    """How long each kind of work took, since the process began."""

    def __init__(self, monotonic: Callable[[], float] = perf_counter) -> None:
        self._monotonic = monotonic
        self._kinds = {kind: Histogram() for kind in DatabaseTask}

    @property
    def kinds(self) -> Mapping[str, Histogram]:
        return MappingProxyType({kind.value: found for kind, found in self._kinds.items()})

    @contextmanager
    def measured(self, kind: DatabaseTask) -> Generator[None]:
        """Count how long the block takes, however it ends."""
        began = self._monotonic()
        try:
            yield
        finally:
            self._kinds[kind].add(self._monotonic() - began)

"""When the disk is too full for anything new."""

from storage.filesystem import LEAST_FREE_DISK
from storage.store import SqliteStore


def why_nothing_starts(store: SqliteStore) -> str:
    """Return why the disk lets nothing new start, "" where it does."""
    if store.free_fraction() < LEAST_FREE_DISK:
        return "less than 10 % of the database's disk is free, so nothing new starts"
    return ""

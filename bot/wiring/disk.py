"""When the disk is too full for anything new."""

from storage.store import SqliteStore

# Under this nothing new starts (engine rule 16): a rollout in flight must still be able to write its end.
LEAST_FREE_DISK = 0.10


def why_nothing_starts(store: SqliteStore) -> str:
    """Return why the disk lets nothing new start, "" where it does."""
    if store.free_fraction() < LEAST_FREE_DISK:
        return "less than 10 % of the database's disk is free, so nothing new starts"
    return ""

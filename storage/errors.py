"""Why a database cannot be opened: sentences for the operator, after which the process ends with status 2."""


class StorageError(Exception):
    """The database, its lock or its keys do not allow a start; `str()` says what and what to do."""


class DatabaseMissing(StorageError):
    """There is no such file, and this command makes none."""


class BackupTaken(StorageError):
    """A copy was to get a name that something has already."""


class DatabaseLost(StorageError):
    """The file is empty or gone, and the lock beside it says that there was a database."""


class ForeignDatabase(StorageError):
    """The file is the database of another program."""


class DatabaseLocked(StorageError):
    """Another `serve` holds `<database>.lock`."""


class NetworkFileSystem(StorageError):
    """SQLite's locks do not hold on this file system."""


class SchemaTooNew(StorageError):
    """A newer convox-bot has already upgraded this database."""


class SchemaMigrationMissing(StorageError):
    """Who only looks upgrades nothing."""


class InvalidKey(StorageError):
    """What was given as a key is none."""


class KeyMismatch(StorageError):
    """The database was written with a key that was not given."""

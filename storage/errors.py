"""Why a database cannot be opened: sentences for the operator, after which the process ends with status 2."""


class StorageProblem(Exception):
    """The database, its lock or its keys do not allow a start; `str()` says what and what to do."""


class Absent(StorageProblem):
    """There is no such file, and this command makes none."""


class Foreign(StorageProblem):
    """The file is the database of another program."""


class Locked(StorageProblem):
    """Another `serve` holds `<database>.lock`."""


class NetworkFileSystem(StorageProblem):
    """SQLite's locks do not hold on this file system."""


class SchemaTooNew(StorageProblem):
    """A newer convox-bot has already upgraded this database."""


class BadKey(StorageProblem):
    """What was given as a key is none."""


class WrongKey(StorageProblem):
    """The database was written with a key that was not given."""

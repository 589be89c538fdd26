"""Who knows the values of releases: what is quoted of their pods and objects goes through it (engine rule 17)."""

from collections.abc import Iterable
from weakref import WeakValueDictionary

from core.lifecycle.passwords import passwords_of
from core.ports.store import StoreReader
from core.redaction import Redactor, keep_quiet, redactor_for

# Making one takes a while and unseals every environment of it; releases never change.
_REDACTORS: WeakValueDictionary[tuple[str | frozenset[str], ...], Redactor] = WeakValueDictionary()


async def redactor_of_releases(read: StoreReader, app: str, releases: Iterable[str]) -> Redactor:
    """Return what knows the values of these releases' environments, the passwords of their resources, and those of the app's logins.

    From now on this task says none of them in the log either.
    """
    ids = sorted(set(releases))
    logins = frozenset({value for each in await read.registry_logins(app) for value in each.secrets})
    redact = _REDACTORS.get((app, *ids, logins))
    if redact is None:
        redact = await redactor_for({*await _values(read, app, ids), *logins})
        _REDACTORS[app, *ids, logins] = redact
    keep_quiet(redact)
    return redact


async def _values(read: StoreReader, app: str, releases: Iterable[str]) -> set[str]:
    """Return the values that nobody may read: of the environments, and the passwords of resources."""
    values: set[str] = set()
    for each in releases:
        values |= {value for _, value in (await read.release(app, each)).environment.pairs}
        bundle = await read.bundle(each)
        names = [s.resource for s in bundle.services if s.resource] if bundle else []
        values |= set((await passwords_of(read, app, names)).values())
    return values

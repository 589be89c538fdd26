"""Passwords of resources: as random as the key that was made with the database, and the same at every rendering.

Decision 29 says why they are derived: what is made twice must be the same, and nothing has to be written to render.
"""

from collections.abc import Iterable

from core.ports.store import StoreReader

# 128 bits in hexadecimal, which no URL, shell or configuration file has to escape.
PASSWORD_CHARS = 32


async def password_of(read: StoreReader, app: str, resource: str) -> str:
    """Return the password that was generated for a resource of an app."""
    return (await read.keyed_digest("password", app, resource))[:PASSWORD_CHARS]


async def passwords_of(read: StoreReader, app: str, resources: Iterable[str]) -> dict[str, str]:
    """Return resource → password."""
    return {name: await password_of(read, app, name) for name in resources}

"""Whom a webhook may reach: an address of the internet, not what stands beside the bot (server-side request forgery)."""

import socket
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from core.errors import Invalid

MOST_URL_CHARS = 2000


class PrivateAddressError(OSError):
    """A name stands for an address that is not one of the internet."""


def is_public(address: str) -> bool:
    """Tell whether an address is of the internet: not of loopback, a link, a private network, a cloud's metadata or a group."""
    found = ip_address(address.partition("%")[0])
    # An IPv4 address in IPv6's clothes is reached as what it is.
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if mapped is not None:
        found = mapped
    return found.is_global and not found.is_multicast


class PublicResolver(AbstractResolver):
    """Finds addresses, and lets nothing through but those of the internet: asked at each connection, so no name can change its mind."""

    def __init__(self) -> None:
        self._found = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._found.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise PrivateAddressError(f"{host} is no address of the internet")
        return public

    async def close(self) -> None:
        await self._found.close()


def check_webhook_url(given: str, *, private: bool) -> str:
    """Return the address of a webhook as it is called.

    Args:
        given: by an operator.
        private: addresses beside the bot are taken too, and http.

    Raises:
        Invalid: it is none, is not https, or names an address that is not one of the internet. What it holds is not said again.
    """
    try:
        url = URL(given.strip())
        host = url.host or ""
    except ValueError:
        raise Invalid(
            "that is no address of a webhook", hint="as in: https://hooks.example.com/convox"
        ) from None
    if not host or len(given) > MOST_URL_CHARS or url.scheme not in {"http", "https"} or url.fragment:
        raise Invalid("that is no address of a webhook", hint="as in: https://hooks.example.com/convox")
    if url.user or url.password:
        raise Invalid("an address of a webhook holds no user and no password", hint="events are signed")
    if private:
        return str(url)
    if url.scheme != "https":
        raise Invalid("a webhook is told by https", hint="CONVOX_WEBHOOK_PRIVATE=1 takes http, too")
    if not reaches_public(host):
        raise Invalid(
            f"{host} is no address of the internet",
            hint="CONVOX_WEBHOOK_PRIVATE=1 takes addresses beside the bot, too",
        )
    return str(url)


def reaches_public(host: str) -> bool:
    """Tell whether a host may be asked; of a name the resolver finds out, which an address never meets."""
    try:
        return is_public(host)
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")

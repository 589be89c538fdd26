"""Whom the bot calls where others say whom (webhooks, GitHub): an address of the internet, not what stands beside the bot (server-side request forgery)."""

import re
import socket
from ipaddress import IPv4Address, ip_address, ip_network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from core.errors import Invalid

MOST_URL_CHARS = 2000
NOT_PUBLIC = "stands for an address that is not one of the internet"
# A translator beside us reaches the IPv4 address in its last 32 bits (RFC 6052, 2.1).
_NAT64 = ip_network("64:ff9b::/96")
# What Python takes for the internet, in some of its versions: metadata of Oracle's and Azure's clouds (RFC 6890 keeps the first for protocols;
# learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16), and in IPv6 old clothes of IPv4 addresses (RFC 4291, 2.5.5.1;
# RFC 2765), translators of one's own (RFC 8215) and sites (RFC 3879).
_BESIDE = tuple(
    map(
        ip_network,
        ("192.0.0.0/24", "168.63.129.16", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "fec0::/10"),
    )
)
# No name of the internet ends in a number, and resolvers read `127.1` and `2130706433` as addresses (url.spec.whatwg.org, "ends in a number").
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class PrivateAddressError(OSError):
    """A name stands for an address that is not one of the internet."""


def is_public(address: str) -> bool:
    """Tell whether an address is of the internet: not of loopback, a link, a private network, a cloud's metadata or a group."""
    found = ip_address(address.partition("%")[0])
    # An IPv4 address in IPv6's clothes is reached as what it is.
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if mapped is None and found in _NAT64:
        mapped = IPv4Address(found.packed[-4:])
    if mapped is not None:
        found = mapped
    return found.is_global and not found.is_multicast and not any(found in each for each in _BESIDE)


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


def new_connector(*, private: bool) -> aiohttp.TCPConnector:
    """Return how others are reached: `private` lets them stand beside the bot, too."""
    return aiohttp.TCPConnector() if private else aiohttp.TCPConnector(resolver=PublicResolver())


def may_be_called(url: URL, *, private: bool) -> bool:
    """Tell whether an address may be called at all; where its name leads is found out by the resolver of `new_connector`.

    An address that is written as one never meets that resolver, so each call is preceded by this.
    """
    return private or (url.scheme == "https" and reaches_public(url.host or ""))


def is_private_address(error: BaseException) -> bool:
    """Tell whether a call failed since a name stands for an address that is not one of the internet."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PrivateAddressError):
            return True
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    return False


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
        last = host.rstrip(".").rpartition(".")[2]
        # The client takes what is written in digits for an address as well, and asks no resolver for it.
        return last != "localhost" and not _NUMBER.fullmatch(last)

"""How many tokens an address may try; without it whoever guesses keeps the database busy."""

import hashlib
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import web

from bot.handlers.budgets import Budgets, Cost

# Tokens that were good lately: as many as there are terminals, pipelines and jobs of a day.
MOST_GOOD = 1_000
# Whoever has an address of IPv6 has this many of its bits for themselves (RFC 6177).
IPV6_BITS = 64


class AttemptLimiter:
    """Bounds how many tokens an address may try.

    A proxy in front has one address for everybody: so a token that was good lately is looked at however many others came from there.
    """

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def check(self, request: web.Request) -> None:
        """Raise TooManyRequests where its token need not be looked at."""
        if _digest(request) not in self._good:
            self._budgets.look(address_of(request), Cost.STRANGER)

    def good(self, request: web.Request) -> None:
        """Note that its token was good."""
        self._good[_digest(request)] = None
        self._good.move_to_end(_digest(request))
        if len(self._good) > MOST_GOOD:
            self._good.popitem(last=False)

    def bad(self, request: web.Request) -> None:
        """Take it from what its address may try; raises TooManyRequests where that is used up."""
        self._good.pop(_digest(request), None)
        self._budgets.take(address_of(request), Cost.STRANGER)


def _digest(request: web.Request) -> bytes:
    return hashlib.sha256(
        request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    ).digest()


def address_of(request: web.Request) -> str:
    """Return where a request comes from, as far as nobody can make it up: what a proxy says of others is not believed."""
    peer = request.remote or ""
    try:
        found = ip_address(peer.partition("%")[0])
    except ValueError:
        return f"address {peer}"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return f"address {ip_network((found, IPV6_BITS), strict=False)}"
        return f"address {found.ipv4_mapped}"
    return f"address {found}"

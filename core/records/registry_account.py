"""An account at an image registry of one app, with which the bot asks there and its pods pull."""

import re
from dataclasses import dataclass

from core.errors import Invalid
from core.records.host_account import HostAccount

# A host name, an address or `[…]`, and a port.
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
# What images without a host are of, in Docker's own words.
DOCKER = "docker.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryAccount(HostAccount):
    """Whom the bot and the nodes say they are at a registry: the host as it stands in front of an image, `docker.io` for those without one."""


def check_host(host: str) -> str:
    """Return the host of a registry as it stands in front of an image.

    Raises:
        Invalid: it is none.
    """
    found = host.strip().lower().removeprefix("https://").rstrip("/")
    if not HOST.fullmatch(found):
        raise Invalid(
            f"not the host of a registry: {host[:80]}", hint="as in front of an image: registry.example:5000"
        )
    return DOCKER if found in {"index.docker.io", "registry-1.docker.io"} else found


def host_of(image: str) -> str:
    """Return the host of an image reference, which has a dot or a colon or is `localhost`; else it is Docker's own."""
    first, slash, _ = image.partition("/")
    return first.lower() if slash and (set(first) & set(".:") or first == "localhost") else DOCKER

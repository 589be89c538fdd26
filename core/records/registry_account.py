"""An account at an image registry of one app, with which the bot asks there and its pods pull."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime

from core.actor import Actor
from core.errors import Invalid

# A host name, an address or `[…]`, and a port.
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
# What images without a host are of, in Docker's own words.
DOCKER = "docker.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryAccount:
    """Whom the bot and the nodes say they are at a registry.

    Attributes:
        host: as it stands in front of an image, `docker.io` for those without one.
        password: or a token; in no `repr`.
    """

    app: str
    host: str
    user: str
    password: str = field(repr=False)
    created_at: datetime
    created_by: Actor

    @property
    def secrets(self) -> tuple[str, str]:
        """What nobody may read: the password, and as it stands with the user in a header."""
        return self.password, b64encode(f"{self.user}:{self.password}".encode()).decode()


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

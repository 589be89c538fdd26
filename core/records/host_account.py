"""An account of one app at a host that its builds and its nodes ask: of git, or of images."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime

from core.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAccount:
    """Whom an app says it is at a host.

    Attributes:
        app: whose; "" for the rack's own.
        host: as the kind of host writes it.
        secret: a password, or a token in its place; in no `repr`.
    """

    app: str
    host: str
    user: str
    secret: str = field(repr=False)
    created_at: datetime
    created_by: Actor

    @property
    def secrets(self) -> tuple[str, str]:
        """What nobody may read: the secret, and as it stands with the user in a header."""
        return self.secret, self.basic

    @property
    def basic(self) -> str:
        """User and secret as they travel in a header (RFC 7617)."""
        return b64encode(f"{self.user}:{self.secret}".encode()).decode()

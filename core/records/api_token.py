"""An API token, as it is known: its value is nobody's but its holder's."""

from dataclasses import dataclass
from datetime import datetime

EVERY_APP_PATTERN = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token that was made; the policy knows it as `token:NAME`.

    Attributes:
        apps: name patterns of the apps that it is for, whatever the policy gives it.
        expires_at: when it opens nothing any more; None where somebody has to revoke it.
        used_at: when it was used last, within an hour; None where it never was.
    """

    name: str
    created_at: datetime
    apps: tuple[str, ...] = EVERY_APP_PATTERN
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def expired(self, at: datetime) -> bool:
        """Tell whether it has expired at a moment."""
        return self.expires_at is not None and self.expires_at <= at

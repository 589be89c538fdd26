"""What a build has waited for so long that somebody should hear of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.ports.builds import BuildJobStatus

# As long as each source but the largest takes, and as a bot that starts again.
LONG = timedelta(seconds=60)


@dataclass(slots=True)
class BuildPatience:
    """Since when one reason has been seen at every look; by the clock of who looks, and anew where that has begun anew."""

    reason: str = ""
    since: datetime | None = None

    def judge(self, status: BuildJobStatus, now: datetime) -> BuildJobStatus:
        """Return how a build is, and what hinders it if it has been so for long."""
        if not status.lasting:
            self.reason, self.since = "", None
            return status
        if self.since is None or self.reason != status.lasting:
            self.reason, self.since = status.lasting, now
        if now - self.since < LONG:
            return status
        return replace(status, reason=status.lasting, hindered=True)

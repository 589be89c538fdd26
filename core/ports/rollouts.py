"""Whoever drives promotions that have started."""

from typing import Protocol

from core.promotion import Promotion


class RolloutRunner(Protocol):
    """Whoever drives started promotions to their end."""

    def drive(self, promotion: Promotion) -> None:
        """Go on with the promotion in a task of its own; returns at once."""
        ...

    def wake(self, app: str) -> None:
        """Somebody has decided about a rollout of the app: what waits to be tried again is tried now."""
        ...

    def clear_up(self, app: str) -> None:
        """Remove what is still to be removed of an app of which nothing is rolling out."""
        ...

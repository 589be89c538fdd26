"""Whether what leads from outside to a service has been picked up: told on the card, and judged only where the policy asks."""

from dataclasses import dataclass

from core.records.bundle import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteState:
    """One object that leads from outside to a service, as it stands now.

    Attributes:
        addresses: where the service is found; told once somebody has picked the object up.
        sentence: why nobody reaches the service by it yet, and what to look at; "" where somebody may.
    """

    ref: Ref
    addresses: tuple[str, ...]
    sentence: str = ""

    def __str__(self) -> str:
        return self.sentence or f"{self.ref.name}: {', '.join(self.addresses)}"

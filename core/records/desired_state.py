"""What a watch is aimed at: a release's bundle, or its absence."""

from dataclasses import dataclass

from core.records.bundle import Bundle, Ref
from core.records.intent import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """What a watch is aimed at.

    Attributes:
        release: pods of this release are the new ones.
        bundle: the objects that must become ready; None for a removal.
        applied: what the applies answered; a state older than these generations is not believed.
        absent: objects that must be gone (removal of a first release, rule 4).
    """

    release: str
    bundle: Bundle | None
    applied: tuple[Applied, ...] = ()
    absent: tuple[Ref, ...] = ()

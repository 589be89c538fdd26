"""A count that somebody has asked for and that the cluster has not confirmed yet."""

from dataclasses import dataclass

from core.actor import Actor
from core.records.bundle import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleJob:
    """One count to set: written before it is sent, and gone once its outcome is written.

    Attributes:
        id: given by the store; 0 before.
        ref: the workload of the service.
        before: the count that it had when it was asked for.
        promotion: the one in whose name the app's anchor is asked (engine rule 59).
        token: fencing number; what has started since has a higher one.
    """

    id: int = 0
    app: str
    service: str
    ref: Ref
    before: int
    count: int
    actor: Actor
    promotion: str
    token: int

"""What was done to a cluster and what is still to be removed from it, as rows."""

from dataclasses import dataclass
from typing import Literal

from core.records.bundle import Ref

StepStage = Literal["forward", "back", "prune"]
StepAction = Literal["anchor", "apply", "scale", "restart", "suspend", "remove"]
StepState = Literal["sent", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One effect on the cluster: its row is written before (`sent`) and after (`done`) it.

    Attributes:
        token: the fencing number it was sent under.
        template: of an apply, the digest of the pod template in the answer.
    """

    promotion: str
    stage: StepStage
    ref: Ref
    action: StepAction
    state: StepState
    token: int
    uid: str = ""
    generation: int = 0
    changed: bool = True
    template: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneJob:
    """Objects of earlier bundles that are to be removed once the promotion has ended (engine rule 26)."""

    promotion: str
    app: str
    refs: tuple[Ref, ...]

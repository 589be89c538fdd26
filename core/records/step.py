"""What was done to a cluster and what is still to be removed from it, as rows."""

from dataclasses import dataclass

from core.records.bundle import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One effect on the cluster: its row is written before (`sent`) and after (`done`) it.

    Attributes:
        stage: `forward`, `back` or `prune`.
        action: `anchor`, `apply`, `scale` or `remove`.
        token: the fencing number it was sent under.
        replicas: of a workload that is pruned, the count it had; one that is made again gets it back.
    """

    promotion: str
    stage: str
    ref: Ref
    action: str
    state: str
    token: int
    uid: str = ""
    generation: int = 0
    changed: bool = True
    replicas: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneJob:
    """Objects of earlier bundles that are to be removed once the promotion has ended (engine rule 26)."""

    promotion: str
    app: str
    refs: tuple[Ref, ...]

"""How many pods a workload had and was to have, kept apart from any promotion: what a count of the manifest is compared with."""

from dataclasses import dataclass

from core.records.bundle import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadCount:
    """What is recorded of one workload of an app (engine rules 57 and 58).

    Attributes:
        count: pods that the manifest of the release asked for which ran it last, whatever became of that release.
        replicas: pods that it had when it was last written; None once it was taken away, so that a service which comes back
            begins with the count of its manifest.
    """

    app: str
    ref: Ref
    count: int
    replicas: int | None

"""One run of a timer: known by whether it is still going on, for nobody removes a timer from under its work."""

from core.cluster.documents import Document, is_condition_true
from core.cluster.kinds.kind import Kind, Resource

JOB = Kind(name="Job", resource=Resource("batch", "v1", "jobs"), rights={"": frozenset({"list"})})


def is_running(job: Document) -> bool:
    """Tell whether a Job has not ended yet, one way or the other."""
    return not any(is_condition_true(job, how) for how in ("Complete", "Failed"))

"""What is read of a build's Job and its pod: how it is, and why; pure functions of their documents."""

import re
from collections.abc import Iterable, Sequence

from core.cluster.builds.clone import GIT_REFUSED, NOT_STORED
from core.cluster.builds.clone_problem import clone_problem
from core.cluster.builds.job import CONTAINER, FETCHING
from core.cluster.builds.script import NOT_UNPACKED
from core.cluster.documents import Document, is_condition_true
from core.ports.builds import BuildJobStatus

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# The kubelet has tried at least twice, or never will.
PERMANENT = frozenset({"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
# Of a source that is large, or that is asked of a bot which the cluster does not reach: only time tells them apart.
FETCHES = (
    "its source is still being fetched: if that goes on, the cluster does not reach the bot at CONVOX_BUILD_ADDRESS, "
    "or a host of git is slow"
)
# By SIGKILL (128 + 9), which mostly is the kernel's, for memory.
KILLED = 137
# What a Job controller says of a pod that admission refuses, before the reason; the pod's name is another one each time.
REFUSED = "FailedCreate"
_FULL = "it does not fit on the disk of a build (CONVOX_BUILD_DISK)"
_NO_ARCHIVE = "what was uploaded is no gzipped tar of a folder, as `convox-bot build` makes it"
_POD = re.compile(r'^Error creating: (pods "[^"]*" is forbidden: )?')


def job_status(
    job: Document | None, pods: Sequence[Document], events: Sequence[Document] = ()
) -> BuildJobStatus:
    """Return how a build is.

    Args:
        job: as it was read; None where there is none.
        pods: those of the Job, of which a build has one.
        events: about the Job, where it has no pod.
    """
    if job is None:
        return BuildJobStatus(phase="gone")
    uid, pod = str(job["metadata"]["uid"]), next(iter(pods), None)
    if is_condition_true(job, "Complete"):
        said = _terminated(pod, CONTAINER).get("message") or ""
        return BuildJobStatus(phase="succeeded", job=uid, digests=tuple(DIGEST.findall(said)))
    if is_condition_true(job, "Failed"):
        return BuildJobStatus(phase="failed", job=uid, reason=_why_failed(job, pod))
    if "running" in (_status(pod, CONTAINER).get("state") or {}):
        return BuildJobStatus(phase="running", job=uid)
    return _waiting(uid, pod, events)


def _waiting(uid: str, pod: Document | None, events: Sequence[Document]) -> BuildJobStatus:
    """Return how a build is that has a Job and has not begun."""
    if "running" in (_status(pod, FETCHING).get("state") or {}):
        return BuildJobStatus(phase="waiting", job=uid, reason="its source is being fetched", lasting=FETCHES)
    why, said = _hindrance(pod) if pod is not None else _refusal(events)
    if why in PERMANENT:
        return BuildJobStatus(phase="failed", job=uid, reason=said)
    return BuildJobStatus(phase="waiting", job=uid, reason=said, hindered=bool(why))


def _why_failed(job: Document, pod: Document | None) -> str:
    failed = next(c for c in job["status"]["conditions"] if c["type"] == "Failed")
    if failed.get("reason") == "DeadlineExceeded":
        return "it took longer than the cluster lets it"
    if pod is None:
        return f"its pod is gone: {failed.get('message') or failed.get('reason') or 'nobody says why'}"
    if (pod.get("status") or {}).get("reason") == "Evicted":
        return f"its pod was evicted: {pod['status'].get('message') or 'the node ran out of something'}"
    fetching = _terminated(pod, FETCHING)
    if fetching.get("exitCode"):
        return _why_not_fetched(fetching)
    return _why_ended(_terminated(pod, CONTAINER), failed)


def _why_not_fetched(ended: Document) -> str:
    if ended.get("reason") == "OOMKilled" or ended["exitCode"] == KILLED:
        return "fetching its source ran out of memory: it is larger than a build can take in"
    said = str(ended.get("message") or "").strip()
    if ended["exitCode"] == GIT_REFUSED:
        return clone_problem(said)
    if ended["exitCode"] == NOT_STORED:
        return f"{said}: is its disk full? Its log says why; once there is room it can be built again"
    if ended["exitCode"] == NOT_UNPACKED:
        return f"{said}; {_FULL if 'No space left' in said else _NO_ARCHIVE}"
    return (
        f"{said or 'the source could not be fetched'}: the cluster must reach the bot at CONVOX_BUILD_ADDRESS"
    )


def _why_ended(ended: Document, failed: Document) -> str:
    if ended.get("reason") == "OOMKilled" or ended.get("exitCode") == KILLED:
        return "it ran out of memory: CONVOX_BUILD_MEMORY gives it more"
    if ended:
        return f"it ended with exit code {ended.get('exitCode')}"
    return f"its pod ended: {failed.get('message') or 'nobody says why'}"


def _refusal(events: Sequence[Document]) -> tuple[str, str]:
    """Return the reason and the sentence of why a Job has no pod; no reason where nobody has told one yet."""
    told = [str(each.get("message", "")) for each in events if each.get("reason") == REFUSED]
    if not told:
        return (
            "",
            "it waits for its pod: is the quota of the namespace used up, or is deploy/builds.yaml not applied whole?",
        )
    return REFUSED, f"its pod is not let in: {_POD.sub('', told[-1])}"


def _hindrance(pod: Document) -> tuple[str, str]:
    """Return the reason and the sentence of what keeps a pod from running; no reason where nothing does."""
    for name in (FETCHING, CONTAINER):
        waiting = (_status(pod, name).get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason", ""))
        if reason not in {"", "PodInitializing", "ContainerCreating"}:
            return reason, f"{reason}: {waiting.get('message') or 'nobody says why'}"
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return "Unschedulable", f"no node takes it: {condition.get('message') or 'nobody says why'}"
    return "", "its pod is starting"


def _status(pod: Document | None, container: str) -> Document:
    status = (pod or {}).get("status") or {}
    both: Iterable[Document] = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    return next((each for each in both if each.get("name") == container), {})


def _terminated(pod: Document | None, container: str) -> Document:
    return (_status(pod, container).get("state") or {}).get("terminated") or {}

"""How long each new pod has run and been ready, by our own clock, and when that is long enough: the settle window.

Each pod has a window of its own, so pods that come and go neither shorten nor restart that of another. A pod that is seen
for the first time is 0 seconds old, whatever its stamps say: the clock of its node is not ours (engine rule 51).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from core.records.bundle import Bundle, BundleService
from core.records.observation import PodMilestone, PodObservation, Readiness, ServiceState
from core.records.progress import Completion, PodProgress, Progress

# A container without a readiness probe is ready in the instant it runs; an exit in its first seconds is a crash
# at start, ruled by `crashes`, not a failure of the settle window, ruled by `restarts`.
START_GRACE = 5.0
# An autoscaler or a drain may never let a service rest. After so many windows it is closed by the pods that stood theirs.
WINDOWS = 3
# Uid → restarts of pods that are known to be good from before.
EarlierPods = Mapping[str, int]
NO_EARLIER_PODS: EarlierPods = MappingProxyType({})


def met(
    progress: Progress, states: tuple[ServiceState, ...], bundle: Bundle | None, earlier_pods: EarlierPods
) -> Progress:
    """Take in what is seen of every new pod: its steps, its run, since when it has been ready.

    Args:
        progress: with `watched` of this look.
        states: the look.
        bundle: whose windows; None for a removal, which has no new pods.
        earlier_pods: pods that have stood their window before this promotion.
    """
    services = {s.name: s for s in bundle.services} if bundle else {}
    at, moved = progress.watched, progress.moved
    # What a service needs is not there yet: that it ends meanwhile says nothing of the release.
    needed = any(
        services[s.name].resource and s.readiness is not Readiness.READY for s in states if s.name in services
    )
    pods: dict[str, PodProgress] = {}
    complete = dict(progress.complete)
    for state in (s for s in states if s.name in services):
        if state.readiness is Readiness.READY and state.desired and state.name not in complete:
            complete[state.name] = Completion(at=at, pods=state.desired)
        for pod in state.pods:
            old = progress.pods.get(pod.uid)
            new = _looked_at(old or _first(pod, services[state.name], at, earlier_pods), pod, state, at)
            if needed and state.released:
                new = replace(new, excused=pod.restarts)
            # A pull in progress is progress for as long as it goes on (engine rule 52).
            if old is None or new.milestone > old.milestone or pod.milestone is PodMilestone.PULLING:
                moved = at
            pods[pod.uid] = new
    gone = _gone(progress, pods, services)
    return replace(progress, moved=moved, pods=pods, gone=gone, complete=complete)


def _first(pod: PodObservation, service: BundleService, at: float, earlier_pods: EarlierPods) -> PodProgress:
    """Return what is to be remembered of a pod at first sight."""
    unknown = PodProgress(service=service.name, restarts=pod.restarts)
    if not (pod.running and pod.ready) or pod.restarts > earlier_pods.get(pod.uid, -1):
        return unknown
    return replace(unknown, started=at - service.window, ready=at - service.window)


def _looked_at(old: PodProgress, pod: PodObservation, state: ServiceState, at: float) -> PodProgress:
    another = pod.restarts != old.restarts
    started = (at if old.started is None or another else old.started) if pod.running else None
    ready = (at if old.ready is None or another else old.ready) if pod.ready else None
    new = PodProgress(
        service=state.name,
        milestone=max(old.milestone, int(pod.milestone)),
        restarts=pod.restarts,
        started=started,
        ready=ready,
        baseline=old.baseline,
        excused=old.excused,
    )
    if new.baseline is None and _in_window(new, state, at):
        return replace(new, baseline=pod.restarts)
    return new


def _in_window(pod: PodProgress, state: ServiceState, at: float) -> bool:
    """Tell whether a restart of the pod counts from now on as one within the settle window (engine rule 33)."""
    if pod.ready is None or not state.ready >= state.desired > 0:
        return False
    return state.readiness is Readiness.READY or at - pod.ready >= START_GRACE


def _gone(
    progress: Progress, left: Mapping[str, PodProgress], services: Mapping[str, BundleService]
) -> dict[str, int]:
    gone = dict(progress.gone)
    for uid, pod in progress.pods.items():
        if (
            uid not in left
            and pod.service in services
            and stood(pod, services[pod.service], progress.watched)
        ):
            gone[pod.service] = gone.get(pod.service, 0) + 1
    return gone


def stood(pod: PodProgress, service: BundleService, at: float) -> bool:
    """Tell whether a pod has stood its whole window, so that it speaks for every pod of its template."""
    return _open_for(pod, service, at) <= 0


def _open_for(pod: PodProgress, service: BundleService, at: float) -> float:
    """Return how many seconds of a pod's whole window are left."""
    started = at if pod.started is None else pod.started
    return max(service.soak - (at - started), _unready_for(pod, service, at))


def _unready_for(pod: PodProgress, service: BundleService, at: float) -> float:
    """Return how many seconds a pod must still stay ready; each one must, whoever speaks for its template."""
    return service.settle - (at - (at if pod.ready is None else pod.ready))


def left(progress: Progress, state: ServiceState, service: BundleService) -> float:
    """Return how many watched seconds of a complete service's window are left."""
    pods = [progress.pods[p.uid] for p in state.pods if p.ready]
    if not pods:
        return 0.0
    at = progress.watched
    first = min(_open_for(pod, service, at) for pod in pods)
    return max(0.0, first, *(_unready_for(pod, service, at) for pod in pods))


def stood_window(progress: Progress, state: ServiceState, service: BundleService) -> bool:
    """Tell whether a service is complete and has been for long enough (engine rules 54 and 55)."""
    if state.readiness is Readiness.READY and left(progress, state, service) <= 0:
        return True
    return _outlasted(progress, state, service)


def _outlasted(progress: Progress, state: ServiceState, service: BundleService) -> bool:
    """Tell whether a service that pods keep coming to and going from has been watched for long enough all the same.

    It was complete once, and since then for three windows; as many pods as it had then have stood theirs, and as many serve
    now. Those that went have gone as good pods do: a restart within a window fails the release before.
    """
    once = progress.complete.get(state.name)
    if once is None or state.readiness is Readiness.FAILED:
        return False
    if progress.watched - once.at < WINDOWS * service.window:
        return False
    needed = min(once.pods, state.desired)
    alive = sum(stood(progress.pods[p.uid], service, progress.watched) for p in state.pods)
    return state.ready >= needed and alive + progress.gone.get(state.name, 0) >= needed


def rewound(progress: Progress, seconds: float) -> Progress:
    """Take back time that was counted as watched and was silence (engine rule 48).

    What was seen meanwhile has its time again from where the clock stands now: nothing gets older by being rewound.
    """
    at = progress.watched - seconds

    def by_then(mark: float | None) -> float | None:
        return None if mark is None else min(mark, at)

    return replace(
        progress,
        watched=at,
        moved=min(progress.moved, at),
        pods={
            uid: replace(pod, started=by_then(pod.started), ready=by_then(pod.ready))
            for uid, pod in progress.pods.items()
        },
        complete={name: replace(once, at=min(once.at, at)) for name, once in progress.complete.items()},
        suspects={trouble: min(first, at) for trouble, first in progress.suspects.items()},
    )

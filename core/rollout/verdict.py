"""When a rollout has succeeded, failed or taken too long: a function of what was seen and for how long."""

from dataclasses import dataclass, replace

from core.promotion import PromotionEvent
from core.records.bundle import Bundle
from core.records.observation import Diagnosis, DiagnosisKind, Observation, Readiness, ServiceState
from core.records.progress import Limits, Progress, Settling
from core.rollout.settling import NO_EARLIER_PODS, EarlierPods, left, met, rewound, stood_window

# A permanent diagnosis must be seen on every new pod for this long: a status lags its cause, and krane and
# skaffold both took back a verdict given at first sight.
PERMANENT_AFTER = 5.0
# Quota and admission errors are often cleared by the pods that are just going.
ADMISSION_AFTER = 30.0
ADMISSION = frozenset(
    {DiagnosisKind.QUOTA, DiagnosisKind.LIMITS, DiagnosisKind.ADMISSION, DiagnosisKind.SERVICE_ACCOUNT}
)
# Somebody rolls out something else, or keeps ours from going on: what becomes of it is theirs (engine rules 44 and 53).
TAKEN = frozenset({DiagnosisKind.OVERWRITTEN, DiagnosisKind.PAUSED})
# What somebody else has done to objects of ours is no fault of the release (engine rule 53).
NOT_THE_RELEASE = frozenset({*TAKEN, DiagnosisKind.LOST})
# Killed for memory twice: a third try changes nothing.
MEMORY_RESTARTS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one look means.

    Attributes:
        event: what happens to the promotion, or None while it goes on.
        cause: for BROKEN, OVERDUE and SUPERSEDED, the sentence to tell; `diagnosis`: what it rests on.
        nothing_ran: for VERIFIED, no pod of the release exists (engine rule 35).
    """

    progress: Progress
    event: PromotionEvent | None = None
    cause: str = ""
    diagnosis: Diagnosis | None = None
    nothing_ran: bool = False

    @property
    def blameless(self) -> bool:
        """Whether the release has done nothing wrong."""
        return self.diagnosis is not None and self.diagnosis.kind in NOT_THE_RELEASE


def judge(
    progress: Progress,
    observation: Observation,
    *,
    bundle: Bundle | None,
    limits: Limits,
    elapsed: float,
    earlier_pods: EarlierPods = NO_EARLIER_PODS,
    unchanged: bool = False,
) -> Verdict:
    """Judge one look; no clock but ours has a say in it (engine rule 51).

    Args:
        progress: what earlier looks left.
        observation: the look; where it is not synced nothing is judged and no clock runs.
        bundle: what should run; None for a removal, which is verified once nothing is left.
        limits: the patience that the promotion was given.
        elapsed: seconds watched since the look before; negative where so many that were counted have been silence.
        earlier_pods: pods that were there before the promotion and had stood their window; any other is 0 s old when it is
            seen first.
        unchanged: the applies changed nothing, so what is complete at the first look needs no settle window (engine,
            cells).
    """
    if not observation.synced:
        blind = observation.blind or "the cluster does not answer"
        return Verdict(
            progress=rewound(progress, max(0.0, -elapsed)).awaiting(f"{blind}; the clocks stand still")
        )
    progress = replace(progress, watched=progress.watched + elapsed)
    restarted = _restarted(progress, observation.services, limits)
    progress = met(progress, observation.services, bundle, earlier_pods)
    progress = _suspects(progress, observation.services)
    progress = replace(
        progress,
        patience=_patience(observation.services, bundle, limits),
        services={s.name: (s.ready, s.desired) for s in observation.services},
        counts={**progress.counts, **{s.name: s.desired for s in observation.services if s.seen}},
    )
    progress = _awaiting(progress, observation.services, bundle)
    taken = next((d for s in observation.services for d in s.diagnoses if d.kind in TAKEN), None)
    if taken is not None:
        return Verdict(
            progress=progress, event=PromotionEvent.SUPERSEDED, cause=taken.sentence, diagnosis=taken
        )
    broken = restarted or _hopeless(progress, observation.services, limits)
    if broken is not None:
        return Verdict(
            progress=progress, event=PromotionEvent.BROKEN, cause=broken.sentence, diagnosis=broken
        )
    if observation.lost:
        lost = Diagnosis(kind=DiagnosisKind.LOST, sentence=observation.lost)
        return Verdict(progress=progress, event=PromotionEvent.BROKEN, cause=lost.sentence, diagnosis=lost)
    # Later a complete state may be one between two crashes.
    if _verified(progress, observation.services, bundle, at_once=unchanged and progress.watched == 0.0):
        ran = bundle is None or any(s.pods for s in observation.services if s.released)
        return Verdict(progress=progress, event=PromotionEvent.VERIFIED, nothing_ran=not ran)
    return _overdue(progress, observation.services, limits)


def _restarted(progress: Progress, services: tuple[ServiceState, ...], limits: Limits) -> Diagnosis | None:
    """Find a container that was restarted since its service's settle window opened (engine rule 33)."""
    for service in services:
        known = {pod.uid: progress.pods[pod.uid].baseline for pod in service.pods if pod.uid in progress.pods}
        extra = sum(max(0, p.restarts - n) for p in service.pods if (n := known.get(p.uid)) is not None)
        if extra > limits.restarts:
            return _worst(service) or Diagnosis(
                kind=DiagnosisKind.CRASH, sentence=f"{service.name} was restarted within its settle window"
            )
    return None


def _patience(services: tuple[ServiceState, ...], bundle: Bundle | None, limits: Limits) -> float:
    """Return how long there may be no progress: the policy's, or what what is awaited needs by its own checks."""
    late = {s.name for s in services if s.readiness is not Readiness.READY}
    allowed = [s.patience for s in bundle.services if s.name in late] if bundle else []
    return max(limits.deadline, *allowed, 0.0)


def _suspects(progress: Progress, services: tuple[ServiceState, ...]) -> Progress:
    """Remember since when each permanent diagnosis has been seen without a break."""
    present = [_key(s, t) for s in services for t in s.diagnoses if t.permanent and t.everywhere]
    return replace(progress, suspects={k: progress.suspects.get(k, progress.watched) for k in present})


def _key(service: ServiceState, diagnosis: Diagnosis) -> str:
    return f"{service.name}:{diagnosis.kind}"


def _hopeless(progress: Progress, services: tuple[ServiceState, ...], limits: Limits) -> Diagnosis | None:
    """Return the diagnosis that no patience can mend, or None."""
    for service in services:
        if service.readiness is Readiness.FAILED:
            return _worst(service) or Diagnosis(
                kind=DiagnosisKind.LOST, sentence=f"{service.name}: {service.sentence}"
            )
        for diagnosis in service.diagnoses:
            patience = ADMISSION_AFTER if diagnosis.kind in ADMISSION else PERMANENT_AFTER
            first = progress.suspects.get(_key(service, diagnosis))
            if diagnosis.permanent and first is not None and progress.watched - first >= patience:
                return diagnosis
            allowed = limits.crashes
            if diagnosis.kind is DiagnosisKind.MEMORY:
                allowed = min(allowed, MEMORY_RESTARTS)
            pod = progress.pods.get(diagnosis.pod_uid)
            excused = pod.excused if pod else 0
            if diagnosis.down and diagnosis.restarts - excused >= allowed:
                return diagnosis
    return None


def _verified(
    progress: Progress, services: tuple[ServiceState, ...], bundle: Bundle | None, *, at_once: bool
) -> bool:
    if bundle is None:
        return not services
    states = {s.name: s for s in services}
    for service in bundle.services:
        state = states.get(service.name)
        if state is None:
            return False
        if not (at_once and state.readiness is Readiness.READY) and not stood_window(
            progress, state, service
        ):
            return False
    return True


def _overdue(progress: Progress, services: tuple[ServiceState, ...], limits: Limits) -> Verdict:
    settling = bool(services) and all(s.readiness is Readiness.READY for s in services)
    idle = progress.watched - progress.moved
    late = [s for s in services if s.readiness is not Readiness.READY] or list(services)
    diagnosis = next((t for s in late if (t := _worst(s))), None)
    state = diagnosis.sentence if diagnosis else "; ".join(f"{s.name}: {s.sentence}" for s in late)
    if progress.watched >= limits.longest:
        cause = f"not finished after {limits.longest:g} s"
    elif idle >= progress.patience and not settling:
        cause = f"no progress for {progress.patience:g} s"
    else:
        return Verdict(progress=progress)
    cause = f"{cause}: {state}" if state else cause
    return Verdict(progress=progress, event=PromotionEvent.OVERDUE, cause=cause, diagnosis=diagnosis)


def _worst(service: ServiceState) -> Diagnosis | None:
    return service.diagnoses[0] if service.diagnoses else None


def _awaiting(progress: Progress, services: tuple[ServiceState, ...], bundle: Bundle | None) -> Progress:
    """Say what is awaited: the first diagnosis, else the first service that is not ready, else the window."""
    if bundle is None:
        return progress.awaiting(", ".join(f"{s.name} is being removed" for s in services))
    late = [s for s in services if s.readiness is not Readiness.READY]
    if late:
        # What a slow start looks like too is no news: nobody is to be made suspicious of it.
        diagnosis = next((d for d in late[0].diagnoses if not d.early), None)
        return progress.awaiting(diagnosis.sentence if diagnosis else f"{late[0].name}: {late[0].sentence}")
    states = {s.name: s for s in services}
    open_for = {s: left(progress, states[s.name], s) for s in bundle.services if s.name in states}
    last = max(open_for, key=lambda s: open_for[s], default=None)
    if last is None or open_for[last] <= 0:
        return progress.awaiting("")
    settling = Settling(service=last.name, seconds=last.window, left=open_for[last])
    return progress.awaiting(f"{last.name} is complete, watching for {last.window:g} s", settling)

"""When a rollout has succeeded, failed or taken too long: a function of what was seen and for how long."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from core.promotion import Event
from core.records.bundle import Bundle
from core.records.observation import Diagnosis, DiagnosisKind, Observation, Readiness, ServiceState
from core.records.progress import Limits, Progress, Settling

# A permanent diagnosis must be seen on every new pod for this long: a status lags its cause, and krane and
# skaffold both took back a verdict given at first sight.
PERMANENT_AFTER = 5.0
# Quota and admission errors are often cleared by the pods that are just going.
ADMISSION_AFTER = 30.0
ADMISSION = frozenset(
    {DiagnosisKind.QUOTA, DiagnosisKind.LIMITS, DiagnosisKind.ADMISSION, DiagnosisKind.SERVICE_ACCOUNT}
)
# A container without a readiness probe is ready in the instant it runs; an exit in its first seconds is a crash
# at start, ruled by `crashes`, not a failure of the settle window, ruled by `restarts`.
START_GRACE = 5.0
# Killed for memory twice: a third try changes nothing.
MEMORY_RESTARTS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one look means.

    Attributes:
        event: what happens to the promotion, or None while it goes on.
        cause: for BROKEN and OVERDUE, the sentence to tell; `diagnosis`: what it rests on.
        nothing_ran: for VERIFIED, no pod of the release exists (engine rule 35).
    """

    progress: Progress
    event: Event | None = None
    cause: str = ""
    diagnosis: Diagnosis | None = None
    nothing_ran: bool = False


def judge(
    progress: Progress,
    observation: Observation,
    *,
    bundle: Bundle | None,
    limits: Limits,
    elapsed: float,
    now: datetime,
    since: datetime,
    touched: datetime,
    known: Collection[str],
    unchanged: bool = False,
) -> Verdict:
    """Judge one look.

    Args:
        progress: what earlier looks left.
        observation: the look; where it is not synced nothing is judged and no clock runs.
        bundle: what should run; None for a removal, which is verified once nothing is left.
        limits: the patience that the promotion was given.
        elapsed: seconds watched since the look before.
        now: the present moment.
        since: when this stage began; a pod that was ready before keeps the age of its stamp.
        touched: when the promotion first touched the cluster.
        known: uids of the pods that were there before; any other is no older than `touched`, whatever the clock of
            its node says.
        unchanged: the applies changed nothing, so what is complete at the first look needs no settle window (engine,
            cells).
    """
    if not observation.synced:
        blind = observation.blind or "the cluster does not answer"
        return Verdict(progress=progress.awaiting(f"{blind}; the clocks stand still"))
    progress = _moved(replace(progress, watched=progress.watched + elapsed), observation.services)
    restarted = _restarted(progress, observation.services, limits)
    ages = _Ages(now=now, since=since, touched=touched, known=known)
    progress = _windows(progress, observation.services, ages)
    progress = _suspects(progress, observation.services)
    progress = replace(progress, services={s.name: (s.ready, s.wanted) for s in observation.services})
    progress = _awaiting(progress, observation.services, bundle)
    broken = restarted or _hopeless(progress, observation.services, limits)
    if broken is not None:
        return Verdict(progress=progress, event=Event.BROKEN, cause=broken.sentence, diagnosis=broken)
    # Later a complete state may be one between two crashes.
    if _verified(progress, observation.services, bundle, settled=unchanged and progress.watched == 0.0):
        ran = bundle is None or any(s.started for s in observation.services)
        return Verdict(progress=progress, event=Event.VERIFIED, nothing_ran=not ran)
    return _overdue(progress, observation.services, limits)


def _moved(progress: Progress, services: tuple[ServiceState, ...]) -> Progress:
    """Notice newly started and newly ready pods; the most that was ever seen counts, so flapping is no progress."""
    seen = dict(progress.seen)
    for service in services:
        started, ready = seen.get(service.name, (0, 0))
        seen[service.name] = (max(started, service.started), max(ready, service.ready))
    return replace(progress, seen=seen, moved=progress.watched if seen != progress.seen else progress.moved)


def _restarted(progress: Progress, services: tuple[ServiceState, ...], limits: Limits) -> Diagnosis | None:
    """Find a container that was restarted since its service's settle window opened (engine rule 33)."""
    for service in services:
        known = progress.baseline_restarts
        extra = sum(n - known[pod] for pod, n in service.restarts.items() if pod in known and n > known[pod])
        if extra > limits.restarts:
            return _worst(service) or Diagnosis(
                kind=DiagnosisKind.CRASH, sentence=f"{service.name} was restarted within its settle window"
            )
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ages:
    """How long ago a pod became ready; stamps are of the nodes' clocks, everything else is of ours."""

    now: datetime
    since: datetime
    touched: datetime
    known: Collection[str]

    def of(self, service: ServiceState) -> float:
        """Return the seconds since the last new pod of the service became ready, 0 for one of this stage."""
        if service.ready_stamp is None or service.ready_stamp >= self.since:
            return 0.0
        age = (self.now - service.ready_stamp).total_seconds()
        if not all(pod in self.known for pod in service.restarts):
            age = min(age, (self.now - self.touched).total_seconds())
        return max(0.0, age)


def _windows(progress: Progress, services: tuple[ServiceState, ...], ages: _Ages) -> Progress:
    """Begin a service's settle window anew whenever another new pod becomes ready."""
    marks, stamps, baseline = dict(progress.marks), dict(progress.stamps), dict(progress.baseline_restarts)
    for service in services:
        stamp = service.ready_stamp.isoformat() if service.ready_stamp else ""
        if stamp and stamps.get(service.name) != stamp:
            stamps[service.name], marks[service.name] = stamp, progress.watched - ages.of(service)
        old_enough = progress.watched - marks.get(service.name, progress.watched) >= START_GRACE
        whole = service.ready >= service.wanted > 0
        if whole and (old_enough or service.readiness is Readiness.READY):
            baseline = {pod: service.restarts[pod] for pod in service.restarts} | baseline
    return replace(progress, marks=marks, stamps=stamps, baseline_restarts=baseline)


def _suspects(progress: Progress, services: tuple[ServiceState, ...]) -> Progress:
    """Remember since when each permanent diagnosis has been seen without a break."""
    present = [_key(s, t) for s in services for t in s.diagnosis if t.permanent and t.everywhere]
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
        for diagnosis in service.diagnosis:
            patience = ADMISSION_AFTER if diagnosis.kind in ADMISSION else PERMANENT_AFTER
            first = progress.suspects.get(_key(service, diagnosis))
            if diagnosis.permanent and first is not None and progress.watched - first >= patience:
                return diagnosis
            allowed = limits.crashes
            if diagnosis.kind is DiagnosisKind.MEMORY:
                allowed = min(allowed, MEMORY_RESTARTS)
            if diagnosis.down and diagnosis.restarts >= allowed:
                return diagnosis
    return None


def _verified(
    progress: Progress, services: tuple[ServiceState, ...], bundle: Bundle | None, *, settled: bool
) -> bool:
    if bundle is None:
        return not services
    by_name = {s.name: s for s in services}
    for wanted in bundle.services:
        state = by_name.get(wanted.name)
        if state is None or state.readiness is not Readiness.READY:
            return False
        if state.started and not settled and _left(progress, wanted.name, wanted.settle) > 0:
            return False
    return True


def _left(progress: Progress, service: str, settle: float) -> float:
    """Return how many watched seconds of the settle window are left."""
    return settle - (progress.watched - progress.marks.get(service, progress.watched))


def _overdue(progress: Progress, services: tuple[ServiceState, ...], limits: Limits) -> Verdict:
    settling = bool(services) and all(s.readiness is Readiness.READY for s in services)
    idle = progress.watched - progress.moved
    late = [s for s in services if s.readiness is not Readiness.READY] or list(services)
    diagnosis = next((t for s in late if (t := _worst(s))), None)
    state = diagnosis.sentence if diagnosis else "; ".join(f"{s.name}: {s.sentence}" for s in late)
    if progress.watched >= limits.longest:
        cause = f"not finished after {limits.longest:g} s"
    elif idle >= limits.deadline and not settling:
        cause = f"no progress for {limits.deadline:g} s"
    else:
        return Verdict(progress=progress)
    cause = f"{cause}: {state}" if state else cause
    return Verdict(progress=progress, event=Event.OVERDUE, cause=cause, diagnosis=diagnosis)


def _worst(service: ServiceState) -> Diagnosis | None:
    return service.diagnosis[0] if service.diagnosis else None


def _awaiting(progress: Progress, services: tuple[ServiceState, ...], bundle: Bundle | None) -> Progress:
    """Say what is awaited: the first diagnosis, else the first service that is not ready, else the window."""
    if bundle is None:
        return progress.awaiting(", ".join(f"{s.name} is being removed" for s in services))
    late = [s for s in services if s.readiness is not Readiness.READY]
    if late:
        diagnosis = _worst(late[0])
        return progress.awaiting(diagnosis.sentence if diagnosis else f"{late[0].name}: {late[0].sentence}")
    left = {s.name: (_left(progress, s.name, s.settle), s.settle) for s in bundle.services}
    name = max(left, key=lambda n: left[n][0], default="")
    if not name or left[name][0] <= 0:
        return progress.awaiting("")
    settling = Settling(service=name, seconds=left[name][1])
    return progress.awaiting(f"{name} is complete, watching for {settling.seconds:g} s", settling)

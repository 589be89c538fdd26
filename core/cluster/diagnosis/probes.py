"""Why a container runs and is still not wanted: its readiness, liveness or startup check fails."""

import re
from datetime import timedelta

from core.cluster.diagnosis.starts import restarted
from core.cluster.diagnosis.view import ContainerView, EventView, PodView
from core.cluster.documents import Document, parse_timestamp
from core.records.observation import Diagnosis, DiagnosisKind

STATUS = re.compile(r"statuscode: (\d+)")
# A container that crashes fails its check as well; only a run of this length shows that the crash is over.
RECOVERED = timedelta(seconds=10)
# So long a process may start in silence before that is told as a fault, or so many checks: the kubelet's spam filter lets
# 25 of them through (seen), and then nothing tells how long it has been.
SLOW_START = timedelta(seconds=30)
SPAM_LIMIT = 25


def find_kill(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    """Explain a container that the kubelet kills itself; its exit code may be 0, so ask before the crash."""
    for kind in (DiagnosisKind.LIVENESS, DiagnosisKind.STARTUP):
        killed = [e for e in container.events_named("Killing") if f"failed {kind} probe" in e.message]
        if killed and _belongs(killed[-1], container):
            return _kill(service, pod, container, kind, killed[-1])
    return None


def find_recovered(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    """Explain a check that fails long after the last crash."""
    failure = _failing(container)
    started = parse_timestamp(container.running.get("startedAt"))
    if failure and failure.last and started and failure.last - started >= RECOVERED:
        return find(service, pod, container)
    return None


def find(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    """Explain a container that runs but is not ready."""
    failure = _failing(container)
    if failure is None:
        return None
    startup = failure.message.startswith("Startup")
    probe = container.spec.get("startupProbe" if startup else "readinessProbe") or {}
    key = "startupProbe" if startup else "health"
    check = f"{'startup' if startup else 'health'} check{target(container, probe)}"
    fact, hint, silent = f"its {check} fails", f"check {key}", False
    if found := STATUS.search(failure.message):
        fact = f"its {check} answers {found[1]}"
        hint = f"check {key}{'' if startup else '.path'}"
    elif "connection refused" in failure.message:
        fact, hint = f"nothing listens on {_port(container, probe)} (connection refused)", "check port"
        silent = True
    elif "deadline exceeded" in failure.message or "timeout" in failure.message.lower():
        fact = f"its {check} does not answer within {probe.get('timeoutSeconds') or 1} s"
        hint = f"check {key}{'' if startup else '.timeout'}"
        silent = True
    # What else a check says, the output of its command, may hold anything; it is left to the log.
    return pod.diagnosis(
        DiagnosisKind.PROBE,
        f"{service} runs, but {fact}",
        container=container,
        hint=hint,
        early=silent and _is_starting(container, failure),
        times=failure.count,
    )


def _is_starting(container: ContainerView, failure: EventView) -> bool:
    """Tell whether a process that answers nothing may just be slow to start; both times are of one node's clock."""
    started = parse_timestamp(container.running.get("startedAt"))
    told = sum(e.count for e in container.events_named("Unhealthy"))
    young = started is not None and failure.last is not None and failure.last - started < SLOW_START
    return young and told < SPAM_LIMIT and not container.restarts


def _failing(container: ContainerView) -> EventView | None:
    """Return the newest failed check of the present run, or None.

    The first check is sent at once, so one refused connection in the first second is normal, even in good rollouts.
    """
    if container.ready or not container.running:
        return None
    names = ("Readiness probe", "Startup probe")
    failures = [e for e in container.events_named("Unhealthy") if e.message.startswith(names)]
    started = parse_timestamp(container.running.get("startedAt"))
    failures = [e for e in failures if not (e.last and started and e.last < started)]
    if not failures or (sum(e.count for e in failures) < 2 and "connection refused" in failures[-1].message):
        return None
    return failures[-1]


def _kill(
    service: str, pod: PodView, container: ContainerView, kind: DiagnosisKind, killed: EventView
) -> Diagnosis:
    probe = container.spec.get(f"{kind}Probe") or {}
    unhealthy = [
        e for e in container.events_named("Unhealthy") if e.message.lower().startswith(f"{kind} probe")
    ]
    found = STATUS.search(unhealthy[-1].message) if unhealthy else None
    why = f" (it answers {found[1]})" if found else ""
    where = target(container, probe)
    if kind is DiagnosisKind.STARTUP:
        limit = (probe.get("initialDelaySeconds") or 0) + (probe.get("periodSeconds") or 10) * (
            probe.get("failureThreshold") or 3
        )
        fact = f"{service} does not pass its startup check{where} within {limit} s{why} and is killed"
    else:
        fact = f"the liveness check{where} of {service} fails{why}, so its container is killed"
    hint = "check startupProbe" if kind is DiagnosisKind.STARTUP else "check liveness"
    return pod.diagnosis(
        kind, fact, container=container, more=restarted(container), hint=hint, times=killed.count
    )


def _belongs(killed: EventView, container: ContainerView) -> bool:
    """Tell whether the kill ended the newest run that has ended, or is about to end the present one."""
    began = parse_timestamp(container.ended.get("startedAt")) or parse_timestamp(
        container.running.get("startedAt")
    )
    return killed.last is None or began is None or killed.last >= began


def target(container: ContainerView, probe: Document) -> str:
    """Return ` GET :8080/healthz`, or what else a probe asks; "" where it runs a command."""
    if http := probe.get("httpGet"):
        return f" GET :{_number(container, http.get('port'))}{http.get('path') or '/'}"
    for kind in ("tcpSocket", "grpc"):
        if probe.get(kind):
            return f" on {_port(container, probe)}"
    return ""


def _port(container: ContainerView, probe: Document) -> str:
    ways = (probe.get(kind) or {} for kind in ("httpGet", "tcpSocket", "grpc"))
    port = next((w["port"] for w in ways if w.get("port")), None)
    return f"port {_number(container, port)}" if port else "its port"


def _number(container: ContainerView, port: object) -> object:
    """Return the number behind a named port."""
    named = {p.get("name"): p.get("containerPort") for p in container.spec.get("ports") or ()}
    return named.get(port, port)

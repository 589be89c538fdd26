"""Why a pod has no node yet: the scheduler's text, cut, and which line of convox.yml would help."""

import re
from collections.abc import Sequence

from core.cluster.diagnosis.view import PodView
from core.cluster.documents import Document, condition
from core.records.observation import Diagnosis, DiagnosisKind

# Kubernetes 1.37 appends what preemption would not do, and a stray word after volume claims.
PREEMPTION = ". preemption:"
STRAY = ". not found"
ROOM = re.compile(r"Insufficient (\S+?)[.,]?(?=\s|$)")
PORTS = "didn't have free ports"
LABELS = "didn't match Pod's node affinity/selector"
CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" (?:not found|is being deleted)')
KEYS = {"cpu": "scale.cpu", "memory": "scale.memory"}
SURGE = "lower deployment.minimum so that an old pod goes first"


def find(service: str, pod: PodView, *, surge: bool) -> Diagnosis | None:
    """Explain a pod that no node takes; `surge`: old pods stand in its place, so making room would help."""
    scheduled = condition(pod.document, "PodScheduled")
    if pod.spec.get("nodeName") or scheduled.get("status") != "False":
        return None
    if scheduled.get("reason") == "SchedulingGated":
        return pod.diagnosis(
            DiagnosisKind.UNSCHEDULABLE, f"{service} waits: its pods are held back by a scheduling gate"
        )
    if scheduled.get("reason") != "Unschedulable":
        return None
    text = cut(str(scheduled.get("message", "")))
    if "PersistentVolumeClaims" in text or CLAIM.search(text):
        return None
    times = sum(e.count for e in pod.events_named("FailedScheduling")) or 1
    fact, remedies = _explain(service, pod.spec, text)
    if surge and LABELS not in text:
        remedies.append(SURGE)
    return pod.diagnosis(DiagnosisKind.UNSCHEDULABLE, fact, hint=", or ".join(remedies), times=times)


def cut(text: str) -> str:
    """Cut the scheduler's text where it stops helping."""
    return text.partition(PREEMPTION)[0].removesuffix(STRAY).rstrip(". ")


def _explain(service: str, spec: Document, text: str) -> tuple[str, list[str]]:
    """Return the sentence and what would help."""
    if short := list(dict.fromkeys(ROOM.findall(text))):
        asks = " and ".join(f"{_requested(spec, r)} {_unit(r)}".strip() for r in short)
        keys = " and ".join(KEYS[r] for r in short if r in KEYS)
        remedies = [f"lower {keys}", "add a node"] if keys else ["add a node"]
        return f"{service} asks for {asks}, and no node has that much left ({text})", remedies
    if PORTS in text:
        ports = ", ".join(sorted(_host_ports(spec)))
        return (
            f"port {ports} of every fitting node is taken, so a new pod of {service} has no place ({text})",
            [],
        )
    if LABELS in text:
        wanted = ", ".join(f"{k}={v}" for k, v in sorted((spec.get("nodeSelector") or {}).items()))
        labels = f"the label {wanted}" if wanted else "the labels"
        return f"no node has {labels} that {service} asks for ({text})", ["check nodeSelectorLabels"]
    return f"no node takes a new pod of {service} now ({text or 'the scheduler gives no reason'})", []


def _requested(spec: Document, resource: str) -> str:
    """Return what the pod's containers ask for, as written; several are joined by +."""
    containers: Sequence[Document] = spec.get("containers") or ()
    asked = [str(((c.get("resources") or {}).get("requests") or {}).get(resource, "")) for c in containers]
    return " + ".join(a for a in asked if a) or "more"


def _unit(resource: str) -> str:
    return {"cpu": "CPU", "memory": "of memory"}.get(resource, resource)


def _host_ports(spec: Document) -> set[str]:
    containers: Sequence[Document] = spec.get("containers") or ()
    ports = (p for c in containers for p in c.get("ports") or ())
    return {str(p["hostPort"]) for p in ports if p.get("hostPort")}

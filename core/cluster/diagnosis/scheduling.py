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
CLAIM_MISSING = re.compile(r'persistentvolumeclaim "([^"]+)" (?:not found|is being deleted)')
KEYS = {"cpu": "scale.cpu", "memory": "scale.memory"}
SURGE = "lower deployment.minimum so that an old pod goes first"
# What an old pod that goes makes room for, and the nodes on which no pod of an app ever stands.
MADE_BY_GOING = re.compile(
    r"Insufficient \S+|Too many pods|node\(s\) didn't have free ports for the requested pod ports"
)
NEVER_OURS = re.compile(r"node\(s\) had untolerated taint(?:\(s\))? \{node-role\.kubernetes\.io/[^{}]*\}")
REASONS = re.compile(r"\d{1,9} (.+?)(?:, (?=\d{1,9} )|$)")
QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
UNITS = {None: 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
UNITS |= {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def find(service: str, pod: PodView, *, old: Sequence[Document]) -> Diagnosis | None:
    """Explain a pod that no node takes; `old`: the specs of the old pods that stand in its place."""
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
    if "PersistentVolumeClaims" in text or CLAIM_MISSING.search(text):
        return None
    times = sum(e.count for e in pod.events_named("FailedScheduling")) or 1
    fact, remedies = _explain(service, pod.spec, text)
    if any(_makes_room(spec, pod.spec, text) for spec in old):
        remedies.append(SURGE)
    return pod.diagnosis(DiagnosisKind.UNSCHEDULABLE, fact, hint=", or ".join(remedies), times=times)


def cut(text: str) -> str:
    """Cut the scheduler's text where it stops helping."""
    return text.partition(PREEMPTION)[0].removesuffix(STRAY).rstrip(". ")


def _makes_room(old: Document, new: Document, text: str) -> bool:
    """Tell whether an old pod that goes would surely leave a place: else one that serves would go for nothing.

    Room must be all that is missing on every node where the old pod may stand, and what it holds as much as is asked for.
    """
    reasons = [r for r in REASONS.findall(text.partition(": ")[2]) if not NEVER_OURS.fullmatch(r)]
    if not reasons or not all(MADE_BY_GOING.fullmatch(r) for r in reasons):
        return False
    if PORTS in text and not _host_ports(new) <= _host_ports(old):
        return False
    return all(_sum(old, resource) >= _sum(new, resource) for resource in ROOM.findall(text))


def _sum(spec: Document, resource: str) -> float:
    """Return what the containers of a pod ask for; nothing where it is written in a way that is not known."""
    asked = [QUANTITY.fullmatch(each) for each in _asked(spec, resource)]
    return sum(float(found[1]) * UNITS[found[2]] for found in asked if found)


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
    return " + ".join(_asked(spec, resource)) or "more"


def _asked(spec: Document, resource: str) -> list[str]:
    containers: Sequence[Document] = spec.get("containers") or ()
    asked = [str(((c.get("resources") or {}).get("requests") or {}).get(resource, "")) for c in containers]
    return [each for each in asked if each]


def _unit(resource: str) -> str:
    return {"cpu": "CPU", "memory": "of memory"}.get(resource, resource)


def _host_ports(spec: Document) -> set[str]:
    containers: Sequence[Document] = spec.get("containers") or ()
    ports = (p for c in containers for p in c.get("ports") or ())
    return {str(p["hostPort"]) for p in ports if p.get("hostPort")}

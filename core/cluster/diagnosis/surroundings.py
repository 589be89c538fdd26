"""What is wrong around a pod, not in it: volumes, the pod's network, the node, old pods that stay."""

import re
from collections.abc import Sequence

from core.cluster.diagnosis.scheduling import CLAIM_MISSING, cut
from core.cluster.diagnosis.starts import hook_said
from core.cluster.diagnosis.view import PodView, event_view, events_of, one_line
from core.cluster.documents import (
    Document,
    condition,
    is_condition_true,
    is_terminating,
    name_of,
    spec_of,
    uid_of,
)
from core.cluster.kinds.config_map import CONFIG_MAP
from core.cluster.kinds.event import EVENT
from core.cluster.kinds.secret import SECRET
from core.cluster.kinds.volume_claim import VOLUME_CLAIM
from core.cluster.snapshot import Snapshot, is_alive
from core.records.observation import Diagnosis, DiagnosisKind

VOLUME = re.compile(r'for volume "([^"]+)"')
MISSING = re.compile(r'(secret|configmap) "([^"]+)" not found')
MOUNTED = {kind.name.lower(): kind for kind in (SECRET, CONFIG_MAP)}
CLASS = re.compile(r'storageclass\S{0,40} "([^"]+)" not found')


def find_volume(service: str, pod: PodView, snapshot: Snapshot) -> Diagnosis | None:
    """Explain a pod that waits for a volume; the Pod itself says only `ContainerCreating`."""
    scheduled = condition(pod.document, "PodScheduled")
    text = cut(str(scheduled.get("message", "")))
    if scheduled.get("reason") == "Unschedulable" and (
        "PersistentVolumeClaims" in text or CLAIM_MISSING.search(text)
    ):
        return pod.diagnosis(DiagnosisKind.VOLUME, _claim(service, pod, snapshot, text))
    events = pod.events_named("FailedMount", "FailedAttachVolume")
    if not events or any(c.running or c.ended for c in pod.containers):
        return None
    newest = events[-1]
    volume, lost = VOLUME.search(newest.message), MISSING.search(newest.message)
    name = f'the volume "{volume[1]}"' if volume else "a volume"
    if lost:
        fact = f'{service} mounts the {MOUNTED[lost[1]]} "{lost[2]}", which does not exist'
    else:
        fact = f"{name} of {service} cannot be mounted: {one_line(newest.message.rpartition(' : ')[2], 200)}"
    return pod.diagnosis(DiagnosisKind.VOLUME, fact, times=newest.count)


def find_sandbox(service: str, pod: PodView) -> Diagnosis | None:
    """Explain a pod whose network the node cannot set up."""
    events = pod.events_named("FailedCreatePodSandBox")
    if not events or any(c.running or c.ended for c in pod.containers):
        return None
    node = pod.spec.get("nodeName") or "its node"
    fact = f"{node} cannot set up the network of a new pod of {service}: the cluster's fault, not the app's"
    return pod.diagnosis(DiagnosisKind.SANDBOX, fact, times=sum(e.count for e in events))


def find_node(service: str, pods: Sequence[Document]) -> Diagnosis | None:
    """Tell of a node that went silent; `pods`: all of the service, since a new one on it says nothing of itself.

    The controller denies such pods readiness, their containers never did.
    """
    for pod in pods:
        denied = condition(pod, "Ready").get("status") == "False"
        if denied and is_condition_true(pod, "ContainersReady") and not spec_of(pod).get("readinessGates"):
            node = spec_of(pod).get("nodeName") or ""
            fact = f"the node {node} does not report any more: the pods of {service} on it do not count and cannot change"
            return Diagnosis(
                kind=DiagnosisKind.NODE, sentence=fact, fact=fact, pod=name_of(pod), pod_uid=uid_of(pod)
            )
    return None


def find_evicted(service: str, pods: Sequence[PodView]) -> Diagnosis | None:
    """Explain pods that the kubelet threw out or did not let in; their replacements are judged by themselves."""
    thrown = [p for p in pods if p.status.get("phase") == "Failed" and p.status.get("reason")]
    if not thrown:
        return None
    newest = thrown[-1]
    reason, why = newest.status["reason"], str(newest.status.get("message") or "").strip().rstrip(".")
    # OutOfcpu, NodeAffinity, UnexpectedAdmissionError: not let in; Terminated, NodeShutdown, Preempting: ended.
    what = "are evicted from their node" if reason == "Evicted" else f"are not kept by their node ({reason})"
    return newest.diagnosis(
        DiagnosisKind.EVICTED, f"pods of {service} {what}: {why}".removesuffix(": "), times=len(thrown)
    )


def find_stuck(service: str, pods: Sequence[Document]) -> Diagnosis | None:
    """Tell of old pods whose processes have ended and that still cannot go."""
    for pod in pods:
        finalizers = pod["metadata"].get("finalizers") or []
        if is_terminating(pod) and finalizers and not is_alive(pod):
            held = ", ".join(finalizers)
            fact = f"an old pod of {service} cannot go: finalizer {held} is not being removed"
            return Diagnosis(kind=DiagnosisKind.TERMINATING, sentence=fact, fact=fact, pod=name_of(pod))
    return None


def find_pre_stop(service: str, pods: Sequence[Document], snapshot: Snapshot) -> Diagnosis | None:
    """Tell of a preStop hook that fails in a pod that goes; it goes all the same, perhaps in the midst of its work."""
    for pod in filter(is_terminating, pods):
        failed = [e for e in events_of(snapshot, uid_of(pod)) if e.reason == "FailedPreStopHook"]
        if failed:
            said = hook_said(failed[-1].message)
            fact = f"the preStop hook of {service} fails{said}: its old pods are stopped without it"
            return Diagnosis(kind=DiagnosisKind.TERMINATING, sentence=fact, fact=fact, pod=name_of(pod))
    return None


def _claim(service: str, pod: PodView, snapshot: Snapshot, text: str) -> str:
    """Say why a claim is pending; the reason is an event on the claim, some seconds later."""
    if absent := CLAIM_MISSING.search(text):
        return f'{service} needs the volume claim "{absent[1]}", which does not exist'
    names = [
        v["persistentVolumeClaim"]["claimName"]
        for v in pod.spec.get("volumes") or ()
        if "persistentVolumeClaim" in v
    ]
    for event in snapshot.all(EVENT.name):
        about = event.get("involvedObject") or {}
        if about.get("kind") == VOLUME_CLAIM.name and about.get("name") in names:
            seen = event_view(event)
            if seen.reason == "ProvisioningFailed":
                lost = CLASS.search(seen.message)
                why = f'storage class "{lost[1]}" does not exist' if lost else one_line(seen.message, 200)
                return f'the volume claim "{about["name"]}" of {service} is pending: {why}'
    claims = ", ".join(f'"{n}"' for n in names)
    return f"the volume claim {claims} of {service} is pending: no volume was made for it yet"

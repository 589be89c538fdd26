"""Why there is no pod at all: the API server refuses what the replica set asks for."""

import re
from collections.abc import Sequence

from core.cluster.diagnosis.view import EventView, last, one_line
from core.cluster.documents import Document, condition, spec_of, uid_of
from core.records.observation import Diagnosis, DiagnosisKind

# Pattern, kind, sentence, and whether waiting is no use (the verdict still waits 30 s for old pods to go).
CAUSES = (
    (
        re.compile(r'serviceaccount "([^"]+)" not found'),
        DiagnosisKind.SERVICE_ACCOUNT,
        '{service} needs the service account "{0}", which does not exist',
        True,
    ),
    (
        re.compile(r"exceeded quota: (.+)$"),
        DiagnosisKind.QUOTA,
        "the namespace's quota allows no new pod of {service}: exceeded {0}",
        True,
    ),
    (
        re.compile(r'violates PodSecurity "([^":]+)(?::[^"]*)?": (.+)$'),
        DiagnosisKind.ADMISSION,
        "the namespace forbids the pods of {service} (PodSecurity {0}): {1}",
        True,
    ),
    (
        re.compile(r"((?:maximum|minimum) \S+ \S+ per (?:Container|Pod) is .+)$"),
        DiagnosisKind.LIMITS,
        "{service} is outside the namespace's limits ({0}): check scale",
        True,
    ),
    (
        re.compile(r'failed calling webhook "([^"]+)"'),
        DiagnosisKind.WEBHOOK,
        'the cluster\'s webhook "{0}" does not answer, so no pod of {service} can be made',
        False,
    ),
    (
        re.compile(r'admission webhook "([^"]+)" denied the request: ?(.*)$'),
        DiagnosisKind.ADMISSION,
        'the cluster\'s webhook "{0}" refuses the pods of {service}: {1}',
        True,
    ),
    (
        re.compile(r"ValidatingAdmissionPolicy '([^']+)'.{0,300}? denied request: ?(.*)$"),
        DiagnosisKind.ADMISSION,
        'the cluster\'s admission policy "{0}" refuses the pods of {service}: {1}',
        True,
    ),
)
# The text carries the generated name of the pod, so every try would else be a new sentence.
FAILED_CREATE = "FailedCreate"
# How the controllers of DaemonSets and StatefulSets begin.
TOLD_BY = re.compile(r"^(?:Error creating: |create Pod \S+ in StatefulSet \S+ failed error: )")
POD_FORBIDDEN = re.compile(r'pods? "[^"]*" is forbidden: ')


def find(
    service: str, replica_sets: Sequence[Document], owners: frozenset[str], *, going: int = 0
) -> Diagnosis | None:
    """Explain replica sets of the release that cannot make their pods.

    Only their own condition counts: a Deployment repeats that of old sets, and events hide behind generated names.

    Args:
        service: its name.
        replica_sets: those of the release.
        owners: uids of the replica sets that have a pod all the same.
        going: pods of the namespace that are being removed; a quota that they still hold is not the last word.
    """
    for replica_set in replica_sets:
        failure = condition(replica_set, "ReplicaFailure")
        if failure.get("status") == "True" and spec_of(replica_set).get("replicas"):
            kind, fact, permanent = _explain(service, POD_FORBIDDEN.sub("", str(failure.get("message", ""))))
            if kind is DiagnosisKind.QUOTA and going:
                permanent, fact = False, f"{fact}; pods that are going still hold a part of it"
            fact = one_line(fact)
            everywhere = uid_of(replica_set) not in owners
            return Diagnosis(kind=kind, sentence=fact, fact=fact, permanent=permanent, everywhere=everywhere)
    return None


def find_told(service: str, events: Sequence[EventView], *, lacking: bool) -> Diagnosis | None:
    """Explain a workload that makes its pods itself and cannot: its controller says so in events alone.

    So it is never permanent (no verdict rests on an event), and nothing at all once no pod is lacking.
    """
    failed = [event for event in events if event.reason == FAILED_CREATE]
    if not lacking or not failed:
        return None
    newest = failed[-1]
    kind, fact, _ = _explain(service, POD_FORBIDDEN.sub("", TOLD_BY.sub("", newest.message)))
    fact = one_line(fact)
    return Diagnosis(kind=kind, sentence=fact, fact=fact, everywhere=True, times=newest.count)


def _explain(service: str, text: str) -> tuple[DiagnosisKind, str, bool]:
    """Return kind, sentence and whether waiting is no use."""
    for pattern, kind, sentence, permanent in CAUSES:
        if found := pattern.search(text):
            return kind, sentence.format(*found.groups(), service=service), permanent
    return DiagnosisKind.CREATE, f"Kubernetes cannot make the pods of {service}: {last(text, 300)}", False

"""Pod templates compared: what makes two of them the same, and whose the one is that a workload has now (engine rule 44)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from core.cluster.documents import Document, generation_of, name_of, release_of, spec_of
from core.cluster.labels import HASH_LABEL, PROMOTION_ANNOTATION
from core.cluster.ownership import RESTARTED, SOMEBODY, shown_fields, template_owners
from core.records.intent import Applied
from core.records.observation import Diagnosis, DiagnosisKind


def template_of(document: Document) -> dict[str, Any]:
    """Return the pod template of a workload, or of what makes its pods, without what the controllers put into it."""
    # A ControllerRevision keeps it as the change that leads to it.
    spec = spec_of(document) or (document.get("data") or {}).get("spec") or {}
    template = spec.get("template") or {}
    metadata = {k: v for k, v in (template.get("metadata") or {}).items() if k != "creationTimestamp"}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    return {"metadata": _filled(metadata, labels=labels), "spec": template.get("spec") or {}}


def restarted_at(document: Document) -> str:
    """Return when the pods of a workload were last told to be replaced, "" where they never were."""
    notes = template_of(document)["metadata"].get("annotations") or {}
    return str(notes.get(RESTARTED, ""))


def template_digest(document: Document) -> str:
    """Return the SHA-256 of a workload's pod template, "" where it has none.

    `kubectl rollout restart` changes no release, so what it notes in the template is left out.
    """
    if "template" not in spec_of(document):
        return ""
    template = template_of(document)
    metadata = template["metadata"]
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != RESTARTED}
    plain = {**template, "metadata": _filled(metadata, annotations=notes)}
    spelled = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelled.encode()).hexdigest()


def overwritten(live: Document, applied: Applied | None, release: str) -> Diagnosis | None:
    """Return who has put another template into a workload since we applied ours, None where nobody has.

    A rollout is ours only while the live template is what the apply has answered; a state from before it says nothing.
    Who has put another release into it is a bot of this installation: one that this database, restored since, does not know of.
    """
    if applied is None or not applied.template or generation_of(live) < applied.generation:
        return None
    if template_digest(live) == applied.template:
        return None
    newest = next(iter(template_owners(live)), None)
    if newest is None and (other := release_of(live)) not in ("", release):
        promotion = (live["metadata"].get("annotations") or {}).get(PROMOTION_ANNOTATION)
        who = f"promotion {promotion}" if promotion else "another promotion"
        fact = (
            f"{who} of convox-bot put {other} into {name_of(live)}"
            " while it was rolled out: it was asked for after the backup that this database comes from, or by a second bot"
        )
        return Diagnosis(kind=DiagnosisKind.OVERWRITTEN, sentence=fact, fact=fact)
    who = newest.manager if newest else SOMEBODY
    what = shown_fields(newest.fields) if newest else "the pod template"
    fact = f"{who} changed {what} of {name_of(live)} while it was rolled out"
    return Diagnosis(kind=DiagnosisKind.OVERWRITTEN, sentence=fact, fact=fact)


def _filled(metadata: Mapping[str, Any], **parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata with these parts in place of its own; an empty one is none."""
    kept = {k: v for k, v in metadata.items() if k not in parts}
    return kept | {k: v for k, v in parts.items() if v}

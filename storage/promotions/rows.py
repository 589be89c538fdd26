"""Rows ↔ promotions and everything that belongs to one; the only place that knows both."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from sqlite3 import Row
from typing import Any

import orjson

from core.promotion import Phase, Promotion, PromotionEntry
from core.records.approval import Approval
from core.records.binding import Binding
from core.records.bundle import Ref
from core.records.countdown import Countdown
from core.records.intent import BaselineObject, Intent
from core.records.line import Line
from core.records.live_entry import LiveEntry
from core.records.pod_sample import PodSample, ServicePods
from core.records.progress import Completion, Limits, PodProgress, Progress, Settling
from core.records.scale_job import ScaleJob
from core.records.step import PruneJob, Step
from core.records.waits_for import WaitsFor
from core.records.workload_count import WorkloadCount
from storage.codec import (
    Columns,
    actor_of,
    actor_or_none,
    actor_text,
    actor_text_or_none,
    datetime_or_none,
    json,
    refs_of,
    refs_text,
    sentence_document,
    sentence_of,
    timestamp,
    timestamp_or_none,
)
from storage.keys import Vault

# Columns that are written and read as they are.
PLAIN = (
    *("id", "app", "release", "kind", "source", "channel", "token"),
    *("back_to", "baseline_of", "superseded_by", "cause_kind", "revision"),
)
ACTORS = ("declined_by", "cancelled_by", "stopped_by", "taken_over_by")
MOMENTS = ("expires_at", "started_at", "touched_at", "stage_at", "settled_at")
FLAGS = ("force", "overwrite", "removed", "nothing_ran", "blameless")
SENTENCES = ("cause", "reason")


def promotion_row(promotion: Promotion, vault: Vault) -> Columns:
    columns = {name: getattr(promotion, name) for name in (*PLAIN, *FLAGS)}
    columns |= {name: timestamp_or_none(getattr(promotion, name)) for name in MOMENTS}
    columns |= {name: actor_text_or_none(getattr(promotion, name)) for name in ACTORS}
    return columns | {
        "phase": promotion.phase.value,
        "approvals": promotion.approvals_needed,
        "requested_by": actor_text(promotion.requested_by),
        "requested_at": timestamp(promotion.requested_at),
        "limits": json(promotion.limits),
        "restarts": json(promotion.restarts),
        "waits_for": None if promotion.waits_for is None else json(promotion.waits_for),
        "countdown": None if promotion.countdown is None else json(promotion.countdown),
        "words": vault.seal(words_document(promotion)),
        "progress": progress_blob(promotion.progress, vault),
    }


def words_document(promotion: Promotion) -> dict[str, Any]:
    """Return the document of `promotions.words`; what approvals are bound to is in it, for it names objects."""
    bound = promotion.binding
    return {name: sentence_document(getattr(promotion, name)) for name in SENTENCES} | {
        "anyway": promotion.anyway,
        "added_at": promotion.added_at,
        "authors": [actor_text(each) for each in promotion.authors],
        "break_glass": promotion.break_glass,
        "through": [sentence_document(each) for each in promotion.through],
        "variables_of": promotion.variables_of,
        "cautions": promotion.cautions,
        "along": [sentence_document(each) for each in promotion.along],
        "approved_for": None if bound is None else binding_document(bound),
    }


def binding_document(binding: Binding) -> dict[str, Any]:
    return asdict(binding) | {"prune": [[ref.kind, ref.name] for ref in binding.prune]}


def binding_of(document: dict[str, Any]) -> Binding:
    prune = tuple(Ref(kind, name) for kind, name in document["prune"])
    # Before anything could be queued nothing was approved to follow something else.
    return Binding(**(document | {"prune": prune, "follows": tuple(document.get("follows", ()))}))


def promotion_entry_of(row: Row) -> PromotionEntry:
    return PromotionEntry(
        **{name: row[name] for name in ("id", "app", "release", "kind", "cause_kind")},
        phase=Phase(row["phase"]),
        touched_at=datetime_or_none(row["touched_at"]),
        settled_at=datetime_or_none(row["settled_at"]),
        restarts=tuple(orjson.loads(row["restarts"])),
        cancelled_by=actor_or_none(row["cancelled_by"]),
        blameless=bool(row["blameless"]),
    )


def promotion_of(row: Row, vault: Vault) -> Promotion:
    words = vault.unseal(row["words"])
    bound = words["approved_for"]
    fields: dict[str, Any] = {name: row[name] for name in PLAIN}
    fields |= {name: bool(row[name]) for name in FLAGS}
    fields |= {name: datetime_or_none(row[name]) for name in MOMENTS}
    fields |= {name: actor_or_none(row[name]) for name in ACTORS}
    fields |= {name: sentence_of(words[name]) for name in SENTENCES}
    return Promotion(
        **fields,
        anyway=words["anyway"],
        # Before there were freezes nothing went through one.
        authors=tuple(actor_of(each) for each in words.get("authors", ())),
        added_at=words.get("added_at", 0),
        break_glass=words.get("break_glass"),
        through=tuple(sentence_of(each) for each in words.get("through", ())),
        variables_of=words.get("variables_of"),
        cautions=tuple(words.get("cautions", ())),
        # Before this was kept nobody was told.
        along=tuple(sentence_of(each) for each in words.get("along", ())),
        binding=None if bound is None else binding_of(bound),
        phase=Phase(row["phase"]),
        approvals_needed=row["approvals"],
        requested_by=actor_of(row["requested_by"]),
        requested_at=datetime.fromisoformat(row["requested_at"]),
        limits=Limits(**orjson.loads(row["limits"])),
        restarts=tuple(orjson.loads(row["restarts"])),
        waits_for=waits_for_of(row["waits_for"]),
        countdown=countdown_of(row["countdown"]),
        progress=progress_of(vault.unseal(row["progress"])),
    )


def waits_for_of(text: str | None) -> WaitsFor | None:
    if text is None:
        return None
    document = orjson.loads(text)
    return WaitsFor(**document | {"at": datetime_or_none(document["at"])})


def countdown_of(text: str | None) -> Countdown | None:
    if text is None:
        return None
    document = orjson.loads(text)
    return Countdown(**document | {"at": datetime.fromisoformat(document["at"])})


def progress_blob(progress: Progress, vault: Vault) -> bytes:
    return vault.seal(asdict(progress))


def progress_of(document: dict[str, Any]) -> Progress:
    """Read a progress of this version or of another: what is not known here is left out, what is missing has begun anew.

    A settle window was once a service's and is a pod's now: of such a one only what restarts are counted from is kept, and
    a window that was open begins anew.
    """
    known = {name: document[name] for name in PROGRESS if name in document}
    counted = document.get("baseline_restarts", {})
    pods = known.pop(
        "pods", {uid: {"service": "", "restarts": n, "baseline": n} for uid, n in counted.items()}
    )
    complete = known.pop("complete", {})
    # What was watched before this was kept learns it at the next look.
    settling = known.pop("settling", None)
    remarks = tuple(known.pop("remarks", ()))
    services = {name: (counts[0], counts[1]) for name, counts in known.pop("services", {}).items()}
    known["blind_since"] = datetime_or_none(known.get("blind_since"))
    for name in ("routes", "unrouted"):
        known[name] = tuple(known.get(name, ()))
    return Progress(
        **known,
        services=services,
        remarks=remarks,
        settling=_settling_of(settling) if settling else None,
        pods={uid: PodProgress(**_only(POD, pod)) for uid, pod in pods.items()},
        complete={name: Completion(**_only(COMPLETION, once)) for name, once in complete.items()},
    )


def _settling_of(document: dict[str, Any]) -> Settling:
    until = datetime_or_none(document.get("until"))
    return Settling(**(_only(SETTLING, document) | {"until": until}))


def _names(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))


def _only(names: frozenset[str], document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name in names}


PROGRESS, POD, COMPLETION = _names(Progress), _names(PodProgress), _names(Completion)
SETTLING = _names(Settling)


def intent_row(promotion: str, intent: Intent, vault: Vault) -> Columns:
    document = {
        "namespace_uid": intent.namespace_uid,
        "objects": [asdict(each) for each in intent.objects],
        "replica_sets": dict(intent.replica_sets),
        "pods": dict(intent.pods),
        "going": sorted(intent.terminating),
        "lacking": [[ref.kind, ref.name, nodes] for ref, nodes in intent.lacking.items()],
    }
    return {"promotion": promotion, "sealed": vault.seal(document)}


def intent_of(row: Row, vault: Vault) -> Intent:
    document = vault.unseal(row["sealed"])
    return Intent(
        namespace_uid=document["namespace_uid"],
        objects=tuple(_baseline_object(each) for each in document["objects"]),
        replica_sets={uid: (seen[0], seen[1]) for uid, seen in document["replica_sets"].items()},
        pods=document["pods"],
        terminating=frozenset(document["going"]),
        # An intent of before there were agents has none.
        lacking={Ref(kind, name): tuple(nodes) for kind, name, nodes in document.get("lacking", ())},
    )


def _baseline_object(document: Mapping[str, Any]) -> BaselineObject:
    """Return it as it was stored, by version 0.1.0 too, which kept two fields that nothing has ever read."""
    kept = {k: v for k, v in document.items() if k not in {"resource_version", "progress_stamp"}}
    return BaselineObject(**(kept | {"ref": Ref(**document["ref"])}))


def step_row(step: Step) -> Columns:
    return {
        "promotion": step.promotion,
        "stage": step.stage,
        "kind": step.ref.kind,
        "name": step.ref.name,
        "action": step.action,
        "state": step.state,
        "token": step.token,
        "uid": step.uid,
        "generation": step.generation,
        "changed": step.changed,
        "template": step.template,
    }


def step_of(row: Row) -> Step:
    return Step(
        promotion=row["promotion"],
        stage=row["stage"],
        ref=Ref(row["kind"], row["name"]),
        action=row["action"],
        state=row["state"],
        token=row["token"],
        uid=row["uid"],
        generation=row["generation"],
        changed=bool(row["changed"]),
        template=row["template"],
    )


def workload_count_row(counted: WorkloadCount) -> Columns:
    return {
        "app": counted.app,
        "kind": counted.ref.kind,
        "name": counted.ref.name,
        "count": counted.count,
        "replicas": counted.replicas,
    }


def workload_count_of(row: Row) -> WorkloadCount:
    ref = Ref(row["kind"], row["name"])
    return WorkloadCount(app=row["app"], ref=ref, count=row["count"], replicas=row["replicas"])


def approval_row(approval: Approval, vault: Vault) -> Columns:
    return {
        "promotion": approval.promotion,
        "actor_key": approval.actor.key,
        "actor": actor_text(approval.actor),
        "decision": approval.decision,
        "at": timestamp(approval.at),
        "reason": vault.seal(approval.reason),
    }


def approval_of(row: Row, vault: Vault) -> Approval:
    return Approval(
        promotion=row["promotion"],
        actor=actor_of(row["actor"]),
        decision=row["decision"],
        at=datetime.fromisoformat(row["at"]),
        reason=vault.unseal(row["reason"]),
    )


def line_row(subject: str, line: Line, vault: Vault) -> Columns:
    return {
        "subject": subject,
        "mark": vault.keyed_digest("line", line.key),
        "at": timestamp(line.at),
        "kind": line.kind,
        "sealed": vault.seal([line.object, line.text, line.key]),
    }


def line_of(row: Row, vault: Vault) -> tuple[int, Line]:
    name, text, key = vault.unseal(row["sealed"])
    at = datetime.fromisoformat(row["at"])
    return row["seq"], Line(at=at, object=name, text=text, key=key, kind=row["kind"])


def live_entry_of(row: Row) -> LiveEntry:
    at = datetime.fromisoformat(row["settled_at"])
    return LiveEntry(promotion=row["id"], release=row["live"], at=at)


def scale_job_row(job: ScaleJob) -> Columns:
    kept = ("app", "service", "before", "count", "promotion", "token")
    return {name: getattr(job, name) for name in kept} | {
        "kind": job.ref.kind,
        "name": job.ref.name,
        "actor": actor_text(job.actor),
    }


def scale_job_of(row: Row) -> ScaleJob:
    kept = ("id", "app", "service", "before", "count", "promotion", "token")
    ref, actor = Ref(row["kind"], row["name"]), actor_of(row["actor"])
    return ScaleJob(ref=ref, actor=actor, **{name: row[name] for name in kept})


def prune_job_row(job: PruneJob) -> Columns:
    return {"promotion": job.promotion, "app": job.app, "refs": refs_text(job.refs)}


def prune_job_of(row: Row) -> PruneJob:
    return PruneJob(promotion=row["promotion"], app=row["app"], refs=refs_of(row["refs"]))


def sample_row(promotion_id: str, sample: PodSample, vault: Vault) -> Columns:
    counts = {
        name: [each.new, each.new_ready, each.old_ready, each.wanted]
        for name, each in sample.services.items()
    }
    return {
        "promotion": promotion_id,
        "at": timestamp(sample.at),
        "stage": sample.stage,
        "counts": vault.seal(counts),
    }


def sample_of(row: Row, vault: Vault) -> PodSample:
    counts = vault.unseal(row["counts"])
    return PodSample(
        at=datetime.fromisoformat(row["at"]),
        stage=row["stage"],
        services={
            name: ServicePods(new=new, new_ready=ready, old_ready=old, wanted=wanted)
            for name, (new, ready, old, wanted) in counts.items()
        },
    )

"""Recorded rollouts of a real kubelet, as a watch of ours would have delivered them.

`recordings.tar.xz` holds one file a scenario, one JSON document a line: a mark (`start`, `apply`, `complete`, `log` …), or a
change of a Deployment, ReplicaSet, Pod, Event or Node, whole at first sight and as a merge patch afterwards (RFC 7386, but a
patch `{"#2": …}` of a list changes its item 2). Those named `k135/…` come from kubelet 1.35.4 with containerd 1.6.

The recorded rollouts know no releases, so the label of ours is put in: a replica set belongs to the release that was applied
when it was first seen, a pod to that of its replica set, a Deployment's template to that of its generation. An apply of a
manifest that was applied before is an apply of that release again.
"""

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from core.cluster.labels import RELEASE_LABEL
from core.cluster.snapshot import Delta
from core.records.bundle import BundleService, Ref
from core.records.intent import Applied

ARCHIVE = Path(__file__).with_name("recordings.tar.xz")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
JUDGED = ("Deployment", "ReplicaSet", "Pod", "Event")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a recording: either a delta or a mark.

    Attributes:
        at: milliseconds since the recording began.
        release: what is applied (or about to be) in this phase.
    """

    at: int
    phase: str
    release: str
    delta: Delta | None = None
    mark: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recording:
    name: str
    raw: tuple[dict[str, Any], ...]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps())

    @cached_property
    def applies(self) -> list[dict[str, Any]]:
        """The accepted applies, in order, each with the name of its release."""
        accepted = [dict(m) for m in self.raw if m.get("mark") == "apply" and m["http"] < 300]
        templates: list[tuple[Any, str]] = []
        for mark in accepted:
            template = mark["manifest"]["spec"]["template"]
            mark["release"] = next((r for t, r in templates if t == template), mark["phase"])
            templates.append((template, mark["release"]))
        return accepted

    def release(self, phase: str) -> str:
        """Return the release that a phase applies; a refused apply leaves the one before."""
        return next((a["release"] for a in reversed(self.applies) if a["phase"] == phase), "v1")

    def applied(self, phase: str) -> Applied:
        """Return what the last accepted apply of a phase, or of one before it, was answered."""
        phases = list(dict.fromkeys(m["phase"] for m in self.raw))
        mark = [a for a in self.applies if phases.index(a["phase"]) <= phases.index(phase)][-1]
        uid = next(d["object"]["metadata"]["uid"] for d in self.raw if d.get("kind") == "Deployment")
        return Applied(ref=Ref("Deployment", "web"), uid=uid, generation=mark["generation"])

    def applied_at(self, phase: str) -> int:
        return next(int(a["t"]) for a in self.applies if a["phase"] == phase)

    def at(self, mark: str, phase: str) -> int | None:
        """Return when a mark stands in a phase; None where it does not."""
        return next((s.at for s in self.steps if s.mark.get("mark") == mark and s.phase == phase), None)

    @property
    def service(self) -> BundleService:
        return BundleService(
            name="web",
            workload=Ref("Deployment", "web"),
            count=self.applies[0]["manifest"]["spec"].get("replicas", 1),
            settle=10,
            soak=20,
        )

    def shifted(self, seconds: int, *kinds: str) -> "Recording":
        """Return the same rollout, seen by machines whose clocks differ from ours: every time that they wrote is another.

        Args:
            seconds: how far they are ahead.
            *kinds: whose documents; those that kubelets write, or all.
        """
        raw = tuple(_shifted(line, seconds) if line.get("kind") in kinds else line for line in self.raw)
        return Recording(self.name, raw)

    def _steps(self) -> Iterator[Step]:
        last: dict[str, Any] = {}
        releases: dict[str, str] = {}
        generations = {a["generation"]: a["release"] for a in reversed(self.applies)}
        for line in self.raw:
            release = self.release(line["phase"])
            if "mark" in line:
                yield Step(line["t"], line["phase"], release, mark=line)
                continue
            document = line.get("object") or _merge(last[line["uid"]], line["patch"])
            last[document["metadata"]["uid"]] = document
            if line["kind"] in JUDGED:
                labelled = _labelled(line["kind"], document, release, releases, generations)
                yield Step(line["t"], line["phase"], release, Delta(line["kind"], line["type"], labelled))


@cache
def recordings() -> dict[str, Recording]:
    """Return every recording by its name, unpacked once."""
    with tarfile.open(ARCHIVE) as archive:
        files = {m.name: archive.extractfile(m) for m in archive.getmembers() if m.isfile()}
        lines = {name: [json.loads(line) for line in file] for name, file in files.items() if file}
    return {
        name.removesuffix(".jsonl"): Recording(name.removesuffix(".jsonl"), tuple(raw))
        for name, raw in lines.items()
    }


def _shifted(document: Any, seconds: int) -> Any:
    if isinstance(document, dict):
        return {key: _shifted(value, seconds) for key, value in document.items()}
    if isinstance(document, list):
        return [_shifted(item, seconds) for item in document]
    if isinstance(document, str) and TIME.fullmatch(document):
        moved = datetime.fromisoformat(document) + timedelta(seconds=seconds)
        return moved.isoformat().replace("+00:00", "Z")
    return document


def _labelled(
    kind: str, document: Any, release: str, releases: dict[str, str], generations: dict[int, str]
) -> Any:
    """Return the document with the label that our objects carry."""
    meta = document["metadata"]
    if kind == "Deployment":
        return _with_template(document, generations.get(meta["generation"], release))
    if kind == "ReplicaSet":
        return _with_template(document, releases.setdefault(meta["uid"], release))
    if kind == "Pod":
        mine = releases.setdefault(meta["ownerReferences"][0]["uid"], release)
        return {**document, "metadata": _with_label(meta, mine)}
    return document


def _with_template(document: Any, release: str) -> Any:
    spec = document["spec"]
    template = {**spec["template"], "metadata": _with_label(spec["template"]["metadata"], release)}
    return {**document, "spec": {**spec, "template": template}}


def _with_label(meta: Any, release: str) -> Any:
    return {**meta, "labels": {**meta.get("labels", {}), RELEASE_LABEL: release}}


def _merge(old: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    if isinstance(old, list):
        return [_merge(item, patch[f"#{i}"]) if f"#{i}" in patch else item for i, item in enumerate(old)]
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged

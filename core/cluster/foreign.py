"""The one door for what a namespace's objects say: values are taken out before any of it is read, cut or quoted."""

from collections.abc import Mapping
from typing import Any

from core.cluster.documents import Document
from core.cluster.kinds.event import EVENT
from core.cluster.kinds.pod import POD
from core.redaction import Redactor

# Of a longer text beginning and end are read: causes stand there, and nobody is kept waiting by the rest.
LONGEST_MESSAGE = 8192  # characters
CONTAINERS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def without_values(kind: str, document: Document, redact: Redactor) -> dict[str, Any]:
    """Return an object as it may be told of: the messages of its status, or the text of an event, without values."""
    if kind == EVENT.name:
        told = {key: _clean(document[key], redact) for key in ("message", "note") if document.get(key)}
        return {**document, **told}
    status = document.get("status")
    if not status:
        return {**document}
    said = _said(status, redact)
    if kind == POD.name:
        said |= {
            key: [_container(each, redact) for each in status[key]] for key in CONTAINERS if status.get(key)
        }
    return {**document, "status": {**status, **said}}


def _said(part: Mapping[str, Any], redact: Redactor) -> dict[str, Any]:
    """Return what is said in a status, or another part of an object, without values: its message, its conditions."""
    said: dict[str, Any] = {}
    if part.get("message"):
        said["message"] = _clean(part["message"], redact)
    if part.get("conditions"):
        said["conditions"] = [{**each, **_said(each, redact)} for each in part["conditions"]]
    return said


def _container(status: Document, redact: Redactor) -> Document:
    states = {
        key: {name: _state(state, redact) for name, state in status[key].items()}
        for key in ("state", "lastState")
        if status.get(key)
    }
    return {**status, **states}


def _state(state: Document, redact: Redactor) -> Document:
    """Return a state; the kubelet keeps the last 2 KiB of a log as its message, from wherever these begin."""
    if not state or not state.get("message"):
        return state
    return {**state, "message": redact.torn(_bounded(str(state["message"])))}


def _clean(text: Any, redact: Redactor) -> str:
    return redact(_bounded(str(text)))


def _bounded(text: str) -> str:
    half = LONGEST_MESSAGE // 2
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:half]}…{text[-half:]}"

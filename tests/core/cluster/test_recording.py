"""Events that the bot writes: once under their name, in Kubernetes' shape, and never longer than it takes."""

from dataclasses import replace

import pytest

from core.cluster.kinds.recorded_event import RECORDED_EVENT
from core.cluster.recording import MOST_NOTE_BYTES, event_object
from core.errors import Rejected
from core.records.cluster_event import ClusterEvent
from tests.core.cluster.live import HOME, NOW, WEB, live

EVENT = ClusterEvent(
    name="web.pabcdefghij.ended",
    ref=WEB,
    reason="RolledBack",
    action="Promote",
    note="PABCDEFGHIJ: promote of RABCDEFGHIJ: OK",
    warning=True,
    at=NOW,
)


def test_an_event_says_who_what_and_about_what():
    assert event_object(HOME, EVENT, {"metadata": {"uid": "u1"}}) == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": "web.pabcdefghij.ended",
            "namespace": "convox-myapp",
            "labels": {"app.kubernetes.io/managed-by": "convox-bot"},
        },
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "convox-bot",
        "reportingInstance": "convox-bot",
        "action": "Promote",
        "reason": "RolledBack",
        "regarding": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "namespace": "convox-myapp",
            "name": "web",
            "uid": "u1",
        },
        "related": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "namespace": "convox-myapp",
            "name": "convox-bot-anchor",
        },
        "note": "PABCDEFGHIJ: promote of RABCDEFGHIJ: OK",
        "type": "Warning",
    }


@pytest.mark.parametrize("letter", ["a", "ä", "日"])
def test_a_long_note_is_cut_between_letters(letter):
    note = event_object(HOME, replace(EVENT, note=letter * 2000, warning=False), None)["note"]
    assert len(note.encode()) <= MOST_NOTE_BYTES
    assert note.rstrip("…").strip(letter) == ""
    assert note.endswith("…")


async def test_one_that_is_there_already_is_left_as_it_is_and_another_refusal_is_told():
    async with live() as on:
        for note in ("first", "second"):
            await on.cluster.record_event("myapp", replace(EVENT, note=note))
        found, _ = await on.admin.list(HOME.at(RECORDED_EVENT.name))
        assert [each["note"] for each in found] == ["first"]
        on.simulated.access.deny = lambda verb, resource, _namespace: (verb, resource) == ("create", "events")
        with pytest.raises(Rejected, match="may not create events"):
            await on.cluster.record_event("myapp", replace(EVENT, name="another"))

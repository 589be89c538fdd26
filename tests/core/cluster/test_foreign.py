"""What a namespace's objects say loses its values before anything is read, cut or quoted (rule 17)."""

from typing import Any

import pytest

from core.cluster.evidence import evidence
from core.cluster.fencing import AppNamespace
from core.cluster.foreign import LONGEST_MESSAGE, without_values
from core.records.desired_state import DesiredState
from core.records.intent import Intent
from core.records.observation import Diagnosis, DiagnosisKind
from core.redaction import Redactor
from tests.core.cluster.faultserver import Answer, faulty
from tests.core.cluster.live import live

SECRET = 'hunter2"hunter\ufeff2'
QUIET = Redactor([SECRET])
HOME = AppNamespace("convox", "myapp")
CRASH = Diagnosis(kind=DiagnosisKind.CRASH, sentence="", pod="web-1", container="main")

PLACES: dict[str, tuple[str, dict[str, Any]]] = {
    "the status": ("Pod", {"status": {"message": SECRET}}),
    "a condition": ("ReplicaSet", {"status": {"conditions": [{"type": "A", "message": SECRET}]}}),
    "a container that waits": (
        "Pod",
        {"status": {"containerStatuses": [{"name": "main", "state": {"waiting": {"message": SECRET}}}]}},
    ),
    "the last words of a container": (
        "Pod",
        {
            "status": {
                "containerStatuses": [{"lastState": {"terminated": {"message": f"{SECRET[4:]}\nfailed"}}}]
            }
        },
    ),
    "an init container": (
        "Pod",
        {"status": {"initContainerStatuses": [{"state": {"terminated": {"message": SECRET[:9]}}}]}},
    ),
    "an event": ("Event", {"message": f"exec: {SECRET}: no such file"}),
    "a new event": ("Event", {"note": f"exec: {SECRET}: no such file"}),
    "a long event": ("Event", {"message": "x" * (LONGEST_MESSAGE // 2 - 6) + SECRET + "x" * LONGEST_MESSAGE}),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_place_of_an_object_tells_a_value(place: str):
    kind, document = PLACES[place]
    told = str(without_values(kind, {"metadata": {"uid": "1"}, **document}, QUIET))
    assert "hunter" not in told
    assert "er2" not in told
    assert "****" in told


def test_what_tells_nothing_stays_as_it_is():
    plain = {"metadata": {"uid": "1"}, "spec": {"x": SECRET}}
    assert without_values("Deployment", plain, QUIET) == plain
    running = {
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "state": {"running": {}}}]}
    }
    assert without_values("Pod", running, QUIET) == running


async def test_a_log_is_compared_before_it_is_cleaned_and_cut():
    log = f"\x1b[31m{SECRET[:7]}\x1b[0m{SECRET[7:]} is wrong\n" + "x" * 495 + SECRET + "\n"
    async with faulty() as (server, client):
        server.others = [Answer(body=f"{SECRET[8:]} was set\n{log}".encode())]
        told = await evidence(client, HOME, CRASH, QUIET)
    assert told.splitlines()[:2] == ["**** was set", "**** is wrong"]
    assert "hunt" not in told


async def test_a_value_of_many_lines_is_whole_where_twenty_lines_are_shown():
    value = "\n".join(f"line {n}" for n in range(40))
    async with faulty() as (server, client):
        server.others = [Answer(body=f"{value}\nfailed\n".encode())]
        assert await evidence(client, HOME, CRASH, Redactor([value])) == "****\nfailed"


async def test_the_watch_tells_nothing_that_an_event_says():
    async with live() as on:
        bundle = on.bundle("web:good")
        image = next(o for o in bundle.objects if o["kind"] == "Deployment")
        image = image["spec"]["template"]["spec"]["containers"][0]["image"]
        applied = await on.apply(bundle)
        async with on.cluster.watch(
            "myapp", Intent(namespace_uid="", objects=()), Redactor([image])
        ) as watch:
            watch.aim(DesiredState(release=bundle.release, bundle=bundle, applied=applied))
            heard: list[str] = []
            while not any(" image " in text for text in heard):
                heard += [line.text for line in (await watch.next(1.0)).lines]
        assert [text for text in heard if image in text] == []
        assert any('image "****"' in text for text in heard)

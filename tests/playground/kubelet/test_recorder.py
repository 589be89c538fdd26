"""Events of a kubelet: created once, then counted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.playground.kubelet.api import ApiClientError
from bot.playground.kubelet.recorder import PodEventRecorder
from bot.playground.kubelet.timeline import EventSpec
from tests.fakes import JumpingClock

POD = {
    "metadata": {"name": "web-1", "namespace": "convox-myapp", "uid": "u1", "resourceVersion": "7"},
    "spec": {"nodeName": "node-1"},
}
BACK_OFF = EventSpec(
    type="Warning", reason="BackOff", message="Back-off restarting failed container", container="main"
)


CLOCK = JumpingClock(datetime(2026, 11, 24, 12, tzinfo=UTC))


class Answers:
    """An API server that notes what it is told and answers with an error if it has one."""

    def __init__(self, error=None):
        self.requests = []
        self.error = error

    async def call(self, method, path, body, **_):
        self.requests.append((method, path, body))
        if self.error:
            raise self.error


async def test_the_first_event_is_created_about_its_container():
    api: Any = Answers()
    await PodEventRecorder(api, CLOCK, POD).post(BACK_OFF)
    ((method, path, body),) = api.requests
    assert (method, path) == ("POST", "/api/v1/namespaces/convox-myapp/events")
    assert body["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "web-1",
        "namespace": "convox-myapp",
        "uid": "u1",
        "resourceVersion": "7",
        "fieldPath": "spec.containers{main}",
    }
    assert body["source"] == {"component": "kubelet", "host": "node-1"}
    assert (body["count"], body["firstTimestamp"]) == (1, "2026-11-24T12:00:00Z")


async def test_the_same_event_again_is_counted_in_the_first():
    api: Any = Answers()
    recorder = PodEventRecorder(api, CLOCK, POD)
    for _ in range(3):
        await recorder.post(BACK_OFF)
    name = api.requests[0][2]["metadata"]["name"]
    counted = [(method, path.rpartition("/")[2], body["count"]) for method, path, body in api.requests[1:]]
    assert counted == [("PATCH", name, 2), ("PATCH", name, 3)]


async def test_an_event_that_the_server_does_not_take_is_left_out():
    going: Any = Answers(ApiClientError(403, "Forbidden", "is being terminated"))
    await PodEventRecorder(going, CLOCK, POD).post(BACK_OFF)
    broken: Any = Answers(ApiClientError(500, "InternalError", "etcd"))
    with pytest.raises(ApiClientError, match="500"):
        await PodEventRecorder(broken, CLOCK, POD).post(BACK_OFF)

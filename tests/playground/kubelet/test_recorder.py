"""Events of a kubelet: created once, then counted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.playground.kubelet.api import ApiError
from bot.playground.kubelet.recorder import Recorder
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
        self.told = []
        self.error = error

    async def call(self, method, path, body, **_):
        self.told.append((method, path, body))
        if self.error:
            raise self.error


async def test_the_first_event_is_created_about_its_container():
    api: Any = Answers()
    await Recorder(api, CLOCK, POD).post(BACK_OFF)
    ((method, path, body),) = api.told
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
    recorder = Recorder(api, CLOCK, POD)
    for _ in range(3):
        await recorder.post(BACK_OFF)
    name = api.told[0][2]["metadata"]["name"]
    counted = [(method, path.rpartition("/")[2], body["count"]) for method, path, body in api.told[1:]]
    assert counted == [("PATCH", name, 2), ("PATCH", name, 3)]


async def test_an_event_that_the_server_does_not_take_is_left_out():
    going: Any = Answers(ApiError(403, "Forbidden", "is being terminated"))
    await Recorder(going, CLOCK, POD).post(BACK_OFF)
    broken: Any = Answers(ApiError(500, "InternalError", "etcd"))
    with pytest.raises(ApiError, match="500"):
        await Recorder(broken, CLOCK, POD).post(BACK_OFF)

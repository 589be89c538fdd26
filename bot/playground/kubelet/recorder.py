"""Events as a kubelet posts them: the first of a kind is created, the next ones are counted in it."""

import secrets
from typing import Any

from bot.playground.kubelet.api import MERGE, ApiClient, ApiClientError
from bot.playground.kubelet.status import stamp
from bot.playground.kubelet.timeline import EventSpec
from core.clock import Clock

Document = dict[str, Any]


def event_document(pod: Document, spec: EventSpec, *, name: str, moment: str) -> Document:
    """Return the event about a container of a pod, counted once."""
    about = pod["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": about["namespace"]},
        "type": spec.type,
        "reason": spec.reason,
        "message": spec.message,
        "count": 1,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
        "reportingComponent": "kubelet",
        "reportingInstance": pod["spec"]["nodeName"],
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": about["name"],
            "namespace": about["namespace"],
            "uid": about["uid"],
            "resourceVersion": about["resourceVersion"],
            "fieldPath": spec.field_path,
        },
    }


class PodEventRecorder:
    """Posts the events of one pod."""

    def __init__(self, api: ApiClient, clock: Clock, pod: Document) -> None:
        self._api = api
        self._clock = clock
        self._pod = pod
        self._path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/events"
        self._said: dict[EventSpec, tuple[str, int]] = {}

    async def post(self, spec: EventSpec) -> None:
        """Post one event. Events are news, not truth: one that the server does not take is left out."""
        moment = stamp(self._clock.now())
        name, count = self._said.get(spec, (f"{self._pod['metadata']['name']}.{secrets.token_hex(8)}", 0))
        self._said[spec] = (name, count + 1)
        try:
            if count:
                again = {"count": count + 1, "lastTimestamp": moment}
                await self._api.call("PATCH", f"{self._path}/{name}", again, content=MERGE)
            else:
                await self._api.call(
                    "POST", self._path, event_document(self._pod, spec, name=name, moment=moment)
                )
        except ApiClientError as error:
            # The namespace is being removed, or the event's time to live is over.
            if error.code not in (403, 404, 409):
                raise

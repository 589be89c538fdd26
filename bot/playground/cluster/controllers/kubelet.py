"""The kubelets of all nodes: each bound pod's life is played by a task of its own."""

import asyncio
import base64
import logging
from collections.abc import Coroutine, Iterable, Iterator
from itertools import count
from typing import Any

from bot.playground.cluster.api import Api
from bot.playground.cluster.controllers.controller import Controller, Key, key_of
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.logs import ContainerLogs
from bot.playground.cluster.resources import BY_KIND
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.writes import FieldManager
from bot.playground.kubelet.git_clones import (
    CloneRequest,
    after_clone,
    as_started,
    clone_request,
    tell,
)
from bot.playground.kubelet.pod_lifecycle import PodContext, PodStep, pod_lifecycle, pod_termination

Document = dict[str, Any]
log = logging.getLogger(__name__)
# A kubelet looks for a Secret that is still to come.
_SECRET_SECONDS = 0.5
STATUS = FieldManager(manager="kubelet", subresource="status")


class Kubelets(Controller):
    """Starts a pod worker for every pod with a node, and another one when it is to go."""

    delay = 0.01

    def __init__(self, api: Api, gate: asyncio.Event, logs: ContainerLogs) -> None:
        super().__init__(api, gate)
        self.images: dict[str, set[str]] = {}
        self._logs = logs
        self._recorder = EventRecorder(api, "kubelet", capped=False)
        self._pod_workers: dict[str, asyncio.Task[None]] = {}
        self._terminating: set[str] = set()
        self._addresses: dict[str, str] = {}
        self._numbers = count(5)
        self._failures: list[BaseException] = []

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("Pod") if each["spec"].get("nodeName")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        if change.group_resource != "pods":
            return []
        if change.after is None:
            assert change.before is not None
            self._forget(change.before["metadata"]["uid"])
            return []
        return [key_of(change.after)] if change.after["spec"].get("nodeName") else []

    async def reconcile(self, key: Key) -> float | None:
        pod = self.api.find("Pod", *key)
        if pod is None or not pod["spec"].get("nodeName"):
            return None
        uid = pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            if uid not in self._terminating:
                self._terminating.add(uid)
                self._stop(uid)
                self._start_pod_worker(pod, pod_termination(pod, self._pod_context(pod)))
        elif uid not in self._pod_workers and pod.get("status", {}).get("phase") not in {
            "Succeeded",
            "Failed",
        }:
            if asked := clone_request(pod):
                self._begin(pod, self._run_clone(pod, asked))
            else:
                self._start_pod_worker(pod, pod_lifecycle(pod, self._pod_context(pod)))
        return None

    async def run(self) -> None:
        """Work until cancelled, and take all pod workers along.

        Raises:
            BaseException: what a pod worker failed with, if one did.
        """
        try:
            await super().run()
        finally:
            pod_workers = list(self._pod_workers.values())
            for pod_worker in pod_workers:
                pod_worker.cancel()
            if pod_workers:
                await asyncio.wait(pod_workers)
            self._pod_workers.clear()
            if self._failures:
                raise self._failures[0]

    def _start_pod_worker(self, pod: Document, steps: Iterator[PodStep]) -> None:
        self._begin(pod, self._run_pod(pod, steps))

    def _begin(self, pod: Document, work: Coroutine[Any, Any, None]) -> None:
        uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
        pod_worker = asyncio.create_task(work, name=f"pod {name}")
        pod_worker.add_done_callback(self._ended)
        self._pod_workers[uid] = pod_worker

    def _ended(self, pod_worker: asyncio.Task[None]) -> None:
        failure = None if pod_worker.cancelled() else pod_worker.exception()
        if failure is not None:
            log.error("%s stopped being played", pod_worker.get_name(), exc_info=failure)
            self._failures.append(failure)

    async def _run_clone(self, pod: Document, asked: CloneRequest) -> None:
        """Tell the bot what was cloned before the pod is played: what its second container runs is the answer."""
        context = self._pod_context(pod)
        while True:
            secret = self.api.find("Secret", pod["metadata"]["namespace"], asked.secret)
            if secret is not None and (started := as_started(pod, asked, secret["data"])) is not None:
                break
            await self.clock.sleep(_SECRET_SECONDS)
        pod = started
        asked = clone_request(pod) or asked
        if not asked.refusal:
            token = base64.b64decode(secret["data"][asked.token]).decode()
            pod = after_clone(pod, asked, await tell(asked, token, self.clock.sleep))
        await self._run_pod(pod, pod_lifecycle(pod, context))

    async def _run_pod(self, pod: Document, steps: Iterator[PodStep]) -> None:
        began, elapsed = self.clock.monotonic(), 0.0
        for step in steps:
            elapsed += step.after
            # Against the beginning, so that slow moments do not add up.
            await self.clock.sleep(began + elapsed - self.clock.monotonic())
            await self._gate.wait()
            self._take_step(pod, step)

    def _take_step(self, pod: Document, step: PodStep) -> None:
        uid, node = pod["metadata"]["uid"], pod["spec"]["nodeName"]
        for event in step.events:
            self._recorder.record(
                pod, event.type, event.reason, event.message, field_path=event.field_path, host=node
            )
        if step.pulled:
            self.images.setdefault(node, set()).add(step.pulled)
        if step.restarted:
            self._logs.restart(uid, step.container)
        if step.log:
            self._logs.append(uid, step.container, step.log, self.clock.now())
        if step.status is not None:
            status = step.status
            self.api.edit("Pod", *key_of(pod), lambda live: _with_status(live, uid, status), STATUS)
        if step.gone:
            self._remove(pod)

    def _remove(self, pod: Document) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        try:
            self.api.delete(BY_KIND["Pod"], *key_of(pod), options)
        except ApiError:
            return

    def _pod_context(self, pod: Document) -> PodContext:
        node, namespace, uid = pod["spec"]["nodeName"], pod["metadata"]["namespace"], pod["metadata"]["uid"]
        if uid not in self._addresses:
            number = next(self._numbers)
            self._addresses[uid] = f"10.244.{number // 250 % 250}.{number % 250}"
        return PodContext(
            began=self.clock.now(),
            present=lambda image: image in self.images.get(node, set()),
            exists=lambda kind, name: self.api.find(kind, namespace, name) is not None,
            address=self._addresses[uid],
            host=self._host(node),
        )

    def _host(self, node: str) -> str:
        found = self.api.find("Node", "", node) or {}
        addresses = found.get("status", {}).get("addresses") or [{"address": "192.168.77.1"}]
        address: str = addresses[0]["address"]
        return address

    def _stop(self, uid: str) -> None:
        pod_worker = self._pod_workers.pop(uid, None)
        if pod_worker is not None:
            pod_worker.cancel()

    def _forget(self, uid: str) -> None:
        self._stop(uid)
        self._terminating.discard(uid)
        self._addresses.pop(uid, None)
        self._logs.forget(uid)


def _with_status(live: Document, uid: str, status: Document) -> Document:
    if live["metadata"]["uid"] != uid:
        return live
    return {**live, "status": {**live.get("status", {}), **status}}

"""The simulated kubelet: registers nodes with a real control plane and plays the lifecycle of every pod bound to them."""

import asyncio
import itertools
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

from bot.playground.kubelet.api import MERGE, ApiClient, ApiClientError
from bot.playground.kubelet.informer import TRANSIENT, Informer
from bot.playground.kubelet.logs import ContainerLog
from bot.playground.kubelet.node import RENEWAL_SECONDS, NodeRegistration
from bot.playground.kubelet.pod_lifecycle import pod_lifecycle, pod_termination
from bot.playground.kubelet.recorder import PodEventRecorder
from bot.playground.kubelet.server import LogServer
from bot.playground.kubelet.timeline import PodContext, PodStep
from core.clock import Clock

log = logging.getLogger(__name__)
Document = dict[str, Any]
_KINDS = {"Secret": "/api/v1/secrets", "ConfigMap": "/api/v1/configmaps"}
_HOST = "127.0.0.1"


class SimulatedKubelet:
    """Plays the kubelets of some nodes: `async with SimulatedKubelet(api, clock): …`.

    Controllers and scheduler of a real control plane live in real time, and so must this clock: with a faster one
    the conditions would carry times in the future, and no pod would ever be available.
    """

    def __init__(self, api: ApiClient, clock: Clock, *, nodes: int = 2) -> None:
        self._api = api
        self._clock = clock
        self._server = LogServer(self._find, clock)
        self._names = [f"node-{number}" for number in range(1, nodes + 1)]
        self._nodes: dict[str, NodeRegistration] = {}
        self._pods: dict[str, Document] = {}
        self._container_logs: dict[tuple[str, str], ContainerLog] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._terminating: set[str] = set()
        self._existing: set[tuple[str, str, str]] = set()
        self._addresses = itertools.count(5)
        self._group: asyncio.TaskGroup | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._server)
            for name in self._names:
                node = self._nodes[name] = NodeRegistration(
                    self._api, self._clock, name, port=self._server.port
                )
                stack.push_async_callback(_deregister, node)
                await node.register()
            running = asyncio.create_task(self.run(), name="kubelet")
            stack.push_async_callback(_end, running)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        """Follow the cluster until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for node in self._nodes.values():
                group.create_task(self._keep_alive(node), name=f"lease {node.name}")
            for kind, path in _KINDS.items():
                group.create_task(self._follow_objects(kind, path), name=f"follow {path}")
            group.create_task(self._follow_pods(), name="follow pods")

    # -- what the cluster says -----------------------------------------------------------------------------

    async def _keep_alive(self, node: NodeRegistration) -> None:
        while True:
            try:
                await node.renew()
            except (ApiClientError, *TRANSIENT) as error:
                log.warning("the lease of %s was not renewed: %s", node.name, error)
            await self._clock.sleep(RENEWAL_SECONDS)

    async def _follow_objects(self, kind: str, path: str) -> None:
        async for change in Informer(self._api, self._clock, path).changes():
            about = change.document["metadata"]
            key = (kind, about["namespace"], about["name"])
            (self._existing.discard if change.deleted else self._existing.add)(key)

    async def _follow_pods(self) -> None:
        async for change in Informer(
            self._api, self._clock, "/api/v1/pods", field="spec.nodeName!="
        ).changes():
            if change.document["spec"]["nodeName"] in self._nodes:
                self._on_pod(change.document, deleted=change.deleted)

    def _on_pod(self, pod: Document, *, deleted: bool) -> None:
        uid = pod["metadata"]["uid"]
        if deleted:
            self._forget(uid)
            return
        self._pods[uid] = pod
        leaving = "deletionTimestamp" in pod["metadata"]
        if leaving and uid not in self._terminating:
            self._terminating.add(uid)
            self._start_pod_worker(
                pod, pod_termination(pod, self._pod_context(pod)), f"termination of {pod['metadata']['name']}"
            )
        elif not leaving and uid not in self._tasks:
            self._start_pod_worker(
                pod, pod_lifecycle(pod, self._pod_context(pod)), f"lifecycle of {pod['metadata']['name']}"
            )

    def _forget(self, uid: str) -> None:
        if task := self._tasks.pop(uid, None):
            task.cancel()
        self._terminating.discard(uid)
        self._pods.pop(uid, None)
        for key in [key for key in self._container_logs if key[0] == uid]:
            self._container_logs.pop(key).running = False

    def _pod_context(self, pod: Document) -> PodContext:
        namespace = pod["metadata"]["namespace"]
        return PodContext(
            began=self._clock.now(),
            present=self._nodes[pod["spec"]["nodeName"]].images.__contains__,
            exists=lambda kind, name: (kind, namespace, name) in self._existing,
            address="10.244.{}.{}".format(*divmod(next(self._addresses) % 65536, 256)),
            host=_HOST,
        )

    # -- what the node does --------------------------------------------------------------------------------

    def _start_pod_worker(self, pod: Document, steps: Iterator[PodStep], name: str) -> None:
        """Give the pod a new worker in place of the one it has."""
        assert self._group is not None
        uid = pod["metadata"]["uid"]
        if before := self._tasks.pop(uid, None):
            before.cancel()
        self._tasks[uid] = self._group.create_task(self._run_pod(pod, steps), name=name)

    async def _run_pod(self, pod: Document, steps: Iterator[PodStep]) -> None:
        recorder = PodEventRecorder(self._api, self._clock, pod)
        due = self._clock.monotonic()
        try:
            for step in steps:
                due += step.after  # from the start, so that slow answers do not add up
                await self._clock.sleep(due - self._clock.monotonic())
                await self._take_step(pod, step, recorder)
        except ApiClientError as error:
            # Gone, replaced, or its namespace is being removed; anything else is worth a look.
            level = logging.DEBUG if error.code in (403, 404, 409) else logging.ERROR
            log.log(level, "%s: %s", pod["metadata"]["name"], error)
        except Exception:
            log.exception("the lifecycle of %s broke off", pod["metadata"]["name"])

    async def _take_step(self, pod: Document, step: PodStep, recorder: PodEventRecorder) -> None:
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        # First the log: whoever sees the status may ask for the log in the same instant.
        self._write_log(pod, step)
        if step.pulled:
            self._nodes[pod["spec"]["nodeName"]].images.add(step.pulled)
        for event in step.events:
            await recorder.post(event)
        if step.status is not None:
            await self._write_status(pod, path, step.status)
        if step.gone:
            now = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
            await self._api.call("DELETE", path, now)

    def _write_log(self, pod: Document, step: PodStep) -> None:
        if not step.container:
            return
        container_log = self._container_logs.setdefault(
            (pod["metadata"]["uid"], step.container), ContainerLog()
        )
        if step.restarted:
            container_log.start_new_run()
        container_log.write(step.log, self._clock.now())

    async def _write_status(self, pod: Document, path: str, status: Document) -> None:
        uid = pod["metadata"]["uid"]
        body = {"metadata": {"uid": uid}, "status": status}  # the uid: never a pod of the same name
        self._pods[uid] = await self._api.call("PATCH", f"{path}/status", body, content=MERGE)
        for entry in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
            if container_log := self._container_logs.get((uid, entry["name"])):
                container_log.running = "running" in entry["state"]

    def _find(self, namespace: str, name: str, container: str) -> tuple[Document, ContainerLog | None] | None:
        for uid, pod in self._pods.items():
            if (pod["metadata"]["namespace"], pod["metadata"]["name"]) == (namespace, name):
                return pod, self._container_logs.get((uid, container))
        return None


async def _deregister(node: NodeRegistration) -> None:
    try:
        await node.deregister()
    except (ApiClientError, *TRANSIENT) as error:
        log.warning("%s stays registered: %s", node.name, error)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

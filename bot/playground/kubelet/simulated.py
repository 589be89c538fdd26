"""The simulated kubelet: registers nodes with a real control plane and plays the script of every pod bound to them."""

import asyncio
import itertools
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

from bot.playground.kubelet.api import MERGE, Api, ApiError
from bot.playground.kubelet.informer import TRANSIENT, Informer
from bot.playground.kubelet.logs import Book
from bot.playground.kubelet.node import RENEWAL_SECONDS, Machine
from bot.playground.kubelet.pod_lifecycle import farewell, life
from bot.playground.kubelet.recorder import Recorder
from bot.playground.kubelet.server import LogServer
from bot.playground.kubelet.timeline import Beat, World
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

    def __init__(self, api: Api, clock: Clock, *, nodes: int = 2) -> None:
        self._api = api
        self._clock = clock
        self._server = LogServer(self._find, clock)
        self._names = [f"node-{number}" for number in range(1, nodes + 1)]
        self._machines: dict[str, Machine] = {}
        self._pods: dict[str, Document] = {}
        self._books: dict[tuple[str, str], Book] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[str] = set()
        self._existing: set[tuple[str, str, str]] = set()
        self._addresses = itertools.count(5)
        self._group: asyncio.TaskGroup | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._server)
            for name in self._names:
                machine = self._machines[name] = Machine(self._api, self._clock, name, port=self._server.port)
                stack.push_async_callback(_take_away, machine)
                await machine.register()
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
            for machine in self._machines.values():
                group.create_task(self._keep_alive(machine), name=f"lease {machine.name}")
            for kind, path in _KINDS.items():
                group.create_task(self._follow_objects(kind, path), name=f"follow {path}")
            group.create_task(self._follow_pods(), name="follow pods")

    # -- what the cluster says -----------------------------------------------------------------------------

    async def _keep_alive(self, machine: Machine) -> None:
        while True:
            try:
                await machine.renew()
            except (ApiError, *TRANSIENT) as error:
                log.warning("the lease of %s was not renewed: %s", machine.name, error)
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
            if change.document["spec"]["nodeName"] in self._machines:
                self._on_pod(change.document, deleted=change.deleted)

    def _on_pod(self, pod: Document, *, deleted: bool) -> None:
        uid = pod["metadata"]["uid"]
        if deleted:
            self._forget(uid)
            return
        self._pods[uid] = pod
        leaving = "deletionTimestamp" in pod["metadata"]
        if leaving and uid not in self._leaving:
            self._leaving.add(uid)
            self._perform(pod, farewell(pod, self._world(pod)), f"farewell of {pod['metadata']['name']}")
        elif not leaving and uid not in self._tasks:
            self._perform(pod, life(pod, self._world(pod)), f"life of {pod['metadata']['name']}")

    def _forget(self, uid: str) -> None:
        if task := self._tasks.pop(uid, None):
            task.cancel()
        self._leaving.discard(uid)
        self._pods.pop(uid, None)
        for key in [key for key in self._books if key[0] == uid]:
            self._books.pop(key).running = False

    def _world(self, pod: Document) -> World:
        namespace = pod["metadata"]["namespace"]
        return World(
            began=self._clock.now(),
            present=self._machines[pod["spec"]["nodeName"]].images.__contains__,
            exists=lambda kind, name: (kind, namespace, name) in self._existing,
            address="10.244.{}.{}".format(*divmod(next(self._addresses) % 65536, 256)),
            host=_HOST,
        )

    # -- what the node does --------------------------------------------------------------------------------

    def _perform(self, pod: Document, beats: Iterator[Beat], name: str) -> None:
        """Give the pod a new script in place of the one it has."""
        assert self._group is not None
        uid = pod["metadata"]["uid"]
        if before := self._tasks.pop(uid, None):
            before.cancel()
        self._tasks[uid] = self._group.create_task(self._play(pod, beats), name=name)

    async def _play(self, pod: Document, beats: Iterator[Beat]) -> None:
        recorder = Recorder(self._api, self._clock, pod)
        due = self._clock.monotonic()
        try:
            for beat in beats:
                due += beat.after  # from the start, so that slow answers do not add up
                await self._clock.sleep(due - self._clock.monotonic())
                await self._play_beat(pod, beat, recorder)
        except ApiError as error:
            # Gone, replaced, or its namespace is being removed; anything else is worth a look.
            level = logging.DEBUG if error.code in (403, 404, 409) else logging.ERROR
            log.log(level, "%s: %s", pod["metadata"]["name"], error)
        except Exception:
            log.exception("the script of %s broke off", pod["metadata"]["name"])

    async def _play_beat(self, pod: Document, beat: Beat, recorder: Recorder) -> None:
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        # First the log: whoever sees the status may ask for the log in the same instant.
        self._write_log(pod, beat)
        if beat.pulled:
            self._machines[pod["spec"]["nodeName"]].images.add(beat.pulled)
        for event in beat.events:
            await recorder.post(event)
        if beat.status is not None:
            await self._write_status(pod, path, beat.status)
        if beat.gone:
            now = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
            await self._api.call("DELETE", path, now)

    def _write_log(self, pod: Document, beat: Beat) -> None:
        if not beat.container:
            return
        book = self._books.setdefault((pod["metadata"]["uid"], beat.container), Book())
        if beat.restarted:
            book.turn()
        book.write(beat.log, self._clock.now())

    async def _write_status(self, pod: Document, path: str, status: Document) -> None:
        uid = pod["metadata"]["uid"]
        body = {"metadata": {"uid": uid}, "status": status}  # the uid: never a pod of the same name
        self._pods[uid] = await self._api.call("PATCH", f"{path}/status", body, content=MERGE)
        for entry in status.get("containerStatuses", []):
            if book := self._books.get((uid, entry["name"])):
                book.running = "running" in entry["state"]

    def _find(self, namespace: str, name: str, container: str) -> tuple[Document, Book | None] | None:
        for uid, pod in self._pods.items():
            if (pod["metadata"]["namespace"], pod["metadata"]["name"]) == (namespace, name):
                return pod, self._books.get((uid, container))
        return None


async def _take_away(machine: Machine) -> None:
    try:
        await machine.deregister()
    except (ApiError, *TRANSIENT) as error:
        log.warning("%s stays registered: %s", machine.name, error)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

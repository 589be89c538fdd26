"""The cluster of a history: releases behave as their images say, it can be away or blind, and it remembers every write."""

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, Self

from core.errors import Rejected, Unreachable
from core.records.bundle import Bundle, Ref
from core.records.observation import Observation, ServiceState
from tests.fakes import FakeCluster, broken, progressing, service

Behaviour = Callable[[float], ServiceState]
# What the pods of a release do, by the tag of its image.
BEHAVES: dict[str, Behaviour] = {
    "good": lambda passed: progressing() if passed < 2 else service(),
    "missing": lambda passed: progressing() if passed < 3 else broken(),
    "late": lambda passed: service(restarts={"web-1": 0, "web-2": 0 if passed < 12 else 3}),
    "never": lambda _: progressing(),
}


@dataclass(frozen=True, slots=True)
class Write:
    """A change that the cluster took."""

    at: float
    token: int
    verb: str
    ref: Ref
    release: str
    digest: str


@dataclass
class HistoryCluster(FakeCluster):
    """The namespace outlives every life of the bot.

    Attributes:
        writes: everything that was changed, in order.
        trouble: `away`, `blind`, `refuses` or "".
    """

    writes: list[Write] = field(default_factory=list)
    trouble: str = ""

    def seen_by(self, life: Any) -> Any:
        """Return the port of one life: what a dead one asks does not come about."""
        return _Port(self, life)

    def _ask(self, request: str) -> None:
        if self.trouble == "away":
            raise Unreachable("the API server does not answer")
        if self.trouble == "refuses" and request.startswith(("preflight", "apply")):
            raise Rejected("admission webhook denied the request: not today")
        super()._ask(request)

    def _wrote(self, token: int, verb: str, ref: Ref, release: str = "", digest: str = "") -> None:
        self.writes.append(Write(self.clock.monotonic(), token, verb, ref, release, digest))

    async def apply(self, app: str, bundle: Bundle, ref: Ref, *, token: int, **more: Any) -> Any:
        word = next((word for word in BEHAVES if f":{word}" in str(bundle.objects)), "good")
        self.behaves[bundle.release] = BEHAVES[word]
        applied = await super().apply(app, bundle, ref, token=token, **more)
        self._wrote(token, "apply", ref, bundle.release, bundle.digest)
        return applied

    async def scale(self, app: str, ref: Ref, replicas: int, *, token: int) -> Any:
        scaled = await super().scale(app, ref, replicas, token=token)
        self._wrote(token, "scale", ref)
        return scaled

    async def delete(self, app: str, ref: Ref, *, uid: str, token: int) -> None:
        await super().delete(app, ref, uid=uid, token=token)
        self._wrote(token, "delete", ref)


class _Port:
    """One life's connection to the cluster."""

    def __init__(self, cluster: HistoryCluster, life: Any) -> None:
        self._cluster = cluster
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._cluster, name)
        if name == "watch":
            return lambda *given, **named: _Watching(found(*given, **named), self._cluster, self._life)
        if not iscoroutinefunction(found):
            # What asks nobody: how a release is rendered, what a kind is like.
            return found

        async def asked(*given: Any, **named: Any) -> Any:
            await self._life.pause()
            answer = await found(*given, **named)
            await self._life.pause()
            return answer

        return asked


class _Watching:
    """A watch that dies with its life, and sees nothing while the cluster is away."""

    def __init__(self, opened: Any, cluster: HistoryCluster, life: Any) -> None:
        self._opened = opened
        self._cluster = cluster
        self._life = life

    async def __aenter__(self) -> Self:
        self._watch = await self._opened.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        return await self._opened.__aexit__(*error)

    def aim(self, target: Any) -> None:
        self._watch.aim(target)

    async def wait_for_sync(self) -> None:
        await self._life.pause()
        if self._cluster.trouble in {"away", "blind"}:
            raise Unreachable("not every collection was seen")
        await self._watch.wait_for_sync()

    async def next(self, seconds: float) -> Observation:
        await self._cluster.clock.sleep(seconds)
        return await self.fresh()

    async def fresh(self) -> Observation:
        await self._life.pause()
        seen: Observation = await self._watch.fresh()
        if self._cluster.trouble in {"away", "blind"}:
            return Observation(synced=False)
        return seen

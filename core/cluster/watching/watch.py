"""One app's namespace, live: a watch a kind, one snapshot, and looks that judge it."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import NoReturn

from core.clock import Clock
from core.cluster.api.client import KubeClient
from core.cluster.fencing import AppNamespace
from core.cluster.foreign import without_values
from core.cluster.kinds import followed
from core.cluster.snapshot import Delta, Snapshot
from core.cluster.watching.delta_queue import DeltaQueue
from core.cluster.watching.lines import RepeatLimiter, diagnosis_lines, lines
from core.cluster.watching.presence import lost_objects
from core.cluster.watching.readiness import absent_state
from core.cluster.watching.reflector import UNHURRIED, Reflector, ReflectorOptions, WatchEvent
from core.cluster.watching.service_states import ServiceStates
from core.errors import Rejected, Unreachable
from core.records.bundle import Ref
from core.records.desired_state import DesiredState
from core.records.intent import Intent
from core.records.line import Line
from core.records.observation import Observation, ServiceState
from core.redaction import Redactor
from core.waiting import first_of

log = logging.getLogger(__name__)

# A look at a dead API server must be over before anybody thinks that the bot is dead.
FRESH_SECONDS = 5.0
LOOKING = "looking at the cluster"
# How long a start waits for its first sight before it says that the cluster does not answer, and asks again.
SIGHT_SECONDS = 10.0
# One change of ours is a burst of writes by the controllers; one look at its end is enough.
QUIET_SECONDS = 0.04
LONGEST_BURST = 6
# After a break the server sends what was missed at once; judging in the middle of it would judge the past.
CATCH_UP_SECONDS = 0.25
# A server that has just started refuses for a moment: ask soon. A missing right is mended by a person: then ask seldom,
# but go on by oneself once it is there.
REFUSED_PAUSE, LONGEST_REFUSED_PAUSE = 1.0, 10.0
SOON = 10


class NamespaceWatch:
    """Implements `core.ports.cluster.Watch`; made by `watching`, which owns its tasks.

    Args:
        client: whom to ask.
        ns: which namespace.
        intent: the baseline that lines are told against.
        redact: takes values of environments out of whatever is told.
        clock: for waiting and for lines to which the cluster gives no time.
        tuning: of the reflectors.
    """

    def __init__(
        self,
        client: KubeClient,
        ns: AppNamespace,
        intent: Intent,
        *,
        redact: Redactor,
        clock: Clock,
        tuning: ReflectorOptions | None = None,
    ) -> None:
        self._client = client
        self._ns = ns
        self._intent = intent
        self._redact = redact
        self._clock = clock
        self._snapshot = Snapshot()
        self._pending = DeltaQueue()
        self._changed = asyncio.Event()
        self._followed = followed(each.ref for each in intent.objects)
        self._synced: dict[str, bool] = {kind: False for kind, how in self._followed.items() if how.judged}
        self._blind: dict[str, str] = {}
        self._unseen = set(self._followed)
        self._refused: dict[str, Rejected] = {}
        self._refusals: Counter[str] = Counter()
        self._silence = (tuning or ReflectorOptions()).idle
        self._quiet_seconds = QUIET_SECONDS
        self._target: DesiredState | None = None
        self._states = ServiceStates(intent.pods, intent.lacking)
        self._said: Mapping[str, RepeatLimiter] = {}
        self._tasks: tuple[asyncio.Task[NoReturn], ...] = ()
        self._reflectors = {
            kind: Reflector(
                client,
                ns.at(kind),
                partial(self._take, kind),
                clock=clock,
                label_selector=ns.selector if how.selected else "",
                tuning=tuning if how.judged else UNHURRIED,
            )
            for kind, how in self._followed.items()
        }

    def start(self) -> None:
        """Begin to follow the namespace."""
        self._tasks = tuple(
            asyncio.create_task(self._follow(kind), name=f"watch {kind} in {self._ns.namespace}")
            for kind in self._reflectors
        )
        for task in self._tasks:
            task.add_done_callback(lambda _: self._changed.set())

    async def stop(self) -> None:
        """End the tasks and wait for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def aim(self, target: DesiredState | None) -> None:
        """Judge everything from now on towards this target, or nothing any more; the next look comes at once."""
        self._target = target
        self._states.forget()
        self._changed.set()

    async def wait_for_sync(self) -> None:
        """Return once every kind has been seen; raises what one was refused with since this was asked for."""
        self._refused.clear()
        ends = self._clock.monotonic() + SIGHT_SECONDS
        while self._unseen:
            for error in self._refused.values():
                raise error
            if (patience := ends - self._clock.monotonic()) <= 0:
                kinds = ", ".join(self._ns.at(kind).resource for kind in sorted(self._unseen))
                raise Unreachable(self._why_blind() if self._blind else f"no first look at {kinds} in time")
            self._changed.clear()
            await first_of(self._changed.wait(), self._clock.sleep(patience))
            self._check()

    async def next(self, seconds: float) -> Observation:
        """Return when something has changed and the burst is over, at the latest after so many seconds."""
        await self._until_changed(seconds)
        return await self._look()

    async def fresh(self) -> Observation:
        """Return what is so now, read anew; each watch goes on from there, so none brings back what was before."""
        asked = [
            self._reflectors[kind].refresh(FRESH_SECONDS) for kind, how in self._followed.items() if how.fresh
        ]
        failed = [e for e in await asyncio.gather(*asked, return_exceptions=True) if e is not None]
        for error in failed:
            if not isinstance(error, (Rejected, Unreachable)):
                raise error
        seen = await self._look("; ".join(dict.fromkeys(map(str, failed))))
        return await self._whole(seen, self._target)

    async def _whole(self, seen: Observation, target: DesiredState | None) -> Observation:
        """Return a look with what is lost of the bundle; nobody watches its Secrets and Services."""
        if not seen.synced or target is None or target.bundle is None:
            return seen
        try:
            lost = await lost_objects(self._client, self._ns, target.bundle, target.applied)
        except (Rejected, Unreachable) as error:
            return Observation(synced=False, lines=seen.lines, blind=str(error))
        return replace(seen, lost=lost)

    async def _look(self, blind: str = "") -> Observation:
        """Return what is known; `blind` says why it is not enough."""
        self._check()
        deltas = self._pending.take()
        self._snapshot, told = lines(self._snapshot, deltas, self._intent, self._clock.now())
        self._states.take(deltas)
        blind = blind or self._why_blind()
        if not blind:
            try:
                await self._ask_for_the_rest()
            except (Rejected, Unreachable) as error:
                blind = str(error)
        if blind:
            return Observation(synced=False, lines=told, blind=blind, silent=self._silent())
        return self._judged(told)

    def _check(self) -> None:
        """Raise the defect that has ended a reflector, which never returns by itself."""
        for task in self._tasks:
            if task.done():
                task.result()

    def _silent(self) -> float:
        """Return how long the quietest watch that is judged by has been silent, 0 where that is not too long."""
        silent = max(self._reflectors[kind].silent for kind in self._synced)
        return silent if silent > self._silence else 0.0

    def _doubt(self) -> str:
        """Say which watches are silent for too long, and have them opened anew: what they do not tell may be so."""
        quiet = [kind for kind in self._synced if self._reflectors[kind].silent > self._silence]
        for kind in quiet:
            self._reflectors[kind].doubt()
        of = " and ".join(self._ns.at(kind).resource for kind in quiet)
        return f"the cluster has told nothing of {of} for {self._silent():.0f} s" if quiet else ""

    def _why_blind(self) -> str:
        """Say what went wrong; while the first lists are on their way nothing has."""
        silent, broken = self._doubt(), "; ".join(dict.fromkeys(self._blind.values()))
        return broken or silent or ("" if all(self._synced.values()) else LOOKING)

    def _judged(self, new_lines: tuple[Line, ...]) -> Observation:
        target = self._target
        if target is None:
            return Observation(synced=True, lines=new_lines)
        states = self._services(target)
        diagnoses = {state.name: state.diagnoses for state in states}
        self._said, spoken = diagnosis_lines(self._said, diagnoses, self._clock.now())
        return Observation(synced=True, lines=(*new_lines, *spoken), services=states)

    def _services(self, target: DesiredState) -> tuple[ServiceState, ...]:
        if target.bundle is None:
            return absent_state(self._snapshot, target.absent)
        return self._states.of(self._snapshot, target)

    async def _ask_for_the_rest(self) -> None:
        """Read what no watch tells: removed objects of other kinds, and what was gone before we came."""
        target = self._target
        if target is None:
            return
        for ref in target.absent:
            if ref.kind not in self._followed:
                await self._ask(ref, "")
        for applied in target.applied:
            ref = applied.ref
            if ref.kind in self._followed and self._snapshot.named(ref.kind, ref.name) is None:
                await self._ask(ref, applied.uid)

    async def _ask(self, ref: Ref, uid: str) -> None:
        """Take one object as it is now into the snapshot; `uid` names the one that would be gone."""
        live = await self._client.get(self._ns.at(ref.kind, ref.name))
        known = self._snapshot.named(ref.kind, ref.name)
        if live is not None and ref.kind not in self._followed:
            self._learn(Delta(ref.kind, "ADDED", live))
        elif live is None and (known is not None or uid):
            gone = known or {"metadata": {"name": ref.name, "uid": uid}}
            self._learn(Delta(ref.kind, "DELETED", gone))

    def _learn(self, delta: Delta) -> None:
        """Take in what no watch has told."""
        self._snapshot = self._snapshot.after(delta)
        self._states.forget()

    async def _until_changed(self, seconds: float) -> None:
        if not self._changed.is_set() and seconds > 0:
            await first_of(self._changed.wait(), self._clock.sleep(seconds))
        if self._changed.is_set():
            await self._until_quiet()
        self._changed.clear()

    async def _until_quiet(self) -> None:
        quiet, self._quiet_seconds = self._quiet_seconds, QUIET_SECONDS
        for _ in range(LONGEST_BURST):
            self._changed.clear()
            await self._clock.sleep(quiet)
            if not self._changed.is_set():
                return

    async def _follow(self, kind: str) -> NoReturn:
        while True:
            try:
                await self._reflectors[kind].run()
            except Rejected as error:
                if not self._refusals[kind]:
                    log.warning(
                        "the watch of %s in %s is refused: %s",
                        kind,
                        self._ns.namespace,
                        self._redact(str(error)),
                    )
                self._refusals[kind] += 1
                self._refused[kind] = error
                self._take(kind, WatchEvent("STALE", why=str(error)))
                soon = self._refusals[kind] < SOON
                await self._clock.sleep(REFUSED_PAUSE if soon else LONGEST_REFUSED_PAUSE)

    def _take(self, kind: str, change: WatchEvent) -> None:
        self._changed.set()
        if change.type == "SYNC":
            self._unseen.discard(kind)
            self._refused.pop(kind, None)
            self._refusals.pop(kind, None)
        match change.type:
            case "SYNC" | "STALE" if not self._followed[kind].judged:
                pass
            case "SYNC":
                if kind in self._blind:
                    self._quiet_seconds = CATCH_UP_SECONDS
                self._synced[kind] = True
                self._blind.pop(kind, None)
            case "STALE":
                self._synced[kind] = False
                self._blind[kind] = change.why or f"the watch of {self._ns.at(kind).resource} has ended"
            case _:
                assert change.object is not None, "only SYNC and STALE are about no object"
                told = without_values(kind, change.object, self._redact)
                self._pending.put(kind, replace(change, object=told))


@asynccontextmanager
async def watching(watch: NamespaceWatch) -> AsyncGenerator[NamespaceWatch]:
    """Follow the namespace for as long as the block lasts."""
    watch.start()
    try:
        yield watch
    finally:
        await watch.stop()

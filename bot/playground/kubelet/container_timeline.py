"""The tools with which one container's life is told: its clock, its state, its steps and its events."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.playground.kubelet.behaviour import Behaviour, behaviour_of
from bot.playground.kubelet.git_clones import clone_behaviour
from bot.playground.kubelet.image_builds import build_behaviour, fetch_behaviour
from bot.playground.kubelet.status import ContainerState
from bot.playground.kubelet.timeline import EventSpec, PodContext

# A kubelet looks at a waiting pod again after 10 to 15 s.
SYNC = 13.0
FIRST_BACK_OFF, LONGEST_BACK_OFF = 10.0, 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStep:
    """What happens to one container `at` seconds from the start, before it becomes a step of its pod."""

    at: float
    events: tuple[EventSpec, ...] = ()
    state: ContainerState | None = None
    log: str = ""
    restarted: bool = False
    pulled: str | None = None


class ContainerTimeline:
    """Tells steps of one container, from `begins` seconds after the beginning of its pod.

    Attributes:
        spec: the container of the pod's spec.
        state: what it is doing.
        elapsed: seconds since the beginning of its pod.
        behaviour: what its image makes it do.
        context: its node and namespace.
        init: it is an init container.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        state: ContainerState,
        context: PodContext,
        *,
        begins: float,
        init: bool = False,
    ) -> None:
        self.spec = spec
        self.state = replace(state)
        self.elapsed = begins
        self.behaviour: Behaviour = (
            fetch_behaviour(spec)
            or clone_behaviour(spec)
            or build_behaviour(spec)
            or behaviour_of(spec["image"])
        )
        self.context = context
        self.init = init

    def moment(self, ahead: float = 0.0) -> datetime:
        """Return the moment of the last step, or one a little later."""
        return self.context.began + timedelta(seconds=self.elapsed + ahead)

    def event(self, reason: str, message: str) -> EventSpec:
        """Return a Normal event about the container."""
        return EventSpec(
            type="Normal", reason=reason, message=message, container=self.spec["name"], init=self.init
        )

    def warning(self, reason: str, message: str) -> EventSpec:
        """Return a Warning event about the container."""
        return EventSpec(
            type="Warning", reason=reason, message=message, container=self.spec["name"], init=self.init
        )

    def step(
        self,
        after: float,
        *events: EventSpec,
        changed: bool = False,
        log: str = "",
        restarted: bool = False,
        pulled: str | None = None,
    ) -> ContainerStep:
        """Let time pass and return what happens then; with `changed` the state as it is now goes along."""
        self.elapsed += after
        return ContainerStep(
            at=self.elapsed,
            events=events,
            state=replace(self.state) if changed else None,
            log=log,
            restarted=restarted,
            pulled=pulled,
        )

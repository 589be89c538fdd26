"""The unit in which a pod's life is told: after so many seconds, these events, then this status."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Exists = Callable[[str, str], bool]
"""Whether an object of the pod's namespace exists: kind (`Secret`, `ConfigMap`) and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSpec:
    """One event about the pod, before counting and names.

    Attributes:
        type: `Normal` or `Warning`.
        reason: the event's reason, `Pulling` for instance.
        message: its sentence.
        container: the container it is about; goes into `involvedObject.fieldPath`.
        init: it is an init container.
    """

    type: str
    reason: str
    message: str
    container: str
    init: bool = False

    @property
    def field_path(self) -> str:
        return f"spec.{'initContainers' if self.init else 'containers'}{{{self.container}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStep:
    """What happens `after` seconds after the step before it.

    A pod worker waits, posts the events in their order, then merges the status, then appends the log.

    Attributes:
        after: seconds since the step before, or since `began` for the first.
        events: to be posted before the status is written.
        status: the whole pod status (merge it over the stored one, lists replaced), or `None` for no change.
        container: whose log and image the rest is about.
        log: text to append to that container's log.
        restarted: the container starts a new log; the one so far becomes the previous one.
        pulled: an image that lies on the node from now on.
        gone: the pod's processes have ended: delete it with grace period 0.
    """

    after: float
    events: tuple[EventSpec, ...] = ()
    status: dict[str, Any] | None = None
    container: str = ""
    log: str = ""
    restarted: bool = False
    pulled: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PodContext:
    """What a pod finds on its node and in its namespace.

    Attributes:
        began: the moment at which the kubelet takes the pod up; the steps' times and stamps count from it.
        present: whether an image lies on the node already.
        exists: whether a Secret or ConfigMap exists in the pod's namespace; asked again at every try.
        address: the pod's IP address.
        host: the node's IP address.
    """

    began: datetime
    present: Callable[[str], bool]
    exists: Exists
    address: str = "10.244.0.5"
    host: str = "192.168.77.1"


@dataclass(slots=True)
class EventSpamFilter:
    """The spam filter of every Kubernetes component: 25 events of one type about one object, then one per 300 s.

    Kubernetes drops the rest silently, so "no new event" never means "mended".
    """

    tokens: float = 25.0
    asked: float = 0.0

    def admits(self, moment: float) -> bool:
        """Take one event at that second, and say whether it gets through."""
        self.tokens = min(25.0, self.tokens + (moment - self.asked) / 300.0)
        self.asked = moment
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True

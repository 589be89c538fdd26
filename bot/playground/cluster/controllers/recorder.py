"""Events as the recorders of Kubernetes' components write them: counted, folded, and capped."""

from dataclasses import dataclass, field
from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.resources import BY_KIND, RequestTarget
from bot.playground.cluster.timestamps import microseconds, whole_seconds
from bot.playground.kubelet.timeline import EventSpamFilter

Document = dict[str, Any]
# More than this many texts of one reason about one object become a single event.
MAX_SIMILAR = 10
LIFETIME = 3600.0
# What a recorder remembers of the past; real ones keep 4096 entries.
MAX_REMEMBERED = 4096


@dataclass(slots=True)
class EventRecorder:
    """Writes the events of one component.

    Attributes:
        api: where to.
        component: `kubelet`, `deployment-controller` and so on.
        capped: whether the spam filter is applied here; the lifecycle of a pod applies its own.
    """

    api: Api
    component: str
    capped: bool = True
    _spam_filters: dict[tuple[str, str], EventSpamFilter] = field(default_factory=dict)
    _texts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _names: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def record(
        self, about: Document, kind: str, reason: str, message: str, *, field_path: str = "", host: str = ""
    ) -> None:
        """Write an event, or count it up if it is there already.

        Args:
            about: the object.
            kind: `Normal` or `Warning`.
            reason: the event's reason.
            message: its sentence.
            field_path: the container, as `spec.containers{main}`.
            host: the node that says it.
        """
        self._forget()
        uid = about["metadata"]["uid"]
        spam_filter = self._spam_filters.setdefault(
            (uid, kind), EventSpamFilter(asked=self.api.clock.monotonic())
        )
        if self.capped and not spam_filter.admits(self.api.clock.monotonic()):
            return
        seen = self._texts.setdefault((uid, reason), [])
        if message not in seen:
            if len(seen) >= MAX_SIMILAR:
                message = f"(combined from similar events): {message}"
            else:
                seen.append(message)
        folded = message.startswith("(combined")
        identity = (uid, reason, "(combined" if folded else message + field_path)
        if identity in self._names and self._count(about, self._names[identity], message):
            return
        self._names[identity] = self._create(about, kind, reason, message, field_path=field_path, host=host)

    def scheduled(self, about: Document, kind: str, reason: str, message: str) -> None:
        """Write an event in the newer style of the scheduler: `eventTime`, no count, no first and last time."""
        moment = microseconds(self.api.clock.now())
        self._put(
            about,
            {
                "type": kind,
                "reason": reason,
                "message": message,
                "involvedObject": _reference(about, ""),
                "source": {},
                "firstTimestamp": None,
                "lastTimestamp": None,
                "eventTime": moment,
                "action": "Binding" if reason == "Scheduled" else "Scheduling",
                "reportingComponent": self.component,
                "reportingInstance": f"{self.component}-0",
            },
        )

    def _forget(self) -> None:
        """Drop the oldest half of a memory that has grown too large."""
        memories: tuple[dict[Any, Any], ...] = (self._spam_filters, self._texts, self._names)
        for memory in memories:
            if len(memory) > MAX_REMEMBERED:
                for key in list(memory)[: MAX_REMEMBERED // 2]:
                    del memory[key]

    def _create(
        self, about: Document, kind: str, reason: str, message: str, *, field_path: str, host: str
    ) -> str:
        moment = whole_seconds(self.api.clock.now())
        source = {"component": self.component, **({"host": host} if host else {})}
        return self._put(
            about,
            {
                "type": kind,
                "reason": reason,
                "message": message,
                "involvedObject": _reference(about, field_path),
                "source": source,
                "firstTimestamp": moment,
                "lastTimestamp": moment,
                "count": 1,
                "eventTime": None,
                "reportingComponent": self.component,
                "reportingInstance": host,
            },
        )

    def _put(self, about: Document, event: Document) -> str:
        meta = about["metadata"]
        namespace = meta.get("namespace") or "default"
        # Named by the nanosecond, as real ones, so that they sort by time.
        self.api.moments += 1
        nanosecond = int(self.api.clock.now().timestamp() * 1e6) * 1000 + self.api.moments % 1000
        name = f"{meta['name']}.{nanosecond:x}"
        document = {**event, "metadata": {"name": name, "namespace": namespace}}
        try:
            self.api.create(
                RequestTarget(resource=BY_KIND["Event"], namespace=namespace), document, CONTROLLER
            )
        except ApiError:
            # The namespace is going; a real recorder drops the event too.
            return ""
        return name

    def _count(self, about: Document, name: str, message: str) -> bool:
        moment = whole_seconds(self.api.clock.now())

        def again(event: Document) -> Document:
            return {**event, "count": event.get("count", 1) + 1, "lastTimestamp": moment, "message": message}

        namespace = about["metadata"].get("namespace") or "default"
        return self.api.edit("Event", namespace, name, again, CONTROLLER) is not None


def _reference(about: Document, field_path: str) -> Document:
    meta = about["metadata"]
    reference = {
        "kind": about["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": about["apiVersion"],
        "resourceVersion": meta["resourceVersion"],
    }
    if meta.get("namespace"):
        reference["namespace"] = meta["namespace"]
    if field_path:
        reference["fieldPath"] = field_path
    return reference

"""The logs of the node's containers, and what a kubelet answers when it is asked for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]
_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True)
class LogLine:
    moment: datetime
    text: str

    def stamped(self) -> str:
        """Return the line behind its time, as with `timestamps=true`: RFC 3339 with nanoseconds."""
        return f"{self.moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z {self.text}"


@dataclass(slots=True)
class ContainerLog:
    """What one container wrote in this run and in the one before; who follows it stops when it runs no more."""

    current: list[LogLine] = field(default_factory=list)
    previous: list[LogLine] = field(default_factory=list)
    running: bool = True

    def start_new_run(self) -> None:
        """Begin the log of a new run."""
        self.current, self.previous = [], self.current

    def write(self, text: str, moment: datetime) -> None:
        self.current.extend(LogLine(moment, line) for line in text.splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """What was asked for, by the names of the API."""

    previous: bool = False
    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: datetime | None = None


class BadLogRequest(Exception):
    """A kubelet's 400, in its words."""


def read_log_options(values: Mapping[str, str], now: datetime) -> LogOptions:
    """Read the query string of a log request; a malformed number or time raises ValueError."""
    since = datetime.fromisoformat(values["sinceTime"]) if values.get("sinceTime") else None
    if values.get("sinceSeconds"):
        since = datetime.fromtimestamp(now.timestamp() - int(values["sinceSeconds"]), UTC)
    return LogOptions(
        previous=values.get("previous") == "true",
        follow=values.get("follow") == "true",
        timestamps=values.get("timestamps") == "true",
        tail_lines=int(values["tailLines"]) if values.get("tailLines") else None,
        limit_bytes=int(values["limitBytes"]) if values.get("limitBytes") else None,
        since=since,
    )


def container_statuses(pod: Document) -> list[Document]:
    """Return the entries of all containers that have one, init containers first."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def choose_run(pod: Document, container: str, *, previous: bool) -> bool:
    """Say whether the log of the run before the current one is meant, as validateContainerLogStatus decides.

    Raises:
        BadLogRequest: there is no such log.
    """
    name = pod["metadata"]["name"]
    status = next((entry for entry in container_statuses(pod) if entry["name"] == container), None)
    if status is None:
        raise BadLogRequest(f'container "{container}" in pod "{name}" is not available')
    state, last = status.get("state", {}), (status.get("lastState") or {}).get("terminated", {})
    runs = "running" in state or bool(state.get("terminated", {}).get("containerID"))
    if previous and not last.get("containerID"):
        raise BadLogRequest(f'previous terminated container "{container}" in pod "{name}" not found')
    if runs:
        return previous
    if last.get("containerID"):
        return False  # between two runs the one that ended last is both the current and the previous one
    if "terminated" in state:
        raise BadLogRequest(f'container "{container}" in pod "{name}" is terminated')
    reason = state.get("waiting", {}).get("reason", "ContainerCreating")
    raise BadLogRequest(
        f'container "{container}" in pod "{name}" is waiting to start: {_WAITING.get(reason, reason)}'
    )


def render(lines: list[LogLine], options: LogOptions) -> bytes:
    """Return the bytes of an answer: what is recent enough, the last lines of it, cut at the limit."""
    if options.since is not None:
        since = options.since
        lines = [line for line in lines if line.moment >= since]
    if options.tail_lines is not None:
        lines = lines[max(0, len(lines) - options.tail_lines) :]
    text = "".join((line.stamped() if options.timestamps else line.text) + "\n" for line in lines)
    return text.encode()[: options.limit_bytes]

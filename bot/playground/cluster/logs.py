"""What containers wrote, and how the log endpoint answers when there is nothing to read."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.playground.cluster.errors import bad_request
from bot.playground.kubelet.logs import container_statuses

Document = dict[str, Any]
_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}
# Enough for any tail; a container that logs for days must not fill the memory.
LONGEST_LOG = 64 * 1024  # characters


# How the kubelet writes the time before a line, where it is asked to.
STAMP = "%Y-%m-%dT%H:%M:%S.%f000Z"


class ContainerLogs:
    """The present and the previous log of every container, by pod uid and container name; each line begins with its time."""

    def __init__(self) -> None:
        self.present: dict[tuple[str, str], str] = {}
        self.previous: dict[tuple[str, str], str] = {}

    def append(self, uid: str, container: str, text: str, at: datetime) -> None:
        key, stamp = (uid, container), f"{at:{STAMP}} "
        stamped = "".join(stamp + line for line in text.splitlines(keepends=True))
        kept = (self.present.get(key, "") + stamped)[-LONGEST_LOG:]
        # A log that is full loses whole lines.
        self.present[key] = kept if len(kept) < LONGEST_LOG else kept.partition("\n")[2]

    def restart(self, uid: str, container: str) -> None:
        """Begin a new log; the one so far becomes the previous one."""
        key = (uid, container)
        self.previous[key] = self.present.pop(key, "")

    def forget(self, uid: str) -> None:
        """Drop the logs of a pod that is gone."""
        for logs in (self.present, self.previous):
            for key in [key for key in logs if key[0] == uid]:
                del logs[key]

    def snapshot(self) -> Document:
        return {
            "present": [[*key, text] for key, text in self.present.items()],
            "previous": [[*key, text] for key, text in self.previous.items()],
        }

    def restore(self, snapshot: Document) -> None:
        self.present = {(uid, name): text for uid, name, text in snapshot["present"]}
        self.previous = {(uid, name): text for uid, name, text in snapshot["previous"]}


def read_log(pod: Document, logs: ContainerLogs, query: Mapping[str, str], now: datetime) -> str | None:
    """Return what the log endpoint answers for a container at this moment.

    Returns:
        The text; `None` is an empty answer with 204, for a pod without a node.

    Raises:
        ApiError: 400, if the container is unknown or has not started.
    """
    names = [container["name"] for container in pod["spec"]["containers"]]
    initial = [container["name"] for container in pod["spec"].get("initContainers") or []]
    meta = pod["metadata"]
    name = query.get("container") or names[0]
    if not query.get("container") and len(names) > 1:
        raise bad_request(
            f"a container name must be specified for pod {meta['name']}, choose one of: [{' '.join(names)}]"
        )
    if name not in [*initial, *names]:
        raise bad_request(f"container {name} is not valid for pod {meta['name']}")
    if not pod["spec"].get("nodeName"):
        return None
    entry: Document = next((each for each in container_statuses(pod) if each["name"] == name), {})
    waiting = (entry.get("state") or {}).get("waiting")
    if not entry.get("containerID"):
        reason = (waiting or {}).get("reason", "ContainerCreating")
        why = _WAITING.get(reason, reason)
        raise bad_request(f'container "{name}" in pod "{meta["name"]}" is waiting to start: {why}')
    key = (meta["uid"], name)
    if query.get("previous") in {"1", "true", "True"}:
        text = logs.previous.get(key)
        # In a crash loop the last run is both the present and the previous one.
        text = logs.present.get(key) if waiting else text
        if text is None:
            raise bad_request(f'previous terminated container "{name}" in pod "{meta["name"]}" not found')
    else:
        text = logs.present.get(key, "")
    return _cut(_recent(text.splitlines(keepends=True), query, now), query)


def _recent(lines: Iterable[str], query: Mapping[str, str], now: datetime) -> str:
    """Return the lines that are young enough, with their times where they are asked for."""
    # An API server hands a moment on in whole seconds.
    since = query.get("sinceTime", "")[: len("2026-01-01T00:00:00")]
    if query.get("sinceSeconds"):
        since = f"{now - timedelta(seconds=int(query['sinceSeconds'])):{STAMP}}"
    stamped = query.get("timestamps") in {"1", "true", "True"}
    return "".join(line if stamped else line.partition(" ")[2] for line in lines if line >= since)


def _cut(text: str, query: Mapping[str, str]) -> str:
    if query.get("tailLines"):
        lines = text.splitlines(keepends=True)
        count = int(query["tailLines"])
        text = "".join(lines[-count:]) if count else ""
    if query.get("limitBytes"):
        text = text.encode()[: int(query["limitBytes"])].decode(errors="ignore")
    return text

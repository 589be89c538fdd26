"""What containers wrote, and how the log endpoint answers when there is nothing to read."""

from typing import Any

from bot.playground.cluster.errors import bad_request

Document = dict[str, Any]
_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}
# Enough for any tail; a container that logs for days must not fill the memory.
LONGEST_LOG = 64 * 1024  # characters


class ContainerLogs:
    """The present and the previous log of every container, by pod uid and container name."""

    def __init__(self) -> None:
        self.present: dict[tuple[str, str], str] = {}
        self.previous: dict[tuple[str, str], str] = {}

    def append(self, uid: str, container: str, text: str) -> None:
        key = (uid, container)
        self.present[key] = (self.present.get(key, "") + text)[-LONGEST_LOG:]

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


def read_log(pod: Document, logs: ContainerLogs, query: dict[str, str]) -> str | None:
    """Return what the log endpoint answers for a container.

    Returns:
        The text; `None` is an empty answer with 204, for a pod without a node.

    Raises:
        ApiError: 400, if the container is unknown or has not started.
    """
    names = [container["name"] for container in pod["spec"]["containers"]]
    meta = pod["metadata"]
    name = query.get("container") or names[0]
    if not query.get("container") and len(names) > 1:
        raise bad_request(
            f"a container name must be specified for pod {meta['name']}, choose one of: [{' '.join(names)}]"
        )
    if name not in names:
        raise bad_request(f"container {name} is not valid for pod {meta['name']}")
    if not pod["spec"].get("nodeName"):
        return None
    entry: Document = next(
        (each for each in pod.get("status", {}).get("containerStatuses", []) if each["name"] == name), {}
    )
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
    return _cut(text, query)


def _cut(text: str, query: dict[str, str]) -> str:
    if query.get("tailLines"):
        lines = text.splitlines(keepends=True)
        count = int(query["tailLines"])
        text = "".join(lines[-count:]) if count else ""
    if query.get("limitBytes"):
        text = text.encode()[: int(query["limitBytes"])].decode(errors="ignore")
    return text

"""The sentences of a kubelet 1.37 and the logs of the playground's containers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from bot.playground.kubelet.behaviour import Behaviour, HookFailure, Pull

TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/app/main.py", line 41, in <module>\n'
    "    main()\n"
    '  File "/app/main.py", line 12, in main\n'
    '    settings = tomllib.load(open("/etc/app/settings.toml", "rb"))\n'
    "                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    "FileNotFoundError: [Errno 2] No such file or directory: '/etc/app/settings.toml'\n"
)
# A kubelet keeps this much of a log in `terminated.message` under FallbackToLogsOnError.
LONGEST_MESSAGE = 2048


def pull_error(image: str, pull: Pull) -> str:
    """Return what containerd 2 answers to a pull that cannot work."""
    if pull is Pull.UNAUTHORISED:
        return (
            f'failed to pull and unpack image "{image}": failed to resolve image: pull access denied, '
            "repository does not exist or may require authorization: "
            "authorization failed: no basic auth credentials"
        )
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f"failed to resolve image: {image}: not found"
    )


def pulled(image: str, seconds: float = 0.15) -> str:
    """Return the sentence of a pull that worked."""
    took = "152ms" if seconds < 1 else f"{seconds:g}s"
    return f'Successfully pulled image "{image}" in {took} ({took} including waiting). Image size: 3491506 bytes.'


def already_present(image: str) -> str:
    """Return the sentence of an image that lies on the node."""
    return f'Container image "{image}" already present on machine and can be accessed by the pod'


def hook_failed(command: Sequence[str], container: str, pod: str, failure: HookFailure) -> str:
    """Return what the status says of a hook that failed; its event says nothing of all this."""
    words, output = " ".join(command), orjson.dumps(failure.output).decode()
    return (
        f'Exec lifecycle hook ([{words}]) for Container "{container}" in Pod "{pod}" failed - error: '
        f"command '{words}' exited with {failure.exit_code}: {failure.output}, message: {output}"
    )


def go_duration(seconds: float) -> str:
    """Write whole seconds as Go does: `10s`, `1m20s`, `5m0s`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def connection_refused(probe: dict[str, Any], address: str, port: int) -> str:
    """Return why a probe fails while nothing listens yet."""
    if "httpGet" in probe:
        path = probe["httpGet"].get("path", "/")
        scheme = str(probe["httpGet"].get("scheme", "HTTP")).lower()
        where = f"{address}:{port}"
        return f'Get "{scheme}://{where}{path}": dial tcp {where}: connect: connection refused'
    if "tcpSocket" in probe:
        return f"dial tcp {address}:{port}: connect: connection refused"
    return "command timed out"


def bad_status(probe: dict[str, Any], code: int) -> str:
    """Return why a probe fails that got an answer it does not like."""
    if "httpGet" in probe:
        return f"HTTP probe failed with statuscode: {code}"
    return "" if "exec" in probe else "connection reset by peer"


def clock_text(moment: datetime) -> str:
    """Return the time of day the way the containers log it."""
    return moment.strftime("%H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def opening(name: str, image: str, port: int, moment: datetime, *, listens: bool) -> str:
    """Return what a container logs as it starts."""
    stamp = clock_text(moment)
    tag = image.rpartition("/")[2].rpartition(":")[2][:20]
    text = f"{stamp} {name} {tag} starting, pid 1\n"
    if listens:
        text += f"{stamp} listening on :{port}\n"
    return text


def ending(behaviour: Behaviour, moment: datetime) -> str:
    """Return what a container logs before its run ends by itself."""
    if behaviour.last_words:
        return behaviour.last_words
    if behaviour.reason == "OOMKilled":
        steps = [moment - timedelta(seconds=0.4 * (8 - step)) for step in range(8)]
        return "".join(
            f"{clock_text(at)} cache warmed: {1 + 8 * number} MiB\n" for number, at in enumerate(steps)
        )
    if behaviour.exit_code == 0:
        return f"{clock_text(moment)} nothing to do, done\n"
    if behaviour.exits_after is not None and behaviour.exits_after > 1:
        return f"{clock_text(moment)} lost connection to db.internal:5432\n{TRACEBACK}"
    return TRACEBACK

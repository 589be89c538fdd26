"""The last words of a container that failed: what turns "exit code 1" into a cause."""

import asyncio
import logging
import re
import unicodedata

from core.cluster.api.client import KubeClient
from core.cluster.fencing import AppNamespace
from core.cluster.kinds.pod import POD
from core.errors import Rejected, Unreachable
from core.records.observation import Diagnosis

log = logging.getLogger(__name__)

MAX_LINES = 20
LOG_SECONDS = 5.0
LIMIT_BYTES = 65536  # twenty lines of JSON are long, and the server cuts at the end, where the cause is
MAX_LINE_CHARS = 500  # characters of one line
# What the kubelet answers, with status 200, once a container is collected (and for every evicted pod).
LOG_COLLECTED = b"unable to retrieve container logs for "
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")


async def evidence(client: KubeClient, ns: AppNamespace, diagnosis: Diagnosis) -> str:
    """Return the last lines of the container's log, or "" where there are none to be had.

    A log is a help and never worth a failure: whatever refuses it (a container that is waiting to start answers
    400, a missing right 403) is noted for the operator.
    """
    if not diagnosis.pod or not diagnosis.container:
        return ""
    try:
        async with asyncio.timeout(LOG_SECONDS):
            return printable(await _log(client, ns, diagnosis))
    except (Rejected, Unreachable, TimeoutError) as error:
        log.info("no log of %s/%s: %s", ns.namespace, diagnosis.pod, str(error) or "it took too long")
        return ""


async def _log(client: KubeClient, ns: AppNamespace, diagnosis: Diagnosis) -> bytes:
    params = {"container": diagnosis.container, "tailLines": str(MAX_LINES), "limitBytes": str(LIMIT_BYTES)}
    if diagnosis.previous:
        params["previous"] = "true"
    body = await client.text(ns.at(POD.name, diagnosis.pod, "log"), params, seconds=LOG_SECONDS)
    return b"" if body.startswith(LOG_COLLECTED) else body


def printable(body: bytes) -> str:
    """Return the last lines as text that cannot play tricks on a terminal or in a message.

    Colours and control characters go, invalid UTF-8 is shown as such, long lines are cut. Every cut is marked, the
    server's own too: by that a redactor knows that a value may have lost its end.
    """
    text = ESCAPES.sub("", body.decode("utf-8", "replace")).replace("\r\n", "\n").replace("\r", "\n")
    if len(body) >= LIMIT_BYTES:
        text = f"{text.rstrip()}…"
    lines = ["".join(c for c in line if _is_plain(c)).rstrip() for line in text.split("\n")]
    shown = [line if len(line) <= MAX_LINE_CHARS else f"{line[:MAX_LINE_CHARS]}…" for line in lines if line]
    return "\n".join(shown[-MAX_LINES:])


def _is_plain(character: str) -> bool:
    # Control; invisible format, what turns the direction of text among it; line and paragraph separators.
    return character == "\t" or unicodedata.category(character) not in {"Cc", "Cf", "Zl", "Zp"}

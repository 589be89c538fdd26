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
from core.redaction import Redactor, quiet
from core.redaction.visible import ESCAPE

log = logging.getLogger(__name__)

MAX_LINES = 20
# More than is shown, so that a value of many lines is whole when it is compared.
ASKED_LINES = 100
LOG_SECONDS = 5.0
LIMIT_BYTES = 262144  # lines of JSON are long, and the server cuts at the end, where the cause is
MAX_LINE_CHARS = 500  # characters of one line
# What the kubelet answers, with status 200, once a container is collected (and for every evicted pod).
LOG_COLLECTED = b"unable to retrieve container logs for "
ESCAPES = re.compile(ESCAPE)


async def evidence(client: KubeClient, ns: AppNamespace, diagnosis: Diagnosis, redact: Redactor) -> str:
    """Return the last lines of the container's log without any value, or "" where there are none to be had.

    Values are looked for before anything is cleaned away or cut. A log is a help and never worth a failure: whatever refuses it (a container that is waiting to start answers
    400, a missing right 403) is noted for the operator.
    """
    if not diagnosis.pod or not diagnosis.container:
        return ""
    try:
        async with asyncio.timeout(LOG_SECONDS):
            body = await _log(client, ns, diagnosis)
            return printable(await redact.long(as_text(body), torn=True))
    except (Rejected, Unreachable, TimeoutError) as error:
        log.info("no log of %s/%s: %s", ns.namespace, diagnosis.pod, quiet(str(error)) or "it took too long")
        return ""


async def _log(client: KubeClient, ns: AppNamespace, diagnosis: Diagnosis) -> bytes:
    params = {"container": diagnosis.container, "tailLines": str(ASKED_LINES), "limitBytes": str(LIMIT_BYTES)}
    if diagnosis.previous:
        params["previous"] = "true"
    body = await client.text(ns.at(POD.name, diagnosis.pod, "log"), params, seconds=LOG_SECONDS)
    return b"" if body.startswith(LOG_COLLECTED) else body


def as_text(body: bytes) -> str:
    """Return what the server has sent; a mark stands where it has cut, invalid UTF-8 is shown as such."""
    text = body.decode("utf-8", "replace")
    return f"{text.rstrip()}…" if len(body) >= LIMIT_BYTES else text


def printable(text: str) -> str:
    """Return the last lines as text that cannot play tricks on a terminal or in a message.

    Colours and control characters go, and long lines are cut, which is marked.
    """
    text = ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    shown = [line for line in map(plain_line, text.split("\n")) if line]
    return "\n".join(shown[-MAX_LINES:])


def plain_line(text: str) -> str:
    """Return one line that cannot play tricks, cut where it is too long."""
    line = "".join(c for c in ESCAPES.sub("", text) if _is_plain(c)).rstrip()
    return line if len(line) <= MAX_LINE_CHARS else f"{line[:MAX_LINE_CHARS]}…"


def _is_plain(character: str) -> bool:
    # Control; invisible format, what turns the direction of text among it; line and paragraph separators.
    return character == "\t" or unicodedata.category(character) not in {"Cc", "Cf", "Zl", "Zp"}

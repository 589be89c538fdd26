"""The last lines of an app's processes: asked pod by pod, values taken out, put in order by their times."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.cluster.api.client import KubeClient
from core.cluster.api.refusals import ApiRejected
from core.cluster.documents import Document, labels_of, name_of, spec_of
from core.cluster.evidence import LOG_COLLECTED, plain_line
from core.cluster.fencing import AppNamespace
from core.cluster.kinds.pod import POD
from core.cluster.labels import CONTAINER, SERVICE_LABEL
from core.cluster.processes import LIST_SECONDS, TYPES
from core.errors import Rejected, Unreachable
from core.records.process_log import LogRequest, ProcessLine, ProcessLog
from core.redaction import Redactor

# Convox's --max-log-requests.
MOST_PROCESSES = 20
AT_ONCE = 5
LOG_SECONDS = 10.0
# Of one process; the API server cuts at the end, where the newest lines are, so it is said.
LIMIT_BYTES = 1024 * 1024
# More than is shown, so that a value of many lines is whole when it is compared.
MORE_LINES = 100
# Lines of one process that a text is looked for in.
SEARCHED_LINES = 10_000
FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of one pod: its lines, and what is to be said of them."""

    lines: tuple[ProcessLine, ...] = ()
    note: str = ""
    unreachable: str = ""


async def read_logs(
    client: KubeClient, ns: AppNamespace, request: LogRequest, redact: Redactor
) -> ProcessLog:
    """Return the last lines of the newest processes.

    Raises:
        Rejected: a right is missing.
        Unreachable: none of the processes could be asked.
    """
    selector = f"{ns.selector},{TYPES}" + (f",{SERVICE_LABEL}={request.service}" if request.service else "")
    pods, _ = await client.list(ns.at(POD.name), label_selector=selector, seconds=LIST_SECONDS)
    pods.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True)
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(pod: Document) -> _Asked:
        async with turn:
            return await _asked(client, ns, pod, request, redact)

    answers = await asyncio.gather(*(one(pod) for pod in pods[:MOST_PROCESSES]))
    if answers and all(answer.unreachable for answer in answers):
        raise Unreachable(answers[0].unreachable)
    notes = [said for answer in answers for said in (answer.note, answer.unreachable) if said]
    if len(pods) > MOST_PROCESSES:
        notes.insert(0, f"the newest {MOST_PROCESSES} of {len(pods)} processes were asked: name a service")
    # Stable, so that lines of one process stay in its order, whatever their times say.
    lines = sorted((line for answer in answers for line in answer.lines), key=lambda line: line.at or FIRST)
    return ProcessLog(lines=tuple(lines[-request.lines :]), notes=tuple(notes))


async def _asked(
    client: KubeClient, ns: AppNamespace, pod: Document, request: LogRequest, redact: Redactor
) -> _Asked:
    name = name_of(pod)
    params = {
        "container": _container(pod),
        "timestamps": "true",
        "tailLines": str(SEARCHED_LINES if request.containing else request.lines + MORE_LINES),
        "limitBytes": str(LIMIT_BYTES),
    }
    if request.since is not None:
        params["sinceSeconds"] = str(request.since)
    try:
        async with asyncio.timeout(LOG_SECONDS):
            body = await client.text(ns.at(POD.name, name, "log"), params, seconds=LOG_SECONDS)
    except ApiRejected as error:
        if error.status.code == 403:
            raise
        # It waits to start (400), or is gone meanwhile (404).
        return _Asked(
            note=f"{name} has no log: {error.status.message or error}" if error.status.code == 400 else ""
        )
    except (Rejected, Unreachable, TimeoutError) as error:
        return _Asked(unreachable=f"{name} could not be asked: {str(error) or 'it took too long'}")
    if body.startswith(LOG_COLLECTED):
        return _Asked()
    cut = (
        f"{name} has written more than 1 MiB since then: its newest lines are missing"
        if len(body) >= LIMIT_BYTES
        else ""
    )
    lines = await lines_of(body.decode("utf-8", "replace"), pod, redact)
    found = [line for line in lines if request.containing in line.text]
    return _Asked(lines=tuple(found[-request.lines :]), note=cut)


def _container(pod: Document) -> str:
    names = [str(c["name"]) for c in spec_of(pod).get("containers") or ()]
    return CONTAINER if CONTAINER in names or not names else names[0]


async def lines_of(body: str, pod: Document, redact: Redactor) -> list[ProcessLine]:
    """Return the lines of a log with times, without any value: what stands before each line would else hide one that goes over several."""
    timed = [line.partition(" ")[::2] for line in body.split("\n") if line]
    if not timed:
        return []
    texts = [text for _, text in timed]
    masked = (await redact.long("\n".join(texts), torn=True)).split("\n")
    times = [time for time, _ in timed]
    service, process = str(labels_of(pod).get(SERVICE_LABEL, "")), name_of(pod)
    return [
        ProcessLine(at=_moment(time), service=service, process=process, text=plain_line(text))
        for time, text in zip(aligned(times, texts, masked), masked, strict=True)
    ]


def aligned(times: Sequence[str], texts: Sequence[str], masked: Sequence[str]) -> list[str]:
    """Return a time for each line that is left: where a value went over several lines, their mask has the first one's."""
    if len(texts) == len(masked):
        return list(times)
    found, at = [], 0
    for number, line in enumerate(masked):
        found.append(times[min(at, len(times) - 1)])
        following = masked[number + 1] if number + 1 < len(masked) else None
        at += 1
        if line != texts[min(at - 1, len(texts) - 1)] and following in texts[at:]:
            at += texts[at:].index(following)
    return found


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None

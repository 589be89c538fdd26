"""Why a container that ran does not run any more: its exit, the memory limit, or the kubelet's own kill."""

import re

from core.cluster.diagnosis.starts import restarted
from core.cluster.diagnosis.view import ContainerView, PodView
from core.cluster.documents import parse_timestamp
from core.records.observation import Diagnosis, DiagnosisKind

# Ended within so many seconds counts as "right after its start".
STARTING_SECONDS = 10
# 137 is SIGKILL, 143 SIGTERM: shells and runtimes report 128 + signal.
COMMAND_EXIT_CODES = frozenset({0, 126, 127})
# The runtime's own words, as the last ones of the container (terminationMessagePolicy: FallbackToLogsOnError).
FORMAT = re.compile(
    r"^exec (?:container process )?[`\"]?([^\s`\":]+)[`\"]?: [Ee]xec format error", re.MULTILINE
)
EXIT_CODES = {
    126: "its command is not executable",
    127: "its shell cannot find the command",
    134: "SIGABRT",
    137: "SIGKILL",
    139: "SIGSEGV",
    143: "SIGTERM",
}


def find(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    """Explain the newest end of a container; one that runs again keeps it, since a restart needs a cause."""
    ended = container.ended
    if not ended or ended.get("reason") == "ContainerStatusUnknown":
        return None
    if container.is_init and ended.get("exitCode") == 0:
        return None
    if ended.get("reason") == "OOMKilled":
        return _memory(service, pod, container)
    code = int(ended.get("exitCode") or 0)
    if found := FORMAT.search(str(ended.get("message", ""))):
        return _format(service, pod, container, found[1])
    fact = _exit(service, code, _seconds(container))
    hint = "check command" if code in COMMAND_EXIT_CODES else ""
    return pod.diagnosis(DiagnosisKind.CRASH, fact, container=container, more=restarted(container), hint=hint)


def _format(service: str, pod: PodView, container: ContainerView, what: str) -> Diagnosis:
    """Explain a program that the node's processor cannot run; only its last words tell it, its code is 255 or 1 (seen)."""
    fact = (
        f"{service} cannot start: {what} is not for the node's processor (exec format error): build the image for it,"
        " and give a script its first line, such as #!/bin/sh"
    )
    return pod.diagnosis(
        DiagnosisKind.START, fact, container=container, permanent=True, more=restarted(container)
    )


def _exit(subject: str, code: int, seconds: int | None) -> str:
    when = (
        "right after its start"
        if seconds is None or seconds < STARTING_SECONDS
        else f"after {_about(seconds)}"
    )
    if code == 0:
        return f"{subject} ends by itself with code 0 {when}, but a service must keep running"
    why = f" ({EXIT_CODES[code]})" if code in EXIT_CODES else ""
    return f"{subject} exits with code {code}{why} {when}"


def _memory(service: str, pod: PodView, container: ContainerView) -> Diagnosis:
    """Judge by the reason: a killed child leaves the parent's own exit code, and 137 alone is just SIGKILL."""
    limit = ((container.spec.get("resources") or {}).get("limits") or {}).get("memory")
    most = f"more memory than its limit of {limit}" if limit else "more memory than the node has"
    code = int(container.ended.get("exitCode") or 0)
    fact = f"{service} was killed for using {most}"
    if code != 137:
        fact = (
            f"a child process of {service} was killed for using {most}, then {service} ended with code {code}"
        )
    hint = "raise scale.memory"
    return pod.diagnosis(
        DiagnosisKind.MEMORY, fact, container=container, more=restarted(container), hint=hint
    )


def _seconds(container: ContainerView) -> int | None:
    begin, end = (
        parse_timestamp(container.ended.get("startedAt")),
        parse_timestamp(container.ended.get("finishedAt")),
    )
    return int((end - begin).total_seconds()) if begin and end else None


def _about(seconds: int) -> str:
    """Round a run time, so that two runs of one fault make one sentence."""
    return f"about {5 * round(seconds / 5)} s" if seconds < 115 else f"about {round(seconds / 60)} min"

"""Why a container is not even started: what it needs is missing, or its command cannot be run."""

import re

from core.cluster.diagnosis.view import ContainerView, PodView, last, one_line
from core.cluster.snapshot import HOOK_FAILED
from core.records.observation import Diagnosis, DiagnosisKind

CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError"})
START_REASONS = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})
# Pattern, sentence, final. A missing object is not: the pod starts by itself within 15 s once somebody makes it (seen).
CONFIG_CAUSES = (
    (
        re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (?:[^/\s]+/)?(\S+)"),
        '{service} needs key {0} of {1} "{2}", which has no such key',
        True,
    ),
    (
        re.compile(r'secret "([^"]+)" not found'),
        '{service} needs the Secret "{0}", which does not exist',
        False,
    ),
    (
        re.compile(r'configmap "([^"]+)" not found'),
        '{service} needs the ConfigMap "{0}", which does not exist',
        False,
    ),
    (
        re.compile(r"image will run as root"),
        "{service} must not run as root (runAsNonRoot), but its image does: give the image a USER",
        True,
    ),
)
# exec: "/app/x": stat /app/x: no such file or directory  |  exec: "x": executable file not found in $PATH
EXEC = re.compile(
    r'exec: "(?P<what>[^"]+)": (?:stat [^:]+: )?'
    r"(?P<why>no such file or directory|permission denied|executable file not found|exec format error|is a directory)"
)
# Exec lifecycle hook ([sh -c …]) for Container "main" in Pod "web-1" failed - error: command 'sh -c …' exited with 3: no
# database\n, message: "no database\n" (kubelet, lifecycle handlers); a hook by HTTP has an error and no message.
HOOK_EXIT = re.compile(r"exited with (\d+)")
HOOK_OUTPUT = re.compile(r', message: "((?:[^"\\]|\\.)+)"')
HOOK_ERROR = re.compile(r"failed - error: ([^,]+)")
WHY = {
    "no such file or directory": "is not in the image",
    "permission denied": "is not executable",
    "executable file not found": "is not in the PATH of the image",
    "exec format error": "was built for another processor than the node's",
    "is a directory": "is a directory",
}


def find(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    """Explain a container that cannot be made or started."""
    return (
        _config(service, pod, container) or _hook(service, pod, container) or _start(service, pod, container)
    )


def _config(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    if container.running or container.ended:
        return None
    waits = container.waiting.get("reason") in CONFIG_REASONS
    # The event tells it some tenths of a second before the status does.
    texts = [str(container.waiting.get("message", ""))] if waits else _errors(container)
    for pattern, sentence, final in CONFIG_CAUSES:
        if found := next((f for t in reversed(texts) if (f := pattern.search(t))), None):
            fact = sentence.format(*found.groups(), service=service)
            return pod.diagnosis(
                DiagnosisKind.CONFIG, fact, container=container, permanent=final, times=_times(container)
            )
    if not waits:
        return None
    fact = f"{service} cannot be started: {one_line(texts[0], 200) or container.waiting['reason']}"
    return pod.diagnosis(DiagnosisKind.CONFIG, fact, container=container, times=_times(container))


def _hook(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    events = container.events_named("FailedPostStartHook")
    if container.waiting.get("reason") != HOOK_FAILED and not (events and container.down):
        return None
    # A second or two later the status says only that it is tried again; what was told of the hook stays the cause.
    fact = f"the postStart hook of {service} fails{hook_said(container.hook)}, so its container is killed"
    hint = "check lifecycle.postStart"
    return pod.diagnosis(DiagnosisKind.START, fact, container=container, more=restarted(container), hint=hint)


def hook_said(text: str) -> str:
    """Return ` with exit code 3 (no database)` of the kubelet's words, as far as these tell it."""
    code, output = HOOK_EXIT.search(text), HOOK_OUTPUT.search(text)
    # Quoted as Go does it.
    words = (
        one_line(re.sub(r"\\([nrt]|.)", lambda found: " " if found[1] in "nrt" else found[1], output[1]))
        if output
        else ""
    )
    if code is None and not words and (failed := HOOK_ERROR.search(text)):
        return f": {one_line(failed[1], 200)}"
    return (f" with exit code {code[1]}" if code else "") + (f" ({one_line(words, 200)})" if words else "")


def _start(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    failed = container.ended.get("reason") in START_REASONS
    waits = container.waiting.get("reason") == "RunContainerError"
    events = [e for e in container.events_named("Failed") if "failed to create containerd task" in e.message]
    if not failed and not waits and not (events and not container.running and not container.ended):
        return None
    texts = [
        str(container.ended.get("message", "")) if failed else "",
        str(container.waiting.get("message", "")) if waits else "",
        *(e.message for e in reversed(events)),
    ]
    found = next((f for t in texts if (f := EXEC.search(t))), None)
    if found is None:
        fact = f"{service} cannot start: {_tail(next(filter(None, texts), ''))}"
        return pod.diagnosis(DiagnosisKind.START, fact, container=container, more=restarted(container))
    fact = f"{service} cannot start, since {found['what']} {WHY[found['why']]}"
    return pod.diagnosis(
        DiagnosisKind.START,
        fact,
        container=container,
        permanent=True,
        more=restarted(container),
        hint="check command",
    )


def _errors(container: ContainerView) -> list[str]:
    return [e.message for e in container.events_named("Failed") if e.message.startswith("Error: ")]


def _times(container: ContainerView) -> int:
    return max((e.count for e in container.events_named("Failed")), default=1)


def restarted(container: ContainerView) -> str:
    """Return `, restarted 3 times`, or "" before the first restart."""
    if not container.restarts:
        return ""
    return f", restarted {'once' if container.restarts == 1 else f'{container.restarts} times'}"


def _tail(text: str) -> str:
    """Return the end of a runtime's chain of wrapped errors, where the cause stands."""
    return last(text.removesuffix(": unknown").strip(), 200) or "the container runtime gives no reason"

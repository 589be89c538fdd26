"""The one lifecycle of a pod by its image's name, played by every simulated kubelet of this project.

Nothing here does I/O. `pod_lifecycle` tells what happens to a pod from the moment in which a kubelet takes it up,
`pod_termination` what happens once it has a deletionTimestamp. The texts, their order and their times are those of a
kubelet 1.37.

The words in an image's name or tag, read by `behaviour_of`, choose what its container does:

| word | what happens |
|---|---|
| `notfound` | the image cannot be found: ErrImagePull and ImagePullBackOff for ever |
| `unauthorised` | the registry refuses the pull |
| `crash` | exits 1 with a traceback after 0.4 s, again and again: CrashLoopBackOff |
| `crash-late` | is ready, runs 15 s, then exits 1 |
| `crash-twice` | its first two runs crash, the third stays |
| `oom` | is ready, then killed for its memory after 4 s |
| `exit-zero` | exits 0 after 0.9 s |
| `neverready` | runs, and its readiness probe answers 503 |
| `slow` | listens after 20 s |
| `huge` | is good, once its image has come after 100 s |
| `liveness` | is ready, and its liveness probe answers 500 |
| `deaf` | is good, and ignores SIGTERM until its grace period is over |
| `arm64` | is for another processor: exits 255, and only its log says `exec format error` |
| `poststart` | is killed again and again, since its postStart hook exits 3 (it needs one in its pod) |
| `prestop` | is good; its preStop hook fails, and so it stays until its grace period is over |
| none of them | is good: ready in about half a second |

Any image waits with CreateContainerConfigError while a Secret or ConfigMap that its environment needs is missing.
A container of a pod that is never started again, as a Job's, exits 0 after 2 s, one that is `slow` after 22 s. So does
an init container, one after the other before the rest; the first that fails is the end of a pod that is never started again.
Without a readiness probe a container counts as ready in the instant in which it runs, as on a real node.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bot.playground.kubelet.behaviour import BY_WORD, Behaviour, behaviour_of
from bot.playground.kubelet.container_lifecycle import ContainerLifecycle
from bot.playground.kubelet.container_timeline import ContainerStep
from bot.playground.kubelet.status import ContainerState, PodState, read_pod, stamp
from bot.playground.kubelet.timeline import EventSpamFilter, EventSpec, Exists, PodContext, PodStep

__all__ = [
    "BY_WORD",
    "Behaviour",
    "EventSpec",
    "Exists",
    "PodContext",
    "PodStep",
    "behaviour_of",
    "pod_lifecycle",
    "pod_termination",
]

CREATING, SANDBOX = 0.06, 0.4


def pod_lifecycle(pod: dict[str, Any], context: PodContext) -> Iterator[PodStep]:
    """Tell a pod's life on its node.

    A pod whose status says that it has been played before goes on from there.

    Args:
        pod: the pod, bound to a node.
        context: its node and namespace.

    Yields:
        Steps, in order. The iterator may end (nothing more will happen) or go on for ever; ask for the next step
        only when the one before has been taken, because it looks at the context when it is asked.
    """
    state = read_pod(pod, host=context.host, address=context.address, began=context.began)
    spam_filters: dict[str, EventSpamFilter] = {}
    elapsed = 0.0
    if not state.sandbox:
        yield PodStep(after=CREATING, status=state.document(context.began + timedelta(seconds=CREATING)))
        elapsed = CREATING + SANDBOX
        state.sandbox = True
    said, opened = elapsed - SANDBOX if elapsed else 0.0, elapsed > 0.0
    for container, step in _containers(pod, state, context, elapsed):
        events = tuple(
            event
            for event in step.events
            if spam_filters.setdefault(event.type, EventSpamFilter()).admits(step.at)
        )
        _move_on(state, once=pod["spec"].get("restartPolicy") == "Never")
        changed, opened = step.state is not None or opened, False
        yield PodStep(
            after=step.at - said,
            events=events,
            status=state.document(context.began + timedelta(seconds=step.at)) if changed else None,
            container=container,
            log=step.log,
            restarted=step.restarted,
            pulled=step.pulled,
        )
        said = step.at


def _containers(
    pod: dict[str, Any], state: PodState, context: PodContext, elapsed: float
) -> Iterator[tuple[str, ContainerStep]]:
    """Tell the lives of the containers, each state put where it belongs: init containers first, one by one, then the rest."""
    for number, spec in enumerate(pod["spec"].get("initContainers") or []):
        if state.init_containers[number].exit_code == 0:
            continue
        lifecycle = ContainerLifecycle(
            pod, spec, state.init_containers[number], context, begins=elapsed, init=True
        )
        for step in lifecycle.steps():
            state.init_containers[number] = step.state or state.init_containers[number]
            yield spec["name"], step
        elapsed = lifecycle.elapsed
        if state.init_containers[number].exit_code != 0:
            return
    specs = pod["spec"]["containers"]
    lifecycles = [
        ContainerLifecycle(pod, spec, container, context, begins=elapsed)
        for spec, container in zip(specs, state.containers, strict=True)
    ]
    for number, step in _merged(lifecycles):
        state.containers[number] = step.state or state.containers[number]
        yield specs[number]["name"], step


def _move_on(state: PodState, *, once: bool) -> None:
    """Give the pod the phase that its containers make."""
    if any(container.container_id for container in state.containers):
        state.phase = "Running"
    codes = [container.exit_code for container in state.containers]
    refused = any(container.exit_code for container in state.init_containers)
    if once and (refused or None not in codes):
        failed = refused or any(codes)
        state.phase, state.completed, state.sandbox = "Failed" if failed else "Succeeded", True, False


def pod_termination(pod: dict[str, Any], context: PodContext) -> Iterator[PodStep]:
    """Tell how a pod goes that has a deletionTimestamp.

    Args:
        pod: the pod as it is stored, with its deletionTimestamp and its last status.
        context: its node and namespace; `began` is the moment in which the kubelet sees the timestamp.

    Yields:
        Steps, in order. The last one says `gone`: the pod worker deletes the pod then, with grace period 0.
    """
    state = read_pod(pod, host=context.host, address=context.address, began=context.began)
    grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 30))
    # What waits for an init container stays as it is: nobody expects to find it.
    ending = [*state.init_containers, *(state.containers if state.initialized else ())]
    running = [container for container in ending if "running" in container.state]
    never = [container for container in ending if not container.container_id]
    for container in never:
        container.state = {"waiting": {"reason": "ContainerCreating"}}
    initial = {container.name for container in state.init_containers}
    yield PodStep(
        after=0.02,
        events=tuple(_killing(container.name, init=container.name in initial) for container in running),
        status=state.document(context.began),
    )
    if hooks := tuple(_pre_stop_fails(each["name"]) for each in _with_failing_pre_stop(pod, running)):
        yield PodStep(after=0.1, events=hooks)
    ignores_sigterm = any(behaviour_of(container.image).ignores_sigterm for container in running)
    # A hook's time is the grace period's.
    grace = max(0.0, grace - 0.1) if hooks else grace
    wait = grace if ignores_sigterm else min(0.3, grace)
    moment = context.began + timedelta(seconds=0.02 + (0.1 if hooks else 0.0) + wait)
    for container in ending:
        _end(container, stamp(moment), ignores_sigterm=behaviour_of(container.image).ignores_sigterm)
    failed = not state.initialized or any(container.exit_code for container in ending)
    state.sandbox, state.completed = False, True
    state.phase = "Failed" if failed else "Succeeded"
    yield PodStep(after=wait, status=state.document(moment))
    yield PodStep(after=0.5 if running else 0.01, gone=True)


def _killing(container: str, *, init: bool) -> EventSpec:
    message = f"Stopping container {container}"
    return EventSpec(type="Normal", reason="Killing", message=message, container=container, init=init)


def _with_failing_pre_stop(pod: dict[str, Any], running: list[ContainerState]) -> list[dict[str, Any]]:
    """Return the containers that run, have a preStop hook and an image with which it fails."""
    names = {container.name for container in running}
    return [
        spec
        for spec in pod["spec"]["containers"]
        if spec["name"] in names
        and "preStop" in spec.get("lifecycle", {})
        and behaviour_of(spec["image"]).pre_stop
    ]


def _pre_stop_fails(container: str) -> EventSpec:
    """Return all that is told of a preStop hook: a kubelet keeps its words out of events, and no status has them."""
    return EventSpec(
        type="Warning", reason="FailedPreStopHook", message="PreStopHook failed", container=container
    )


def _end(container: ContainerState, moment: str, *, ignores_sigterm: bool) -> None:
    """Put a container into the state in which its pod ends."""
    container.ready = container.started = False
    if not container.container_id:
        message = "The container could not be located when the pod was terminated"
        container.state = {
            "terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": message}
        }
    elif "running" in container.state:
        code, reason = (137, "Error") if ignores_sigterm else (0, "Completed")
        container.state = {
            "terminated": {
                "exitCode": code,
                "reason": reason,
                "startedAt": container.state["running"]["startedAt"],
                "finishedAt": moment,
                "containerID": container.container_id,
            }
        }
    elif "terminated" not in container.state:
        container.state = container.last


def _merged(lifecycles: list[ContainerLifecycle]) -> Iterator[tuple[int, ContainerStep]]:
    """Hand out the steps of several containers in the order of their times, each as late as it can be."""
    timelines = [lifecycle.steps() for lifecycle in lifecycles]
    if len(timelines) == 1:
        yield from ((0, step) for step in timelines[0])
        return
    ahead = [next(steps, None) for steps in timelines]
    while True:
        waiting = [(step.at, number, step) for number, step in enumerate(ahead) if step is not None]
        if not waiting:
            return
        _, number, step = min(waiting, key=lambda each: each[:2])
        yield number, step
        ahead[number] = next(timelines[number], None)

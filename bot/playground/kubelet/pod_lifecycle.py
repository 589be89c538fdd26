"""The one script of a pod's life by its image's name, played by every simulated kubelet of this project.

Nothing here does I/O. `life` tells what happens to a pod from the moment in which a kubelet takes it up, `farewell`
what happens once it has a deletionTimestamp. The texts, their order and their times are those of a kubelet 1.37.

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
| `liveness` | is ready, and its liveness probe answers 500 |
| `deaf` | is good, and ignores SIGTERM until its grace period is over |
| none of them | is good: ready in about half a second |

Any image waits with CreateContainerConfigError while a Secret or ConfigMap that its environment needs is missing.
Without a readiness probe a container counts as ready in the instant in which it runs, as on a real node.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bot.playground.kubelet.behaviour import WORDS, Behaviour, behaviour_of
from bot.playground.kubelet.container_lifecycle import ContainerScript
from bot.playground.kubelet.container_timeline import Step
from bot.playground.kubelet.status import ContainerState, read_pod, stamp
from bot.playground.kubelet.timeline import Beat, EventBudget, EventSpec, Exists, World

__all__ = [
    "WORDS",
    "Beat",
    "Behaviour",
    "EventSpec",
    "Exists",
    "World",
    "behaviour_of",
    "farewell",
    "life",
]

CREATING, SANDBOX = 0.06, 0.4


def life(pod: dict[str, Any], world: World) -> Iterator[Beat]:
    """Tell a pod's life on its node.

    A pod whose status says that it has been played before goes on from there.

    Args:
        pod: the pod, bound to a node.
        world: its node and namespace.

    Yields:
        Beats, in order. The iterator may end (nothing more will happen) or go on for ever; ask for the next beat
        only when the one before has been played, because it looks at the world when it is asked.
    """
    state = read_pod(pod, host=world.host, address=world.address, began=world.began)
    budgets: dict[str, EventBudget] = {}
    elapsed = 0.0
    if not state.sandbox:
        yield Beat(after=CREATING, status=state.document(world.began + timedelta(seconds=CREATING)))
        elapsed = CREATING + SANDBOX
        state.sandbox = True
    scripts = [
        ContainerScript(pod, spec, container, world, begins=elapsed)
        for spec, container in zip(pod["spec"]["containers"], state.containers, strict=True)
    ]
    said, opened = elapsed - SANDBOX if elapsed else 0.0, elapsed > 0.0
    for number, step in _merged(scripts):
        events = tuple(
            event for event in step.events if budgets.setdefault(event.type, EventBudget()).admits(step.at)
        )
        if step.state is not None:
            state.containers[number] = step.state
        if any(container.container_id for container in state.containers):
            state.phase = "Running"
        changed, opened = step.state is not None or opened, False
        yield Beat(
            after=step.at - said,
            events=events,
            status=state.document(world.began + timedelta(seconds=step.at)) if changed else None,
            container=state.containers[number].name,
            log=step.log,
            restarted=step.restarted,
            pulled=step.pulled,
        )
        said = step.at


def farewell(pod: dict[str, Any], world: World) -> Iterator[Beat]:
    """Tell how a pod goes that has a deletionTimestamp.

    Args:
        pod: the pod as it is stored, with its deletionTimestamp and its last status.
        world: its node and namespace; `began` is the moment in which the kubelet sees the timestamp.

    Yields:
        Beats, in order. The last one says `gone`: the player deletes the pod then, with grace period 0.
    """
    state = read_pod(pod, host=world.host, address=world.address, began=world.began)
    grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 30))
    running = [container for container in state.containers if "running" in container.state]
    never = [container for container in state.containers if not container.container_id]
    for container in never:
        container.state = {"waiting": {"reason": "ContainerCreating"}}
    yield Beat(
        after=0.02,
        events=tuple(_killing(container.name) for container in running),
        status=state.document(world.began),
    )
    deaf = any(behaviour_of(container.image).deaf for container in running)
    wait = grace if deaf else min(0.3, grace)
    moment = world.began + timedelta(seconds=0.02 + wait)
    for container in state.containers:
        _end(container, stamp(moment), deaf=behaviour_of(container.image).deaf)
    failed = any(container.state["terminated"]["exitCode"] for container in state.containers)
    state.sandbox, state.completed = False, True
    state.phase = "Failed" if failed else "Succeeded"
    yield Beat(after=wait, status=state.document(moment))
    yield Beat(after=0.5 if running else 0.01, gone=True)


def _killing(container: str) -> EventSpec:
    return EventSpec(
        type="Normal", reason="Killing", message=f"Stopping container {container}", container=container
    )


def _end(container: ContainerState, moment: str, *, deaf: bool) -> None:
    """Put a container into the state in which its pod ends."""
    container.ready = container.started = False
    if not container.container_id:
        message = "The container could not be located when the pod was terminated"
        container.state = {
            "terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": message}
        }
    elif "running" in container.state:
        code, reason = (137, "Error") if deaf else (0, "Completed")
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


def _merged(scripts: list[ContainerScript]) -> Iterator[tuple[int, Step]]:
    """Hand out the steps of several containers in the order of their times, each as late as it can be."""
    telling = [script.steps() for script in scripts]
    if len(telling) == 1:
        yield from ((0, step) for step in telling[0])
        return
    ahead = [next(steps, None) for steps in telling]
    while True:
        waiting = [(step.at, number, step) for number, step in enumerate(ahead) if step is not None]
        if not waiting:
            return
        _, number, step = min(waiting, key=lambda each: each[:2])
        yield number, step
        ahead[number] = next(telling[number], None)

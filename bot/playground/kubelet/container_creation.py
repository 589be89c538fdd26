"""What happens before a container's first run: its image is pulled, and what its environment needs is looked up."""

from collections.abc import Iterator
from typing import Any

from bot.playground.kubelet import texts
from bot.playground.kubelet.behaviour import Pull
from bot.playground.kubelet.container_timeline import (
    FIRST_BACK_OFF,
    LONGEST_BACK_OFF,
    SYNC,
    ContainerStep,
    ContainerTimeline,
)


def pull(timeline: ContainerTimeline) -> Iterator[ContainerStep]:
    """Tell how the image comes to the node; if it cannot, that is told for ever."""
    image, always = timeline.spec["image"], timeline.spec.get("imagePullPolicy") == "Always"
    pull = timeline.behaviour.pull
    if pull is not Pull.OK:
        yield from _pull_for_ever(timeline, texts.pull_error(image, pull))
    elif timeline.context.present(image) and not always:
        yield timeline.step(0.0, timeline.event("Pulled", texts.already_present(image)))
    else:
        yield timeline.step(0.0, timeline.event("Pulling", f'Pulling image "{image}"'))
        took = timeline.behaviour.pull_takes
        yield timeline.step(took, timeline.event("Pulled", texts.pulled(image, took)), pulled=image)


def _pull_for_ever(timeline: ContainerTimeline, cause: str) -> Iterator[ContainerStep]:
    """Try, back off, try again; each sync writes into the status what the sync before it found."""
    image = timeline.spec["image"]
    failed = {"reason": "ErrImagePull", "message": cause}
    waiting = {
        "reason": "ImagePullBackOff",
        "message": f'Back-off pulling image "{image}": ErrImagePull: {cause}',
    }
    found: dict[str, str] | None = None
    delay, due, wait = FIRST_BACK_OFF, 0.0, 0.0
    while True:
        before, written = found, timeline.state.state
        if found is not None:
            timeline.state.state = {"waiting": found}
        changed = before is not None and timeline.state.state != written
        if timeline.elapsed + wait >= due:
            yield timeline.step(wait, timeline.event("Pulling", f'Pulling image "{image}"'), changed=changed)
            yield timeline.step(
                0.06,
                timeline.warning("Failed", f'Failed to pull image "{image}": {cause}'),
                timeline.warning("Failed", "Error: ErrImagePull"),
            )
            found, due = failed, timeline.elapsed + delay
            delay = min(delay * 2, LONGEST_BACK_OFF)
            wait = 0.35 if before is None else SYNC
        else:
            yield timeline.step(
                wait,
                timeline.event("BackOff", f'Back-off pulling image "{image}"'),
                timeline.warning("Failed", "Error: ImagePullBackOff"),
                changed=changed,
            )
            found, wait = waiting, SYNC


def configure(timeline: ContainerTimeline) -> Iterator[ContainerStep]:
    """Tell how the container waits for a Secret or ConfigMap that is missing, until it is there."""
    missing = _missing(timeline)
    if missing is None:
        return
    yield timeline.step(0.01, timeline.warning("Failed", f"Error: {missing}"))
    wait = 0.8
    while missing is not None:
        timeline.state.state = {"waiting": {"reason": "CreateContainerConfigError", "message": missing}}
        yield timeline.step(wait, changed=True)
        yield timeline.step(0.04, timeline.event("Pulled", texts.already_present(timeline.spec["image"])))
        missing = _missing(timeline)
        if missing is not None:
            yield timeline.step(0.01, timeline.warning("Failed", f"Error: {missing}"))
            wait = SYNC


def _missing(timeline: ContainerTimeline) -> str | None:
    for kind, key, ref in _references(timeline.spec):
        if not ref.get("optional") and not timeline.context.exists(kind, ref["name"]):
            return f'{key} "{ref["name"]}" not found'
    return None


def _references(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what a container needs from its namespace before it can be made: kind, word and reference."""
    kinds = (("secretRef", "Secret", "secret"), ("configMapRef", "ConfigMap", "configmap"))
    for source in spec.get("envFrom") or []:
        for key, kind, word in kinds:
            if key in source:
                yield kind, word, source[key]
    keys = (("secretKeyRef", "Secret", "secret"), ("configMapKeyRef", "ConfigMap", "configmap"))
    for variable in spec.get("env") or []:
        for key, kind, word in keys:
            if key in (variable.get("valueFrom") or {}):
                yield kind, word, variable["valueFrom"][key]
